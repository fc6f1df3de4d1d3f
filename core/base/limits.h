/* Every limit of the product, in one place. core/README.md has the same list for operators. */
#ifndef FW_BASE_LIMITS_H
#define FW_BASE_LIMITS_H

enum {
	FW_LIMIT_JSON_DEPTH = 64,             /* nesting of any JSON read */

	/* Rules. */
	FW_LIMIT_ID_BYTES = 200,              /* a declaration's id */
	FW_LIMIT_RULES = 1000000,             /* rules in a rule set */
	FW_LIMIT_CONDITION_DEPTH = 64,        /* nesting of a condition, segments included */
	FW_LIMIT_ROWS_PER_RULE = 64,          /* alternatives of one rule the index takes apart; past it the rule is verified */
	FW_LIMIT_ERRORS = 50,                 /* load errors shown at once */
	FW_LIMIT_FILE_BYTES = 256 << 20,      /* one rule file */
	FW_LIMIT_SHOW_UP_TO = 100,            /* winners of one slot */
	FW_LIMIT_CONTENT_BYTES = 64 << 10,    /* content of one winner, as JSON */
	FW_LIMIT_CONTENT_DEPTH = 32,
	FW_LIMIT_ORDER_LISTS = 8,             /* lists of one rule's content that are put in order, and of one of them … */
	FW_LIMIT_ORDER_ITEMS = 200,           /* … items, … */
	FW_LIMIT_ORDER_KEYS = 4,              /* … what they are put in order by, one after the other, … */
	FW_LIMIT_ORDER_PARTS = 8,             /* … parts of each of these, … */
	FW_LIMIT_ORDER_BOOSTS = 32,           /* … boosts, … */
	FW_LIMIT_ORDER_ATTRIBUTES = 32,       /* … and attributes that all that asks for */
	FW_LIMIT_ORDER_WEIGHT = 1000,         /* a weight, or what a boost adds */

	/* The checker of rule sets. What goes beyond is not determined, or taken for possible. */
	FW_LIMIT_CHECK_BOXES = 64,            /* alternatives of one condition, segments and guards worked in */
	FW_LIMIT_CHECK_CELLS = 20000,         /* values that rules tell apart of one fact */
	FW_LIMIT_CHECK_PATTERNS = 6,          /* beginnings, ends and parts of one text that are told apart */
	FW_LIMIT_CHECK_TEXT_BYTES = 512,      /* of such a value, that is looked for before it is added */
	FW_LIMIT_CHECK_COUNTS = 2000,         /* counts of behaviour that are related with one another */
	FW_LIMIT_CHECK_STEPS = 100000,        /* of one search, and … */
	FW_LIMIT_CHECK_ALL_STEPS = 100000000, /* … of all of them */
	FW_LIMIT_CHECK_DEPTH = 8000,          /* rules that cover another together */
	FW_LIMIT_CHECK_WITNESSES = 50,        /* visitors tried, of one search, … */
	FW_LIMIT_CHECK_WITNESS_TRIES = 5000,  /* … values for each of them, … */
	FW_LIMIT_CHECK_WITNESS_VALUES = 64,   /* … and for each of its facts */
	FW_LIMIT_CHECK_SHORTEN = 24,          /* rules of a proof that are tried without one another */
	FW_LIMIT_CHECK_NAMED = 5,             /* of them, named in the message; the JSON names all */
	FW_LIMIT_CHECK_PAIRS = 20,            /* rules that a rule may tie with, looked at closely */

	FW_LIMIT_NEEDS_JUDGED = 20000,        /* rules judged to find what others need, of one explanation */
	FW_LIMIT_NEEDS_TRIED = 100,           /* changes for one rule that are tried out */
	FW_LIMIT_NEEDS_VALUES = 8,            /* further values of a fact that are tried, so that all that will do can be named */

	/* A call into a rule's function. */
	FW_LIMIT_CALL_INSTRUCTIONS = 100000,
	FW_LIMIT_CALL_BYTES = 1 << 20,
	FW_LIMIT_CALL_NESTING = 8,            /* functions that read segments that functions decide, one in the other */
	FW_LIMIT_LOAD_INSTRUCTIONS = 500000000, /* running one rule file at load */
	FW_LIMIT_LOAD_BYTES = 2000000000,
	FW_LIMIT_STRING_BYTES = 256 << 10,    /* the longest string a library call makes */
	FW_LIMIT_PATTERN_BYTES = 1 << 10,     /* the longest pattern */
	FW_LIMIT_SET_ASIDE_VISITORS = 20,     /* budget failures of this many visitors within a minute set a rule aside */

	/* A request. */
	FW_LIMIT_BODY_BYTES = 1 << 20,
	FW_LIMIT_HEADER_BYTES = 16 << 10,     /* request line and headers together */
	FW_LIMIT_HEADERS = 100,
	FW_LIMIT_URL_BYTES = 8 << 10,
	FW_LIMIT_HEADER_MS = 10000,           /* from a request's first byte to its last header, absolutely */
	FW_LIMIT_BODY_MS = 30000,             /* from the last header to the last byte of the body */
	FW_LIMIT_IDLE_MS = 60000,             /* a kept-alive connection without a request */
	FW_LIMIT_WRITE_MS = 60000,            /* for a client to take the next 64 KiB of an answer */
	FW_LIMIT_LINGER_MS = 2000,            /* reading on after the last answer, so that it is not lost */
	FW_LIMIT_DRAIN_IDLE_MS = 10000,       /* an idle connection of a worker that ends */
	FW_LIMIT_CONNECTIONS = 10000,         /* open at once in a worker */
	FW_LIMIT_PIPELINED = 32,              /* requests of one connection being answered */
	FW_LIMIT_MAX_INFLIGHT = 1024,         /* requests being answered in a worker; above it 503 */
	FW_LIMIT_REQUEST_BYTES = 4 << 20,     /* the arena of a request */
	FW_LIMIT_SLOTS_ASKED = 200,           /* slots named in one request */
	FW_LIMIT_RESERVE_TRIES = 100,         /* for places under caps, against others who take them at once; then without them */
	FW_LIMIT_USER_AGENT_BYTES = 1024,     /* of a user agent, that are looked at */
	FW_LIMIT_FORWARDED_HOPS = 32,         /* proxies in front, the nearest counted first */
	FW_LIMIT_PER_ADDRESS_S = 100,         /* requests a second of an address without a secret key; then 429 */
	FW_LIMIT_PER_KEY_S = 20000,           /* requests a second with a write key; then 429 */
	FW_LIMIT_NEW_PER_ADDRESS_MIN = 120,   /* people nobody has seen, a minute and address; then 429 */
	FW_LIMIT_BURST_S = 10,                /* of requests that may come at once */
	FW_LIMIT_RATES_KEPT = 8192,           /* addresses and keys that a worker counts requests of */

	/* A stream of server-sent events. */
	FW_LIMIT_STREAMS = 5000,              /* open in a worker; whoever asks for one more is told to come back */
	FW_LIMIT_STREAMS_PER_ADDRESS = 100,   /* of them, of an address without a secret key; then 429 */
	FW_LIMIT_STREAM_BEAT_MS = 15000,      /* without an event: then a comment tells that the connection lives */
	FW_LIMIT_STREAM_MS = 3600000,         /* of one; then its client is told to come back */
	FW_LIMIT_STREAM_GATHER_MS = 20,       /* that changes are gathered, from the first one on */
	FW_LIMIT_STREAM_LOOK_MS = 60000,      /* without a change: then it is decided again, for what time alone changes */
	FW_LIMIT_STREAM_PRODUCTS = 48,        /* products whose changes one hears of at once; of further ones with the next look */
	FW_LIMIT_STREAM_RETRY_MS = 1000,      /* before a client comes back, half to one and a half of it by chance; and … */
	FW_LIMIT_STREAM_FULL_RETRY_MS = 10000, /* … where there was no room for it */
	FW_LIMIT_STREAM_DRAIN_MS = 5000,      /* over which a worker that ends tells its streams to come back */
	FW_LIMIT_STREAM_ASK_BYTES = 8 << 10,  /* of its question, with the headers that count */
	FW_LIMIT_STREAM_SEND_BYTES = 64 << 10, /* that the system holds of what a client has not taken */
	FW_LIMIT_SHOWN = 8,                   /* decisions whose places under caps whoever asks still shows */

	/* A request to another server. */
	FW_LIMIT_CLIENT_MS = 10000,           /* from its beginning to the answer's last byte, unless it says so, and … */
	FW_LIMIT_CLIENT_MOST_MS = 60000,      /* … whatever it says */
	FW_LIMIT_CLIENT_BODY_BYTES = 1 << 20, /* of an answer; one that is larger is none */
	FW_LIMIT_CLIENT_HEADER_BYTES = 64 << 10,
	FW_LIMIT_CLIENT_CONNECTIONS = 32,     /* of a worker to one host; what goes beyond waits for one */
	FW_LIMIT_CLIENT_ASKS = 1024,          /* of a worker at once; what goes beyond has no answer */
	FW_LIMIT_CLIENT_RETRY_MS = 86400000,  /* that a Retry-After is believed */

	/* Signals. */
	FW_LIMIT_GEO_BYTES = 1 << 30,         /* a geo database */
	FW_LIMIT_AGENTS_KEPT = 4096,          /* user agents whose device a worker remembers */
	FW_LIMIT_AGENT_STEPS = 20000,         /* matching steps of one pattern on one user agent */
	FW_LIMIT_TCF_BYTES = 8 << 10,        /* a TCF consent string */

	/* The catalogue. */
	FW_LIMIT_FEED_BYTES = 1 << 30,        /* a feed */
	FW_LIMIT_FEED_LINE_BYTES = 1 << 20,   /* of JSON lines, or of a feed as text */
	FW_LIMIT_FEED_DEPTH = 64,             /* elements of an XML feed in one another */
	FW_LIMIT_PRODUCTS = 2000000,          /* of a feed */
	FW_LIMIT_PRODUCT_TITLE_BYTES = 500,   /* the rest is cut off */
	FW_LIMIT_PRODUCT_LINK_BYTES = 2000,   /* of a link or an image's; a longer one is left away */
	FW_LIMIT_PRODUCT_TYPES = 10,          /* product_type of one product; further ones are left away */
	FW_LIMIT_PRODUCT_TYPE_LEVELS = 10,    /* of one: "Shoes > Boots" has two */
	FW_LIMIT_FEED_FAULTY_PERCENT = 10,    /* of a feed's products may be unusable; with more the feed is broken */
	FW_LIMIT_PRODUCTS_THEN = 2048,        /* facts of products, and products looked up, of which the log of a decision tells */
	FW_LIMIT_PRODUCT_CHANGES = 500,       /* products of which a request tells: their rows are one batch of the store */
	FW_LIMIT_PRODUCT_CHANGE_KEPT_S = 7 * 86400, /* that the row of one stays when a newer feed has made it void */
	FW_LIMIT_FEED_FAULTS_TOLD = 5,        /* of them, each with its line; the rest is counted */

	/* The store. */
	FW_LIMIT_STORE_KEY_BYTES = 480,
	FW_LIMIT_STORE_VALUE_BYTES = 1 << 20,
	FW_LIMIT_STORE_CHANGES = 1000,        /* in a batch */
	FW_LIMIT_STORE_BATCH_BYTES = 4 << 20, /* keys and values of a batch */
	FW_LIMIT_STORE_SCAN_ROWS = 1000,      /* of one scan, and */
	FW_LIMIT_STORE_SCAN_BYTES = 4 << 20,  /* about so many bytes; then there are more */
	FW_LIMIT_STORE_WAITING = 4096,        /* batches of a worker that are not answered */
	FW_LIMIT_STORE_WAITING_BYTES = 32 << 20,
	FW_LIMIT_STORE_SILENT_MS = 3000,      /* a batch that waits longer: the store is out of reach */
	FW_LIMIT_STORE_READERS = 510,         /* processes that read the data */
	FW_LIMIT_STORE_MAP_BYTES = 64 << 20,  /* the least map; doubled when it is full */
	FW_LIMIT_STORE_CONNECTIONS = 256,     /* to the keeper */
	FW_LIMIT_STORE_GROUP_BYTES = 16 << 20,/* batches committed together */
	FW_LIMIT_STORE_INTERVAL_MS = 100,     /* that `interval` gathers them, or … */
	FW_LIMIT_STORE_INTERVAL_BATCHES = 64, /* … until they are so many: to wait for more spares nothing by then */
	FW_LIMIT_STORE_NOTICE_BYTES = 1 << 20,/* waiting for a watcher; beyond it notices are lost, and it is told */
	FW_LIMIT_STORE_SUBMITTER_S = 172800,  /* that the outcomes of a worker that is gone are kept */
	FW_LIMIT_REDIS_SEEDS = 16,            /* hosts in a cluster's URL */
	FW_LIMIT_REDIS_NODES = 512,           /* of a cluster */
	FW_LIMIT_REDIS_CONNECT_MS = 2000,     /* that connecting and greeting may take */
	FW_LIMIT_REDIS_SILENT_MS = 3000,      /* without a byte while an answer is due: the connection is given up */
	FW_LIMIT_REDIS_AGAIN_MS = 1000,       /* at most between two attempts to connect */
	FW_LIMIT_REDIS_WAIT_MS = 1000,        /* that WAIT waits for a replica, each time */
	FW_LIMIT_STORE_GREET_MS = 1000,       /* that a worker waits for a store over a network before it serves without */
	FW_LIMIT_STORE_RELEASE_MS = 200,      /* that a worker that ends waits for its lease to be given back */
	FW_LIMIT_STORE_READ_MS = 500,         /* a read over a network that takes longer has failed, … */
	FW_LIMIT_STORE_GIVE_UP_MS = 5000,     /* … but what a batch is computed from; a batch that does: nobody knows what became of it */
	FW_LIMIT_STORE_HOST_MS = 10000,       /* that a command waits for others which keep the data where no daemon runs */
	FW_LIMIT_IMPORT_AWAY_MS = 30000,      /* an import asks a store again for so long that is out of reach */
	FW_LIMIT_STORE_SCRUBS = 64,           /* that a handle, or all of a connection, waits for */
	FW_LIMIT_COPY_NOTED = 500000,         /* rows that changed during a copy and wait to be read again; then another pass finds them */
	FW_LIMIT_COPY_PASSES = 20,            /* one after the other in which something was found; then it is given up */
	FW_LIMIT_COPY_FIRST_MS = 10000,       /* for the first answers of both stores, and … */
	FW_LIMIT_COPY_AWAY_MS = 60000,        /* … for any further one: a cluster's failover fits in */
	FW_LIMIT_COPY_SETTLE_MS = 1000,       /* for notices of what a pass has seen */

	/* Events. */
	FW_LIMIT_EVENT_ID_BYTES = 200,        /* anonymousId, userId, previousId, groupId */
	FW_LIMIT_PUBLIC_ID_BYTES = 16,        /* at least: an anonymousId with a write key, which is its own proof */
	FW_LIMIT_MESSAGE_ID_BYTES = 100,
	FW_LIMIT_EVENT_NAME_BYTES = 200,      /* of a track event, a page or a screen */

	/* The record of a person; what goes beyond is forgotten, in the order that core/profile/README.md has. */
	FW_LIMIT_RECORD_BYTES = 40 << 10,
	FW_LIMIT_RECORD_IDS = 120,            /* what one person goes by; a further one is not added */
	FW_LIMIT_IDS_BYTES = 6 << 10,         /* of all ids of one person, and of those whom it absorbed */
	FW_LIMIT_IDS_OF_A_KIND = 5,           /* e-mail addresses; phone numbers; ids of one other system */
	FW_LIMIT_MERGES = 100,                /* people who became part of one person */
	FW_LIMIT_MERGE_KEPT_S = 90 * 86400,   /* that what two people were is kept, so that a merge can be undone */
	FW_LIMIT_CONSENTS = 64,               /* purposes and channels */
	FW_LIMIT_CONSENT_LOG = 200,           /* grants and denials that are kept with time and source, and … */
	FW_LIMIT_CONSENT_LOG_BYTES = 8 << 10, /* … as many bytes of names, sources and versions; what was superseded goes first */
	FW_LIMIT_CONSENT_NAME_BYTES = 64,     /* of a purpose or a channel */
	FW_LIMIT_CONSENT_SOURCE_BYTES = 64,
	FW_LIMIT_CONSENT_TEXT_BYTES = 100,    /* the version of the words that were agreed to */
	FW_LIMIT_TRAITS = 100,
	FW_LIMIT_TRAIT_NAME_BYTES = 100,
	FW_LIMIT_TRAIT_BYTES = 1000,          /* of a trait's value, as text */
	FW_LIMIT_TRAITS_BYTES = 8 << 10,      /* of all traits together */
	FW_LIMIT_KEY_BYTES = 100,             /* of a category, product, brand, term, and of what the timeline shows; the rest is cut off */
	FW_LIMIT_CART_ENTRIES = 50,           /* products and changes of a cart */
	FW_LIMIT_ORDERS = 20,                 /* with their ids; older ones are only counted */
	FW_LIMIT_SESSIONS = 8,                /* with their times; older ones are only counted */
	FW_LIMIT_RECENT_EVENTS = 16,
	FW_LIMIT_SERIES = 256,                /* things (a product in its category, a brand, a search) with counts of their own */
	FW_LIMIT_CELLS = 1024,                /* counts by thing, kind and hour or day */
	FW_LIMIT_CELL_HOURS = 72,             /* counted by the hour; before that by the day */
	FW_LIMIT_CELL_DAYS = 400,             /* counted by the day; before that only in total */
	FW_LIMIT_CAPS_KEPT = 32,              /* caps with places taken, of one person */
	FW_LIMIT_CAP_USES = 100,              /* places of one cap that are remembered */
	FW_LIMIT_CAPS_USES = 400,             /* of all caps of one person */
	FW_LIMIT_SEEN_KEPT = 6,               /* messages that the record itself remembers */
	FW_LIMIT_IMPORTS_KEPT = 8,            /* imported files whose progress is remembered */
	FW_LIMIT_RESERVATION_MS = 30 * 60000, /* a place under a cap that nobody confirmed */
	FW_LIMIT_SESSION_IDLE_MS = 30 * 60000, /* without an event: the next begins a visit */
	FW_LIMIT_ASKS = 20,                   /* products of which one person is to be told when they are back; the oldest makes room */
	FW_LIMIT_ASK_S = 365 * 86400,         /* that one waits for it; then it is forgotten */
	FW_LIMIT_ASK_PLACE_BYTES = 160,       /* of where the person was, each; what is longer is left away */
	FW_LIMIT_PRODUCT_ASKS = 100000,       /* people who are told of one product; who asked later is dropped by the sweep */
	FW_LIMIT_DUE = 8,                     /* messages to one person that wait, are on their way or are dead */
	FW_LIMIT_DUE_FACTS_BYTES = 1 << 10,   /* of what the triggering event told, each; larger properties go first */
	FW_LIMIT_DUE_REASON_BYTES = 120,
	FW_LIMIT_OUTCOMES = 32,               /* what became of earlier ones, and … */
	FW_LIMIT_OUTCOMES_BYTES = 2 << 10,    /* … as many bytes of names and reasons; the oldest goes first */
	FW_LIMIT_MARKS = 16,                  /* segments whose entering triggers, and rules that come at intervals, per person */
	FW_LIMIT_DEDUPE_HOURS = 48,           /* the same message counts once for so long; older events are too late */
	/* People. */
	FW_LIMIT_EVENT_BYTES = 64 << 10,      /* one event; larger ones are refused alone … */
	FW_LIMIT_EVENT_WARN_BYTES = 32 << 10, /* … and from here on warned of */
	FW_LIMIT_EVENTS_A_BATCH = 2500,       /* of one request; those behind are refused */
	FW_LIMIT_INGEST_BYTES = 64 << 20,     /* of event requests being stored in a worker, as they were sent; above it 503 */
	FW_LIMIT_DEAD_LETTERS = 100,          /* refused events kept in each of the store's 1,024 buckets, the newest */
	FW_LIMIT_DEAD_LETTER_S = 30 * 86400,  /* and for how long */
	FW_LIMIT_DEAD_LETTERS_A_SECOND = 100, /* that a worker keeps; what goes beyond is refused and only counted */

	FW_LIMIT_SHADOW_SLOTS = 64,           /* of which it is counted how far a shadow is from them */
	FW_LIMIT_SHADOW_RULES = 256,          /* … and rules that it would let win or lose */
	FW_LIMIT_SPOOL_EVENTS = 1000000,      /* held on this node while the store is out of reach; above it 503 */
	FW_LIMIT_SPOOL_BYTES = 1 << 30,       /* that they take on its disk */
	FW_LIMIT_SPOOL_SLICE = 500,           /* applied together, once the store answers again */
	FW_LIMIT_SPOOL_WAIT_MS = 1000,        /* that a request then waits for those before it, and … */
	FW_LIMIT_SPOOL_WAITERS = 64,          /* … so many of a worker do; then it is held behind them */

	/* The decision log. */
	FW_LIMIT_JUDGED_LOGGED = 1024,        /* decisions of messages whose keys are looked up at once, in a worker; more are not logged */
	FW_LIMIT_LOGGED_BYTES = 256 << 10,    /* a decision with what was known of the visitor; a larger one is not logged */
	FW_LIMIT_LOGGED_LATE_MS = 5000,       /* that explain --decision waits for one that was made just now */
	FW_LIMIT_LOG_RING_BYTES = 4 << 20,    /* decisions of a worker that wait to be written; what goes beyond is dropped */
	FW_LIMIT_LOG_FILE_BYTES = 64 << 20,   /* one file, or an eighth of what all may have; then the next one begins … */
	FW_LIMIT_LOG_FILE_S = 86400,          /* … and after so long, or an eighth of the time that they are kept */
	FW_LIMIT_LOG_BYTES = 1 << 30,         /* all files, unless the configuration says otherwise; the oldest go first */
	FW_LIMIT_LOG_KEEP_S = 35 * 86400,     /* and for how long */
	FW_LIMIT_SEAL_KEY_S = 30 * 86400,     /* that one key seals what is logged of a person; then the next one is made */
	FW_LIMIT_SEAL_QUIET_S = 60,           /* after an erasure, in which nothing is logged of who goes by the same id */

	/* Messages. */
	FW_LIMIT_DELIVERY_MS = 60000,         /* that a channel may take to say what became of an attempt; then it is lost */
	FW_LIMIT_MESSAGE_ATTEMPTS = 12,       /* of which each said to try again; then the message is dead */
	FW_LIMIT_MESSAGE_LOST = 3,            /* attempts in a row of which nothing was heard: it is dead, as poison */
	FW_LIMIT_MESSAGE_AGAIN_MS = 15000,    /* before the second attempt; doubled each time, half to one and a half of it by chance … */
	FW_LIMIT_MESSAGE_AGAIN_MOST_MS = 3600000, /* … up to this */
	FW_LIMIT_MESSAGES_AT_ONCE = 512,      /* people whose messages a worker judges or delivers */
	FW_LIMIT_CHANNEL_AT_ONCE = 100,       /* deliveries of a channel in a worker, unless its configuration says otherwise */
	FW_LIMIT_DESTINATION_AT_ONCE = 50,    /* of them to one destination (an e-mail's domain) */
	FW_LIMIT_MESSAGE_KEPT_S = 90 * 86400, /* that what is heard of a message finds its person, and that a dead one is kept */
	FW_LIMIT_ADDRESS_HEARD = 8,           /* of an address, the latest things said of it, each known by an id, …  */
	FW_LIMIT_ADDRESS_HEARD_S = 7 * 86400, /* … and how long they are known after something may go to it again */
	FW_LIMIT_DEFER_STEPS = 3000,          /* quarters of an hour that are looked at for when a guard lets pass: a month */
	FW_LIMIT_TEMPLATES = 2000,            /* template files of a rule set */
	FW_LIMIT_TEMPLATE_BYTES = 512 << 10,  /* one of them */
	FW_LIMIT_TEMPLATE_DEPTH = 64,         /* sections, and partials, in one another */
	FW_LIMIT_TEMPLATE_NAMES = 20000,      /* that one reads, its partials' included */
	FW_LIMIT_TEMPLATE_STEPS = 1000000,    /* of one rendering: tags met, and members of the data looked at */
	FW_LIMIT_MESSAGE_PART_BYTES = 1 << 20, /* of one rendering, and of a text made from HTML */

	/* Processes. */
	FW_LIMIT_WORKERS = 64,                /* of one generation */
	FW_LIMIT_LISTENERS = 16,              /* addresses and inherited sockets */
	FW_LIMIT_LOAD_MS = 60000,             /* from a loader's fork to its workers' being ready */
	FW_LIMIT_LOADING_NICE = 10,           /* how much less urgent loading is than serving, in steps of nice(1) */
	FW_LIMIT_HEARTBEAT_MS = 10000,        /* a worker silent for longer is killed */
	FW_LIMIT_DRAIN_MS = 30000,            /* for the requests of a generation that ends; then TERM */
	FW_LIMIT_KILL_MS = 2000,              /* from TERM to KILL */
	FW_LIMIT_RESTART_MS = 100,            /* before a process that died is started again; doubled each time … */
	FW_LIMIT_RESTART_MOST_MS = 10000,     /* … up to this */
	FW_LIMIT_CONTROL_CLIENTS = 16,        /* open at once on the control socket */
	FW_LIMIT_CONFIG_INSTRUCTIONS = 1000000,
	FW_LIMIT_CONFIG_BYTES = 16 << 20,     /* memory that evaluating the configuration may take */
	FW_LIMIT_PLUGINS = 32,
	FW_LIMIT_PLUGIN_BYTES = 64 << 20,     /* a plugin's file */
	FW_LIMIT_PLUGIN_METRICS = 128,        /* of all plugins together, over all generations */
	FW_LIMIT_PLUGIN_POSTS = 1024,         /* calls posted from threads that wait for the loop */
	FW_LIMIT_PLUGIN_KEY_BYTES = 200,      /* of what a plugin keeps in the store, and of the names of its node's timers */
	FW_LIMIT_PLUGIN_VALUE_BYTES = 64 << 10,
	FW_LIMIT_PLUGIN_VALUES = 256,         /* a plugin's and a worker's that are being read or written */
	FW_LIMIT_NODE_TIMERS = 64,            /* of all plugins together, over all generations */
};

#endif

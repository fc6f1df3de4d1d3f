/* What the parts of a copy share. Only for core/store/copy*.c. */
#ifndef FW_STORE_COPY_OWN_H
#define FW_STORE_COPY_OWN_H

#include <event2/event.h>

#include "base/limits.h"
#include "store/copy.h"

enum {
	FW_COPY_JOBS = 32,        /* buckets at once */
	FW_COPY_PAGE_ROWS = 500,
	FW_COPY_NOTED_ROWS = 250, /* read again at once, of one bucket */
	FW_COPY_BATCH_BYTES = 512 << 10,
};

/* A row that was heard of: it waits in its bucket's queue to be read again. Or one that a check found different without
 * having heard of it: a suspect, until a notice explains it. */
struct fw_copy_key {
	struct fw_copy_key *next;    /* in the table */
	struct fw_copy_key *queued;  /* in the queue */
	uint64_t hash;
	uint32_t bucket, n;
	bool suspect;
	char bytes[];
};

/* By bucket and key; each once. */
struct fw_copy_keys {
	struct fw_copy_key **heads;
	size_t size, n, suspects; /* size: a power of two, or 0 */
};

struct fw_copy_key *fw_copy_keys_find(const struct fw_copy_keys *keys, uint32_t bucket, struct fw_str key);
/* A new one, which is not there yet; NULL: out of memory. */
struct fw_copy_key *fw_copy_keys_add(struct fw_copy_keys *keys, uint32_t bucket, struct fw_str key);
/* Takes it out; it is the caller's to free. */
void fw_copy_keys_remove(struct fw_copy_keys *keys, struct fw_copy_key *key);
/* Forgets all suspects: how many there were. */
uint64_t fw_copy_keys_clear_suspects(struct fw_copy_keys *keys);
void fw_copy_keys_finish(struct fw_copy_keys *keys);

struct fw_copy_bucket {
	struct fw_copy_key *first, *last; /* heard of, in their order */
	bool begun, through; /* in this pass */
	bool busy;           /* a job has it */
	bool listed;         /* it stands among those that wait for a job */
};

enum fw_copy_state {
	FW_COPY_IDLE,
	FW_COPY_READY,   /* to take its next step in the next turn */
	FW_COPY_READING, /* a step, first half, and … */
	FW_COPY_WRITING, /* … second */
	FW_COPY_PAUSED,  /* a store was busy or away: the step is taken again after a while */
};

/* A bucket being looked after: rows that were heard of, and, where the pass has not been there, page after page. */
struct fw_copy_job {
	struct fw_copy *copy;
	enum fw_copy_state state;
	uint32_t bucket;
	unsigned pass;        /* that `after` belongs to */
	char after[FW_LIMIT_STORE_KEY_BYTES];
	size_t after_n;
	bool rereads, reread; /* the step is about rows heard of; the one before was */
	struct fw_arena arena; /* of a step */

	/* A page of either side. */
	struct fw_copy_page {
		struct fw_copy_job *job;
		struct fw_row *rows;
		size_t n;
		bool more;
		struct fw_copy_side told; /* as far as it was compared */
	} from, to;
	bool through; /* it is the bucket's last */

	/* Rows read again. */
	struct fw_copy_key *noted;
	struct fw_copy_again {
		struct fw_copy_job *job;
		struct fw_row row;
	} *again;
	size_t n_again;

	/* What the step changes. */
	struct fw_change *changes;
	size_t n_changes;
	unsigned left;        /* answers that are to come; and itself while it asks */
	int rc;               /* the first that was not 0, and … */
	struct fw_store *who; /* … who said so */
};

struct fw_copy {
	struct fw_copy_options options;
	struct fw_copy_progress progress;
	struct event *turn, *tick;
	struct fw_copy_job jobs[FW_COPY_JOBS];
	struct fw_copy_bucket buckets[FW_STORE_BUCKETS];
	uint32_t waiting[FW_STORE_BUCKETS]; /* a ring: buckets with rows heard of, and without a job */
	unsigned waiting_at, waiting_n;
	struct fw_copy_keys keys;
	uint32_t next_bucket; /* of this pass that was not handed out */
	struct fw_copy_side from, to; /* of this pass, so far */
	uint64_t found;       /* by this pass, and changed */
	unsigned unclean;     /* passes, one after the other, that were not clean */
	bool lost;            /* notices were, since this pass began */
	bool draining, begins; /* only what was heard of is left to do; and then a pass */
	enum { FW_COPY_UNASKED, FW_COPY_ASKED, FW_COPY_SETTLED } barrier; /* see copy.c */
	int64_t settled_us;
	int64_t moved_us;     /* when a store last answered */
	bool over;
};

/* A row is to be read again. */
void fw_copy_note(struct fw_copy *c, uint32_t bucket, struct fw_str key);
/* This went wrong, on that side (NULL: neither): it is over. */
void fw_copy_fail(struct fw_copy *c, int rc, const struct fw_store *who);
void fw_copy_wake(struct fw_copy *c); /* there is something to do in the next turn */

/* copy_job.c: the next step of a job that is ready; afterwards it is ready, paused or idle. */
void fw_copy_job_step(struct fw_copy_job *job);

#endif

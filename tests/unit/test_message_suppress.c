/* Everybody dies between every two steps of a one-click, a bounce, a complaint, a STOP and a START, of people who are one, become one or
 * share an address, and of an address that nobody has. Whoever told it tells it again until it is answered, as plugins and gateways do:
 * the list, what holds of consent, its log and the timeline agree in the end, with each of them there once.
 *
 * A START lifted the list and then died: told again it changed nothing, and the consent stayed withdrawn. And what was heard of a message
 * to an address that several share was told of the first of them, whoever's message it was.
 *
 * And a STOP that the gateway told again, after the START that followed it, stopped once more.
 *
 * Seen failing with FW_BREAK_DEDUPE (an event is twice in the timeline), with FW_BREAK_SUPPRESS (a STOP that finds itself on the list says
 * nothing to the person), with FW_BREAK_HEARD (a repeated STOP or START counts anew). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_joins.h"
#include "message/own.h"
#include "people/erase.h"

enum { TEXT = 8192, MADE_MOST = 4096 };

/* A step of the story is one moment. */
static int64_t clock_us;

int64_t __wrap_fw_now_us(void);
int64_t __wrap_fw_now_us(void)
{
	return clock_us;
}

static const struct fw_profile_options profile = { .currency = "EUR", .behaviour = true };

struct story {
	struct client c;
	struct fw_messages *made[MADE_MOST]; /* one for each time that somebody tells something */
	unsigned n_made, moments, told;
	bool twice;                          /* everything is told twice at once */
	char ids[8][FW_MESSAGE_ID + 1];
};

/* What somebody tells until it is answered with success. */
struct telling {
	struct story *s;
	const char *id, *name;      /* of a message */
	struct fw_address_said said; /* or of an address */
};

static void tell_later(struct telling *t);

static void on_told(void *ctx, int rc, bool changed)
{
	struct telling *t = ctx;
	(void)changed;
	t->s->c.answered += rc == 0;
	t->s->c.failed += rc < 0;
	if (rc < 0)
		tell_later(t);
	else
		free(t);
}

static void tell_now(evutil_socket_t fd, short what, void *ctx)
{
	struct telling *t = ctx;
	struct story *s = t->s;
	(void)fd;
	(void)what;
	const struct fw_messages_options options = { .people = s->c.workers[memory_random(s->c.memory, WORKERS)], .profile = &profile };
	struct fw_messages *m = fw_messages_create(s->c.t.base, &options);
	assert_true(m && s->n_made < MADE_MOST);
	s->made[s->n_made++] = m;
	if (t->id)
		fw_messages_hear(m, fw_str(t->id), fw_str(t->name), (struct fw_str){ NULL, 0 }, on_told, t);
	else
		fw_messages_suppress(m, &t->said, on_told, t);
}

static void tell_later(struct telling *t)
{
	struct timeval now = { 0, 0 };
	event_base_once(t->s->c.t.base, -1, EV_TIMEOUT, tell_now, t, &now);
}

static void say(struct story *s, const struct telling *what)
{
	for (int i = 0; i <= s->twice; i++) {
		struct telling *t = malloc(sizeof *t);
		if (!t)
			abort();
		*t = *what;
		t->s = s;
		s->told++;
		tell_later(t);
	}
}

static void hear(struct story *s, unsigned message, const char *name)
{
	say(s, &(struct telling){ .id = s->ids[message], .name = name });
}

static void suppress(struct story *s, const char *channel, const char *address, const char *reason, bool lift)
{
	say(s, &(struct telling){ .said = { fw_str(channel), fw_str(address), fw_str(reason), fw_str("test"), lift, { NULL, 0 } } });
}

/* Whatever was told is answered, and all that one bucket has to say to another is said. Whoever leads the workers delivers what was left
 * lying, now and then. */
static void pass(struct story *s)
{
	struct client *c = &s->c;
	for (unsigned failed = c->failed; c->answered < s->told; joins_turn(c)) {
		if (c->failed == failed)
			continue;
		deliver_all(c);
		failed = c->failed;
	}
	settle_down(c);
	clock_us = NOON + ++s->moments * INT64_C(1000000);
}

/* A text that came in, with its gateway's id. */
static void text(struct story *s, const char *number, const char *word, const char *id)
{
	bool lift = strcmp(word, "start") == 0;
	say(s, &(struct telling){ .said = { FW_STR("sms"), fw_str(number), fw_str(word), fw_str("text"), lift, fw_str(id) } });
	pass(s);
}

/* An event of the shop's, in a request of its own; `ids` and more are members as JSON has them. */
static void happen(struct story *s, struct request **ret, const char *members)
{
	char json[600];
	snprintf(json, sizeof json, "{\"type\":\"identify\",\"messageId\":\"m-%u\",%s}", s->moments, members);
	*ret = request_create(&s->c, 1);
	request_add(*ret, json, clock_us);
	s->told++;
	hand_in(*ret);
}

static void happened(struct story *s, const char *members)
{
	struct request *r;
	happen(s, &r, members);
	pass(s);
	request_destroy(r);
}

static void agree(struct story *s, const char *id)
{
	static const struct fw_consent_said said[] = { { FW_STR_ENTRY("email"), FW_CONSENT_GRANTED },
		{ FW_STR_ENTRY("sms"), FW_CONSENT_GRANTED } };
	struct fw_consent_change change = { .said = said, .n = 2, .source = FW_STR("api") };
	char member[200];
	struct request *r = request_create(&s->c, 1);
	snprintf(member, sizeof member, "{\"type\":\"identify\",\"messageId\":\"m-%u\",%s}", s->moments, id);
	request_add(r, member, clock_us);
	r->events[0].event.consent = &change;
	r->events[0].event.only_consent = true;
	s->told++;
	hand_in(r);
	pass(s);
	request_destroy(r);
}

/* A message that was given to a channel: for the row of that id, wherever its record is by now. */
static void sent_to(struct story *s, unsigned message, enum fw_person_kind kind, const char *row, const char *address)
{
	struct fw_secret *secret = &s->c.workers[0]->secret;
	const struct fw_person_id id = { kind, fw_str(row) };
	const struct fw_message_id number = { fw_people_row_hash(&id), message + 1 };
	uint32_t bucket = fw_store_bucket(number.person);
	struct fw_sent sent = { FW_STR("email"), FW_STR("reminder"), clock_us, { 0 } };
	struct fw_key key;
	struct fw_str value;
	fw_suppression_key(secret, sent.channel, fw_str(address), &sent.suppression);
	fw_sent_key(bucket, number, &key);
	assert_int_equal(fw_sent_write(&sent, &s->c.t.arena, &value), 0);
	assert_int_equal(fw_message_id_write(secret, number, s->ids[message]), 0);
	memory_change(s->c.memory, bucket, &(struct fw_change){ FW_CHANGE_PUT, fw_key_str(&key), value, FW_VERSION_ANY },
		++s->c.memory->version);
}

static void on_done(void *ctx, int rc)
{
	assert_int_equal(rc, 0);
	++*(unsigned *)ctx;
}

enum { ANN, ANN_LATER, BOB, BOB_LATER, CARL, DAN };

/* Ann has two ids. Bob is a device so far, and a user on another; he is about to log in. Home is the address of two users, so it does not
 * say who Carl is, who goes by it as well. Dan wants nothing to be added. */
static void meet(struct story *s)
{
	unsigned restricted = 0;
	clock_us = NOON;
	happened(s, "\"anonymousId\":\"d-1\",\"userId\":\"u-1\",\"traits\":{\"email\":\"ann@shop.example\",\"phone\":\"+4930111111\"}");
	happened(s, "\"anonymousId\":\"d-2\",\"traits\":{\"email\":\"bob@shop.example\"}");
	happened(s, "\"anonymousId\":\"d-3\",\"userId\":\"u-3\",\"traits\":{\"phone\":\"+4930333333\"}");
	happened(s, "\"userId\":\"u-5\",\"traits\":{\"email\":\"home@shop.example\"}");
	happened(s, "\"userId\":\"u-6\",\"traits\":{\"email\":\"home@shop.example\"}");
	happened(s, "\"anonymousId\":\"d-7\",\"traits\":{\"email\":\"home@shop.example\"}");
	happened(s, "\"userId\":\"u-9\",\"traits\":{\"email\":\"dan@shop.example\"}");
	agree(s, "\"userId\":\"u-1\"");
	agree(s, "\"anonymousId\":\"d-2\"");
	agree(s, "\"userId\":\"u-3\"");
	agree(s, "\"userId\":\"u-5\"");
	agree(s, "\"anonymousId\":\"d-7\"");
	agree(s, "\"userId\":\"u-9\"");
	fw_people_restrict(s->c.workers[0], &(struct fw_person_id){ FW_PERSON_USER, FW_STR("u-9") }, true, on_done, &restricted);
	joins_wait(&s->c, &restricted, 1);
	find(&s->c, "email:ann@shop.example"); /* so that the first worker knows the secret */
	sent_to(s, ANN, FW_PERSON_ANONYMOUS, "d-1", "ann@shop.example");
	sent_to(s, ANN_LATER, FW_PERSON_ANONYMOUS, "d-1", "ann@shop.example");
	sent_to(s, BOB, FW_PERSON_ANONYMOUS, "d-2", "bob@shop.example");
	sent_to(s, BOB_LATER, FW_PERSON_ANONYMOUS, "d-3", "bob@shop.example");
	sent_to(s, CARL, FW_PERSON_ANONYMOUS, "d-7", "home@shop.example");
	sent_to(s, DAN, FW_PERSON_USER, "u-9", "dan@shop.example");
}

/* The gateway says again what it said before the contrary was said: who stopped, and started; who started, and stopped; and nobody. */
static void repeat(struct story *s)
{
	text(s, "+4930333333", "stop", "g-1");
	text(s, "+4930333333", "start", "g-2");
	text(s, "+4930333333", "stop", "g-1");
	text(s, "+4930111111", "start", "g-3");
	text(s, "+4930111111", "stop", "g-4");
	text(s, "+4930111111", "start", "g-3");
	text(s, "+4930888888", "start", "g-5");
	text(s, "+4930888888", "stop", "g-6");
	text(s, "+4930888888", "start", "g-5");
}

static void go_on(struct story *s)
{
	struct request *login;
	hear(s, ANN, "unsubscribed");
	pass(s);
	happen(s, &login, "\"anonymousId\":\"d-2\",\"userId\":\"u-3\"");
	hear(s, BOB, "unsubscribed");
	pass(s);
	request_destroy(login);
	hear(s, ANN_LATER, "complained");
	pass(s);
	hear(s, BOB, "bounced");
	hear(s, BOB_LATER, "bounced");
	pass(s);
	hear(s, CARL, "unsubscribed");
	hear(s, DAN, "unsubscribed");
	pass(s);
	suppress(s, "sms", "+49 30 111111", "stop", false);
	suppress(s, "sms", "+4930333333", "stop", false);
	suppress(s, "sms", "+4930999999", "stop", false);
	suppress(s, "email", "nobody@shop.example", "manual", false);
	suppress(s, "letter", "1 Road", "manual", false);
	pass(s);
	suppress(s, "sms", "+4930111111", "start", true);
	suppress(s, "sms", "+4930999999", "start", true);
	suppress(s, "sms", "+4930777777", "start", true);
	pass(s);
	suppress(s, "email", "Ann@shop.example", "manual", true);
	pass(s);
	suppress(s, "sms", "+4930111111", "stop", false);
	pass(s);
	repeat(s);
}

static struct fw_json *parsed(struct story *s, struct fw_buf *b)
{
	struct fw_json *json;
	struct fw_str text;
	assert_int_equal(fw_buf_keep(b, &s->c.t.arena, &text), 0);
	assert_int_equal(fw_json_parse(&s->c.t.arena, text.p, text.n, &json, NULL), 0);
	return json;
}

static void add(struct fw_buf *out, const char *before, struct fw_str text)
{
	fw_buf_puts(out, before);
	fw_buf_add(out, text.p, text.n);
}

/* What holds, how it came about, and what became of messages. */
static void put_person(struct story *s, const char *id, struct fw_buf *out)
{
	struct found f = find(&s->c, id), user = find(&s->c, "u-3");
	struct fw_buf b;
	struct fw_json_out o;
	bool same = strcmp(id, "u-3") != 0 && strcmp(f.row, user.row) == 0;
	fw_buf_puts(out, id);
	fw_buf_puts(out, same ? " is u-3" : f.person.record.n ? ":" : " is nobody");
	if (f.person.record.n && !same) {
		fw_buf_init(&b, 0);
		fw_json_out_init(&o, &b);
		fw_json_open_object(&o);
		assert_int_equal(fw_profile_describe(&s->c.t.arena, f.person.record, clock_us, &o, NULL), 0);
		fw_json_key(&o, "timeline");
		assert_int_equal(fw_profile_timeline(&s->c.t.arena, f.person.record, &o, NULL), 0);
		fw_json_close_object(&o);
		struct fw_json *all = parsed(s, &b);
		for (const struct fw_json *c = fw_json_get(all, "consent")->child; c; c = c->next) {
			add(out, " ", c->key);
			add(out, " ", fw_json_text(c, "state"));
		}
		fw_buf_puts(out, ";");
		for (const struct fw_json *c = fw_json_get(all, "consentLog")->child; c; c = c->next) {
			add(out, " ", fw_json_text(c, "what"));
			add(out, " ", fw_json_text(c, "state"));
			add(out, " by ", fw_json_text(c, "source"));
		}
		fw_buf_puts(out, ";");
		for (const struct fw_json *e = fw_json_get(all, "timeline")->child; e; e = e->next)
			if (fw_json_text(e, "name").n)
				add(out, " ", fw_json_text(e, "name"));
	}
	fw_buf_puts(out, "\n");
}

static bool suppresses(struct story *s, const struct memory_row *row)
{
	struct fw_suppression said;
	assert_int_equal(fw_suppression_read(&s->c.t.arena, &(struct fw_row){ .key = row->key, .value = row->value }, &said), 0);
	return said.reason.n > 0;
}

static void put_state(struct story *s, char text[TEXT])
{
	static const char *const people[] = { "u-1", "u-3", "anonymous:d-2", "u-5", "anonymous:d-7", "u-9", "phone:+4930999999",
		"email:nobody@shop.example" };
	static const struct { const char *channel, *address; } asked[] = { { "email", "ann@shop.example" }, { "email", "bob@shop.example" },
		{ "email", "home@shop.example" }, { "email", "nobody@shop.example" }, { "sms", "+4930111111" }, { "sms", "+4930333333" },
		{ "sms", "+4930777777" }, { "sms", "+4930888888" }, { "sms", "+4930999999" }, { "letter", "1 Road" } };
	unsigned records = 0, listed = 0;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		put_person(s, people[i], &b);
	fw_buf_puts(&b, "nothing goes to");
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct fw_key key;
		bool there;
		fw_suppression_key(&s->c.workers[0]->secret, fw_str(asked[i].channel), fw_str(asked[i].address), &key);
		const struct memory_row *row = *memory_find(s->c.memory, key.bucket, fw_key_str(&key), &there);
		if (there && suppresses(s, row))
			add(&b, " ", fw_str(asked[i].address));
	}
	for (const struct memory_row *row = s->c.memory->rows; row; row = row->next) {
		records += row->key.p[0] == 'P' && row->key.p[FW_KEY_PERSON] == 'r' && !fw_row_is_moved(row->value);
		listed += row->key.p[0] == 'U' && suppresses(s, row);
	}
	char line[100];
	snprintf(line, sizeof line, "\n%u on the list, %u people\n", listed, records);
	fw_buf_puts(&b, line);
	assert_true(!b.failed && b.n < TEXT);
	memcpy(text, b.data, b.n);
	text[b.n] = '\0';
	fw_buf_finish(&b);
}

/* Tells the story; the number of commits that it took once everybody had met. `lose_at` counts from there. */
static unsigned run(const struct memory_options *options, bool twice, char text[TEXT])
{
	static struct story s;
	struct memory_options calm = *options;
	calm.lose_at = 0;
	memset(&s, 0, sizeof s);
	client_init(&s.c, &calm);
	meet(&s);
	s.twice = twice;
	unsigned before = s.c.memory->applied;
	s.c.memory->lose_at = options->lose_at ? before + options->lose_at : 0;
	go_on(&s);
	unsigned applied = s.c.memory->applied - before;
	s.c.memory->lose_at = 0;
	put_state(&s, text);
	client_finish(&s.c);
	for (unsigned i = 0; i < s.n_made; i++)
		fw_messages_destroy(s.made[i]);
	return applied;
}

/* Newest first. */
static const char expected[] =
	"u-1: email granted sms withdrawn; sms withdrawn by text sms granted by text sms withdrawn by test "
		"email granted by test sms granted by test sms withdrawn by test "
		"email withdrawn by email sms granted by api email granted by api; Email Marked as Spam Unsubscribed\n"
	"u-3: email withdrawn sms granted; sms granted by text sms withdrawn by test "
		"email withdrawn by email sms granted by api email granted by api "
		"sms granted by api email granted by api; Email Bounced Email Bounced Unsubscribed\n"
	"anonymous:d-2 is u-3\n"
	"u-5: email granted sms granted; sms granted by api email granted by api;\n"
	"anonymous:d-7: email withdrawn sms granted; email withdrawn by email sms granted by api email granted by api; Unsubscribed\n"
	"u-9: email withdrawn sms granted; email withdrawn by email sms granted by api email granted by api;\n"
	"phone:+4930999999 is nobody\n"
	"email:nobody@shop.example is nobody\n"
	"nothing goes to bob@shop.example nobody@shop.example +4930111111 +4930888888 1 Road\n"
	"5 on the list, 6 people\n";

static void assert_ends_so(const struct memory_options *o, bool twice)
{
	char text[TEXT];
	run(o, twice, text);
	if (strcmp(text, expected) != 0)
		fail_msg("seed %" PRIu64 ", up to %u turns late, %s, commit %u%s, then every %u:\n%s\nnot\n%s", o->seed, o->late_turns,
			twice ? "told twice" : "told once", o->lose_at, o->dies ? " and everybody dies" : " and its answer is lost",
			o->lose_every, text, expected);
}

static void test_story(void **state)
{
	char text[TEXT];
	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		run(&(struct memory_options){ .seed = 1 }, twice, text);
		assert_string_equal(text, expected);
	}
}

static void test_between_every_two_commits(void **state)
{
	char text[TEXT];
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 10 : 1;
	for (unsigned seed = 1; seed <= seeds; seed++)
		for (unsigned late = 0; late <= 8; late += 8)
			for (int twice = 0; twice < 2; twice++) {
				struct memory_options o = { .seed = seed, .late_turns = late };
				unsigned n = run(&o, twice, text);
				for (o.lose_at = 1; o.lose_at <= n; o.lose_at++)
					for (int dies = 0; dies < 2; dies++) {
						o.dies = dies;
						assert_ends_so(&o, twice);
					}
			}
}

static void assert_ends_by_seed(const struct memory_options *o)
{
	assert_ends_so(o, o->seed % 2);
}

/* Whoever dies again and again gets there nonetheless. (Not if every commit's answer is lost: what is said of an address has no id by which
 * it is known to have been said.) */
static void test_again_and_again(void **state)
{
	(void)state;
	memory_lose_again_and_again(assert_ends_by_seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),
		cmocka_unit_test(test_between_every_two_commits),
		cmocka_unit_test(test_again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Undoing a merge, where whoever does it dies between every two commits, and what is told, asked and seen of the two before every row
 * knows that they are two.
 *
 * Seen failing where the record does not forget the merge, where nobody waits for a row to let go of its record, and where nobody asks
 * what rows were not told yet (FW_BREAK_PARTED: the last five). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_states.h"
#include "people/erase.h"
#include "people/keep.h"
#include "people/undo.h"

/* Two people of several ids each, whom an address makes one at the end; ? is a letter: which of the two becomes part of the other follows
 * from their ids. */
static const char *const two[] = {
	"\"anonymousId\":\"?-1\"",
	"\"anonymousId\":\"?-1\"," CARD,
	"\"anonymousId\":\"?-2\"," CARD,
	"\"anonymousId\":\"?-2\"",
	"\"anonymousId\":\"?-3\"",
	"\"anonymousId\":\"?-3\",\"userId\":\"?-u\"",
	"\"anonymousId\":\"?-3\"," ANN,
	"\"anonymousId\":\"?-1\"," ANN,
};

enum { EVENTS = sizeof two / sizeof *two };

static const char *const of_two[] = { "anonymous:?-1", "anonymous:?-2", "anonymous:?-3", "?-u", "email:ann@shop.example",
	"phone:+4930123456", "external:loyalty:L-1" };

enum { OF_TWO = sizeof of_two / sizeof *of_two };

/* Each as one as the other is absorbed, in some of these (test_undone). */
static const char letters[] = "abcdef";

static const char *with(struct client *c, const char *text, char letter)
{
	char *copy = fw_arena_strndup(&c->t.arena, text, strlen(text));
	assert_non_null(copy);
	for (char *p = copy; *p; p++)
		*p = *p == '?' ? letter : *p;
	return copy;
}

/* One event of theirs, and what follows from it. */
static void tell_of_two(struct client *c, unsigned i, char letter)
{
	struct request *r = request_create(c, 1);
	unsigned before = c->answered;
	tell(r, i, with(c, two[i], letter));
	hand_in(r);
	wait_for(c, before + 1);
	settle_down(c);
	request_destroy(r);
}

static void put_two(struct client *c, char letter, char text[TEXT])
{
	const char *ids[OF_TWO];
	for (unsigned i = 0; i < OF_TWO; i++)
		ids[i] = with(c, of_two[i], letter);
	put_state(c, ids, OF_TWO, text);
}

static struct fw_record *record_of(struct client *c, const char *id)
{
	struct found f = find(c, id);
	struct fw_record *r;
	assert_int_equal(fw_record_read(&c->t.arena, f.person.record, &r, NULL), 0);
	return r;
}

/* How they became one, last. */
static struct fw_merge latest_merge(struct client *c, char letter)
{
	struct fw_record *r = record_of(c, with(c, "?-u", letter));
	struct fw_merge m = { .number = 0 };
	for (unsigned i = 0; fw_record_merge_at(r, i, &m); i++)
		continue;
	assert_true(m.number > 0);
	return m;
}

static int unmerge_once(struct client *c, const struct fw_person_id *id, uint64_t number)
{
	struct swept s = { 0 };
	fw_people_unmerge(c->workers[0], id, number, NOON, on_swept, &s);
	joins_wait(c, &s.came, 1);
	return s.rc;
}

/* By its number, and again until it is answered: it was done, or is done already. */
static void unmerge(struct client *c, const char *id, uint64_t number, bool again)
{
	struct fw_person_id who;
	assert_int_equal(fw_person_id_parse(&c->t.arena, fw_str(id), &who, NULL), 0);
	int rc = unmerge_once(c, &who, number);
	assert_true(rc != FW_ENOENT);
	while (again && rc < 0 && rc != FW_ENOENT)
		rc = unmerge_once(c, &who, number);
}

struct undoing {
	struct memory_options options; /* lose_at: of the commits of undoing */
	char letter;
	bool asks_again; /* else whoever comes by goes on with what was committed */
};

static void begin_two(struct client *c, const struct undoing *u)
{
	struct memory_options options = u->options;
	options.lose_at = 0;
	client_init(c, &options);
	for (unsigned i = 0; i < EVENTS; i++)
		tell_of_two(c, i, u->letter);
}

/* They become one and two again; then all is told once more. The number of commits that it took to undo it. */
static unsigned run_undone(const struct undoing *u, char text[TEXT])
{
	struct client c;
	char again[TEXT];
	begin_two(&c, u);
	uint64_t number = latest_merge(&c, u->letter).number;
	unsigned before = c.memory->applied;
	c.memory->lose_at = u->options.lose_at ? before + u->options.lose_at : 0;
	unmerge(&c, with(&c, u->options.seed % 2 ? "anonymous:?-2" : "?-u", u->letter), number, u->asks_again);
	settle_down(&c);
	unsigned applied = c.memory->applied - before;
	c.memory->lose_at = 0;
	for (const char *id = "13"; *id; id++) {
		const char device[] = { u->letter, '-', *id };
		const struct fw_person_id row = { FW_PERSON_ANONYMOUS, { device, sizeof device } };
		assert_int_equal(unmerge_once(&c, &row, number), FW_ENOENT);
	}
	put_two(&c, u->letter, text);
	for (unsigned i = 0; i < EVENTS; i++)
		tell_of_two(&c, i, u->letter);
	put_two(&c, u->letter, again);
	assert_string_equal(again, text);
	client_finish(&c);
	return applied;
}

static void assert_undone_alike(const struct undoing *u, const char *expected)
{
	char text[TEXT];
	run_undone(u, text);
	if (strcmp(text, expected) != 0)
		fail_msg("%c, %s%s:\n%s\nnot\n%s", u->letter, befell(&u->options), u->asks_again ? ", asked again" : "", text, expected);
}

/* Whether the one of ?-1 and ?-2 becomes part of the other. */
static bool first_is_absorbed(char letter)
{
	const struct undoing u = { .options = { .seed = 1 }, .letter = letter };
	struct client c;
	begin_two(&c, &u);
	struct fw_merge m = latest_merge(&c, letter);
	bool other = m.kind == FW_ID_USER || m.id.p[m.id.n - 1] == '3';
	client_finish(&c);
	return !other;
}

/* As it is where nobody dies. The address leads to the one that stayed, and says of neither who somebody is. */
static void expect_two(char letter, char text[TEXT])
{
	int stayed = first_is_absorbed(letter) ? 3 : 1;
	snprintf(text, TEXT,
		"anonymous:%c-1 is anonymous:%c-1, 5 views, 0:%c-1 0:%c-2 2:ann@shop.example* 3:+4930123456 4:loyalty:L-1\n"
		"anonymous:%c-2 is anonymous:%c-1\n"
		"anonymous:%c-3 is anonymous:%c-3, 3 views, 0:%c-3 1:%c-u 2:ann@shop.example*\n"
		"%c-u is anonymous:%c-3\n"
		"email:ann@shop.example is anonymous:%c-%d\n"
		"phone:+4930123456 is anonymous:%c-1\n"
		"external:loyalty:L-1 is anonymous:%c-1\n",
		letter, letter, letter, letter, letter, letter, letter, letter, letter, letter, letter, letter, letter, stayed, letter,
		letter);
}

static void test_undone(void **state)
{
	(void)state;
	unsigned absorbed[2] = { 0 };
	for (const char *l = letters; *l; l++) {
		struct undoing u = { .options = { .seed = 1 }, .letter = *l };
		char expected[TEXT], text[TEXT];
		absorbed[first_is_absorbed(*l)]++;
		expect_two(*l, expected);
		run_undone(&u, text);
		assert_string_equal(text, expected);
	}
	assert_true(absorbed[0] && absorbed[1]);
}

static void test_undone_between_every_two_commits(void **state)
{
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 10 : 2;
	for (const char *l = letters; *l; l++)
		for (unsigned seed = 1; seed <= seeds; seed++) {
			struct undoing u = { .options = { .seed = seed, .late_turns = seed * 3 % 8 }, .letter = *l, .asks_again = true };
			char expected[TEXT], text[TEXT];
			expect_two(*l, expected);
			unsigned n = run_undone(&u, text);
			assert_true(n > 5);
			for (u.options.lose_at = 1; u.options.lose_at <= n; u.options.lose_at++)
				for (int how = 0; how < 4; how++) {
					u.options.dies = how & 1;
					u.asks_again = how & 2;
					assert_undone_alike(&u, expected);
				}
		}
}

/* Who has both records as they are merged, before the one that moved is dropped where it was. */
static bool find_merged(struct client *c, struct fw_person_id *ret, uint64_t *ret_number)
{
	struct fw_key key, to;
	struct fw_moved m;
	struct fw_record *record;
	struct fw_merge merge;
	bool there;
	if (!find_unsettled(c, &key))
		return false;
	const struct fw_person_id moved = fw_key_id(&key);
	const struct memory_row *row = *memory_find(c->memory, key.bucket, fw_key_str(&key), &there);
	assert_int_equal(fw_moved_read(&c->t.arena, row->value, &m), 0);
	fw_key_person(&m.to, &to);
	row = *memory_find(c->memory, to.bucket, fw_key_str(&to), &there);
	if (!there || fw_row_is_moved(row->value))
		return false;
	assert_int_equal(fw_record_read(&c->t.arena, row->value, &record, NULL), 0);
	*ret = m.to;
	*ret_number = m.number;
	return fw_keep_find(record, &moved, m.number, &merge);
}

/* Undoing a merge by the id of whoever stayed was refused, as one that had had its time, until the row of the other had let go of its
 * record; that is a moment, or ten seconds where whoever merged them died. */
static void undone_before_it_settled(const struct undoing *u, bool dies)
{
	struct client c;
	struct fw_person_id id;
	uint64_t number;
	char expected[TEXT], text[TEXT];
	client_init(&c, &u->options);
	for (unsigned i = 0; i + 1 < EVENTS; i++)
		tell_of_two(&c, i, u->letter);
	struct request *r = request_create(&c, 1);
	tell(r, EVENTS - 1, with(&c, two[EVENTS - 1], u->letter));
	hand_in(r);
	while (!find_merged(&c, &id, &number))
		event_base_loop(c.t.base, EVLOOP_ONCE);
	if (dies)
		client_crash(&c);
	assert_int_equal(unmerge_once(&c, &id, number), 0);
	wait_for(&c, EVENTS);
	settle_down(&c);
	expect_two(u->letter, expected);
	put_two(&c, u->letter, text);
	assert_string_equal(text, expected);
	request_destroy(r);
	client_finish(&c);
}

static void test_undone_before_it_settled(void **state)
{
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 50 : 4;
	for (const char *l = letters; *l; l++)
		for (unsigned seed = 1; seed <= seeds; seed++)
			for (int dies = 0; dies < 2; dies++)
				undone_before_it_settled(&(struct undoing){ .options = { .seed = seed, .late_turns = 1 + seed % 5 },
					.letter = *l }, dies);
}

static void restrict_by(struct client *c, const char *id)
{
	struct swept s = { 0 };
	struct fw_person_id who;
	assert_int_equal(fw_person_id_parse(&c->t.arena, fw_str(id), &who, NULL), 0);
	fw_people_restrict(c->workers[0], &who, true, on_swept, &s);
	joins_wait(c, &s.came, 1);
	assert_int_equal(s.rc, 0);
}

/* They become one and two again; whoever undid it dies at the commit, so that no row has been told yet that they are two. */
static void begin_undone(struct client *c, char letter, unsigned seed)
{
	const struct undoing u = { .options = { .seed = seed, .late_turns = seed - 1, .dies = true }, .letter = letter };
	begin_two(c, &u);
	uint64_t number = latest_merge(c, letter).number;
	c->memory->lose_at = c->memory->applied + 1;
	unmerge(c, with(c, "?-u", letter), number, false);
}

static const char *const ids_of_two[] = { "anonymous:?-1", "anonymous:?-2", "external:loyalty:L-1", "anonymous:?-3", "?-u" };
enum { IDS = sizeof ids_of_two / sizeof *ids_of_two, OF_FIRST = 3 };

/* What was told of the absorbed then, or once more, was counted of the other, whose record knows nothing of what the first has seen; and
 * if it told an address of both they were one again. */
static void test_told_once_undone(void **state)
{
	(void)state;
	for (const char *l = letters; *l; l++)
		for (unsigned first = 0; first < EVENTS; first++) {
			struct client c;
			char expected[TEXT], text[TEXT];
			begin_undone(&c, *l, first + 1);
			for (unsigned i = 0; i < EVENTS; i++)
				tell_of_two(&c, (first + i) % EVENTS, *l);
			expect_two(*l, expected);
			put_two(&c, *l, text);
			if (strcmp(text, expected) != 0)
				fail_msg("%c, event %u first:\n%s\nnot\n%s", *l, first, text, expected);
			client_finish(&c);
		}
}

/* All in one request, where some are of the one and some of the other. */
static void test_all_told_once_undone(void **state)
{
	(void)state;
	for (const char *l = letters; *l; l++)
		for (unsigned seed = 1; seed <= 8; seed++) {
			struct client c;
			char expected[TEXT], text[TEXT];
			begin_undone(&c, *l, seed);
			struct request *r = request_create(&c, EVENTS);
			unsigned before = c.answered;
			for (unsigned i = 0; i < EVENTS; i++)
				tell(r, i, with(&c, two[i], *l));
			hand_in(r);
			wait_for(&c, before + 1);
			settle_down(&c);
			expect_two(*l, expected);
			put_two(&c, *l, text);
			assert_string_equal(text, expected);
			request_destroy(r);
			client_finish(&c);
		}
}

/* Somebody new who turns out to be one of the two, by a number or by the login; and who logs in on a device that is known. */
static void test_joined_once_undone(void **state)
{
	static const struct {
		const char *events[2];
		bool of_first;
	} told[] = {
		{ { "\"anonymousId\":\"?-9\"," CARD }, true },
		{ { "\"anonymousId\":\"?-9\",\"userId\":\"?-u\"" }, false },
		{ { "\"anonymousId\":\"?-9\"", "\"anonymousId\":\"?-9\",\"userId\":\"?-u\"" }, false },
	};
	(void)state;
	for (const char *l = letters; *l; l++)
		for (unsigned i = 0; i < sizeof told / sizeof *told; i++) {
			struct client c;
			begin_undone(&c, *l, i + 1);
			unsigned n = 0;
			for (; n < 2 && told[i].events[n]; n++) {
				struct request *r = request_create(&c, 1);
				unsigned before = c.answered;
				tell(r, EVENTS + n, with(&c, told[i].events[n], *l));
				hand_in(r);
				wait_for(&c, before + 1);
				request_destroy(r);
			}
			settle_down(&c);
			struct found first = find(&c, with(&c, "anonymous:?-1", *l)), third = find(&c, with(&c, "anonymous:?-3", *l)),
				new = find(&c, with(&c, "anonymous:?-9", *l));
			if (views(&c, &first) != (told[i].of_first ? 5 + n : 5) || views(&c, &third) != (told[i].of_first ? 3 : 3 + n))
				fail_msg("%c, %u: %g and %g views", *l, i, views(&c, &first), views(&c, &third));
			assert_string_equal(new.row, told[i].of_first ? first.row : third.row);
			client_finish(&c);
		}
}

/* Who asked by an id of the absorbed was shown the other. */
static void test_who_is_seen_once_undone(void **state)
{
	(void)state;
	for (const char *l = letters; *l; l++)
		for (unsigned i = 0; i < IDS; i++) {
			struct client c;
			begin_undone(&c, *l, i + 1);
			struct found f = find(&c, with(&c, ids_of_two[i], *l));
			assert_int_equal(views(&c, &f), i < OF_FIRST ? 5 : 3);
			client_finish(&c);
		}
}

/* What was asked of the absorbed, by an id of its own, was done to the other, as long as the rows of the ids were not told that they are
 * two: to erase the one erased the other. */
static void test_who_is_meant_once_undone(void **state)
{
	(void)state;
	for (const char *l = letters; *l; l++)
		for (unsigned i = 0; i < IDS; i++) {
			struct client c;
			begin_undone(&c, *l, i + 1);
			restrict_by(&c, with(&c, ids_of_two[i], *l));
			settle_down(&c);
			assert_int_equal(fw_record_is_restricted(record_of(&c, with(&c, "anonymous:?-1", *l))), i < OF_FIRST);
			assert_int_equal(fw_record_is_restricted(record_of(&c, with(&c, "anonymous:?-3", *l))), i >= OF_FIRST);
			client_finish(&c);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_undone_between_every_two_commits),
		cmocka_unit_test(test_undone_before_it_settled),
		cmocka_unit_test(test_told_once_undone),
		cmocka_unit_test(test_all_told_once_undone),
		cmocka_unit_test(test_joined_once_undone),
		cmocka_unit_test(test_who_is_seen_once_undone),
		cmocka_unit_test(test_who_is_meant_once_undone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

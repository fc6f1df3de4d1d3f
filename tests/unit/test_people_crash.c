/* Everybody dies between every two steps of logins, merges, switches and refusals, and begins anew on what was committed: the end is the
 * same. Requests that were not answered are handed in again, as clients do. Undoing a merge: test_people_undo.c.
 *
 * Seen failing with FW_BREAK_DEDUPE (a message counts twice at the first lost answer) and FW_BREAK_OUTBOX (where every answer is lost, no
 * entry is ever done; once more than once is harmless by itself, for what an entry does it does once). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib_states.h"

/* What happens, one after the other: each is a request of its own. */
static const char *const story[] = {
	"\"anonymousId\":\"d-1\"",
	"\"anonymousId\":\"d-1\",\"userId\":\"u-1\"",       /* logs in */
	"\"anonymousId\":\"d-2\"",
	"\"anonymousId\":\"d-2\",\"userId\":\"u-1\"",       /* and on a second device: two records become one */
	"\"anonymousId\":\"d-3\"," ANN,
	"\"anonymousId\":\"d-4\"",
	"\"anonymousId\":\"d-4\"," ANN,                     /* two devices of one address */
	"\"userId\":\"u-1\"," ANN,                          /* which is the user's: three become one */
	"\"userId\":\"u-1\"," CARD,
	"\"anonymousId\":\"d-5\"," CARD,                    /* somebody new who is known */
	"\"anonymousId\":\"d-1\",\"userId\":\"u-2\"",       /* another user of the first device: a switch */
	"\"anonymousId\":\"d-1\"",                          /* neither */
	"\"anonymousId\":\"d-6\"",
	"\"anonymousId\":\"d-6\",\"userId\":\"u-2\"",
	"\"userId\":\"u-2\"," ANN,                          /* a household: no merge */
	"\"anonymousId\":\"d-2\"",
};

enum { STEPS = sizeof story / sizeof *story };

static const char *const asked[] = { "u-1", "u-2", "anonymous:d-1", "anonymous:d-2", "anonymous:d-3", "anonymous:d-4", "anonymous:d-5",
	"anonymous:d-6", "email:ann@shop.example", "phone:+4930123456", "external:loyalty:L-1" };

enum { ASKED = sizeof asked / sizeof *asked };

/* Tells the story; the number of commits that it took. */
static unsigned run(const struct memory_options *options, char text[TEXT])
{
	struct client c;
	client_init(&c, options);
	for (unsigned i = 0; i < STEPS; i++) {
		struct request *r = request_create(&c, 1);
		tell(r, i, story[i]);
		hand_in(r);
		wait_for(&c, i + 1);
		settle_down(&c);
		request_destroy(r);
	}
	unsigned applied = c.memory->applied;
	c.memory->lose_at = 0;
	put_state(&c, asked, ASKED, text);
	client_finish(&c);
	return applied;
}

static void assert_ends_alike(const struct memory_options *options, const char *expected)
{
	char text[TEXT];
	run(options, text);
	if (strcmp(text, expected) != 0)
		fail_msg("%s:\n%s\nnot\n%s", befell(options), text, expected);
}

/* What the story comes to, as rules and merchandisers would put it. */
static void test_story(void **state)
{
	char text[TEXT];
	(void)state;
	run(&(struct memory_options){ .seed = 1 }, text);
	assert_string_equal(text,
		"u-1 is u-1, 11 views, 0:d-1* 0:d-2 0:d-3 0:d-4 0:d-5 1:u-1 2:ann@shop.example* 3:+4930123456 4:loyalty:L-1\n"
		"u-2 is u-2, 4 views, 0:d-6 1:u-2 2:ann@shop.example*\n"
		"anonymous:d-1 is anonymous:d-1, 1 views, 0:d-1\n"
		"anonymous:d-2 is u-1\n"
		"anonymous:d-3 is u-1\n"
		"anonymous:d-4 is u-1\n"
		"anonymous:d-5 is u-1\n"
		"anonymous:d-6 is u-2\n"
		"email:ann@shop.example is u-1\n"
		"phone:+4930123456 is u-1\n"
		"external:loyalty:L-1 is u-1\n");
}

static void test_between_every_two_commits(void **state)
{
	char expected[TEXT];
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 10 : 1;
	for (unsigned seed = 1; seed <= seeds; seed++)
		for (unsigned late = 0; late <= 8; late += 4) {
			struct memory_options o = { .seed = seed, .late_turns = late };
			unsigned n = run(&o, expected);
			for (o.lose_at = 1; o.lose_at <= n; o.lose_at++)
				for (int dies = 0; dies < 2; dies++) {
					o.dies = dies;
					assert_ends_alike(&o, expected);
				}
		}
}

/* Whoever dies again and again gets there nonetheless. */
static void test_again_and_again(void **state)
{
	char expected[TEXT];
	(void)state;
	unsigned seeds = getenv("FW_LONG") ? 200 : 5;
	run(&(struct memory_options){ .seed = 1 }, expected);
	for (unsigned seed = 1; seed <= seeds; seed++)
		for (unsigned every = 1; every <= 7; every++)
			for (int dies = 0; dies < 2; dies++)
				assert_ends_alike(&(struct memory_options){ .seed = seed, .late_turns = seed % 3 * 4, .lose_at = every,
					.lose_every = every, .dies = dies }, expected);
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

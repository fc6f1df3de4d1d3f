/* Decisions of messages in the log: what is written of them is read again as it was; made again without the catalogue and the configuration
 * of then they come out as they did, of each kind; and by other rules it is said what would have become of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "fact/products_then.h"
#include "lib_names.h"
#include "lib_products.h"
#include "lib_rules.h"
#include "message/compose.h"
#include "trace/rejudge.h"
#include "trace/trace.h"

#define DECISION "01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f"
#define NOW_US INT64_C(1795435200000000)

static const char feed[] = "{\"id\":\"B-7\",\"availability\":\"out_of_stock\"}\n{\"id\":\"L-1\",\"availability\":\"in_stock\"}\n";

/* Each comes to another end. */
static const char *const names[] = { "goes", "by-place", "later", "unmet", "sold-out", "off", "fails", "gone" };
enum { MESSAGES = sizeof names / sizeof *names };
static const enum fw_reason expected[MESSAGES] = { FW_REASON_WON, FW_REASON_WON, FW_REASON_DEFERRED, FW_REASON_NOT_MATCHED,
	FW_REASON_OUT_OF_STOCK, FW_REASON_DISABLED, FW_REASON_FAILED, FW_REASON_DISABLED };
#define RULE(name, more) "rule '" name "' { channel = 'log', on = 'X', class = 'service', " more " }\n"
static const char then_text[] = RULE("goes", "priority = 9, send = { text = 'For {{event.name}}' }")
	RULE("by-place", "send = { product = 'L-1' }") RULE("later", "send = {}")
	RULE("unmet", "when = { event = { name = 'Bob' } }, send = {}") RULE("sold-out", "send = { product = 'B-7' }")
	RULE("off", "enabled = false, send = {}") RULE("fails", "send = function(v) error('no') end")
	"guard 'agreed' { applies = { rule = 'by-place' }, require = { consent = 'personalization' }, because = 'they must agree' }\n"
	"guard 'morning' { applies = { rule = 'later' }, require = { hour = 9 }, or_else = 'defer', because = 'they sleep' }\n";
static const char other_text[] = RULE("goes", "priority = 9, send = { text = 'To {{event.name}}' }") RULE("later", "send = {}")
	RULE("unmet", "send = {}") RULE("sold-out", "send = {}") RULE("off", "enabled = false, send = {}")
	RULE("fails", "send = function(v) error('no') end") RULE("gone", "priority = 1, enabled = false, send = {}");

struct shop {
	struct rules r;
	struct fw_templates *templates;
	struct fw_rejudge_rules rules;
};

static void open_shop(struct shop *x, const char *text)
{
	rules_open(&x->r, text, NULL);
	assert_int_equal(fw_templates_open(x->r.set, &x->r.errors, &x->templates), 0);
	x->rules = (struct fw_rejudge_rules){ &x->r.decider, x->templates, x->r.zones };
}

static struct fw_record *somebody(struct fw_arena *a)
{
	struct fw_record *r = fw_record_new(a, FW_STR("visitor-0000000001"));
	for (unsigned i = 0; i < MESSAGES; i++) {
		const struct fw_due d = { .number = 100 + i, .rule = fw_str(names[i]), .channel = FW_STR("log"),
			.triggered_us = NOW_US - 1000000, .due_us = NOW_US - 1000, .expires_us = NOW_US + INT64_C(86400000000),
			.facts = FW_STR("{\"country\":\"CA\",\"timezone\":\"UTC\",\"event\":{\"name\":\"Ada\"}}") };
		assert_int_equal(fw_record_put_due(r, &d), 0);
	}
	return r;
}

/* As message/ and server/ do it. */
static struct fw_str judge_and_write(struct shop *x, const struct fw_products *products, struct fw_arena *a, struct fw_str record)
{
	static const struct fw_consent_purpose granted[] = { { FW_STR_ENTRY("personalization"), true } };
	static const struct fw_consent_defaults places[] = { { FW_STR_ENTRY("CA"), granted, 1 } };
	static const struct fw_consent_config consent = { .defaults = places, .n = 1 };
	const struct fw_due_config config = { .zones = x->r.zones, .consent = &consent, .delivery_ms = 1000, .again_ms = 1000 };
	struct fw_products_then *then = fw_products_then_new(a);
	const struct fw_due_log log = { .id = FW_STR(DECISION), .then = then };
	struct fw_logged_message messages[MESSAGES];
	struct fw_logged l = { .is_messages = true, .reading = { .read = FW_PROFILE_READ }, .messages = messages, .n_messages = MESSAGES,
		.then = then };
	const struct fw_to_compose what = { .set = x->r.set, .templates = x->templates, .id = "m1" };
	struct fw_due_judging *j;
	struct fw_due_item *items, *goes;
	struct fw_record *r;
	struct fw_buf b;
	struct fw_str ret;
	uint32_t n;
	x->r.set->products = products;
	assert_int_equal(fw_record_read(a, record, &r, NULL), 0);
	assert_int_equal(fw_due_list(x->r.set, r, NOW_US, a, &items, &n), 0);
	assert_int_equal(n, MESSAGES);
	for (uint32_t i = 0; i < n; i++)
		items[i].address = FW_STR("visitor-0000000001");
	assert_int_equal(fw_due_judge_begin(&x->r.decider, &config, r, items, n, NOW_US, &log, a, &j), 0);
	while (fw_due_judge_next(j, &goes) == 0 && goes)
		assert_int_equal(fw_compose_due(j, goes, what, a), 0);
	for (uint32_t i = 0; i < n; i++) {
		struct fw_facts told;
		messages[i] = (struct fw_logged_message){ .number = items[i].due.number, .rule = items[i].rule, .reason = items[i].reason,
			.until_us = items[i].reason == FW_REASON_DEFERRED ? items[i].until_us : 0, .by = items[i].by };
		assert_int_equal(fw_due_facts_told(x->r.set, &config, items[i].due.facts, a, &told), 0);
		fw_buf_init(&b, 0);
		fw_facts_pack(&told, &b);
		assert_int_equal(fw_buf_keep(&b, a, &messages[i].told), 0);
		assert_int_equal(items[i].reason, expected[items[i].due.number - 100]);
	}
	/* What became of each names the decision, and so does what goes on. */
	struct fw_due_outcome o;
	struct fw_due d;
	for (unsigned i = 0; fw_record_outcome(r, i, &o); i++)
		assert_true(fw_str_is(o.decision, DECISION));
	assert_true(fw_record_find_due(r, 100, &d) && d.state == FW_DUE_SENDING && fw_str_is(d.decision, DECISION));
	assert_true(fw_record_find_due(r, 102, &d) && d.state == FW_DUE_WAITS && fw_str_is(d.decision, DECISION));
	fw_buf_init(&b, 0);
	fw_logged_write(&l, &b);
	assert_int_equal(fw_buf_keep(&b, a, &ret), 0);
	x->r.set->products = NULL;
	return ret;
}

static void assert_cut_short_is_refused(struct fw_str bytes, struct fw_arena *a)
{
	struct fw_logged l;
	for (size_t n = 0; n < bytes.n; n++) {
		char *part = malloc(n ? n : 1); /* of exactly so many bytes, so that a sanitizer sees the first one read beyond */
		memcpy(part, bytes.p, n);
		assert_int_equal(fw_logged_read(a, (struct fw_str){ part, n }, &l), FW_EINVAL);
		free(part);
	}
}

static void assert_explained(struct shop *x, const struct fw_rejudged *again, struct fw_arena *a)
{
	static const char *const said[] = { "\"messages\":{\"log\":{\"reason\":\"rule\",\"winners\":[\"goes\",\"by-place\"]",
		("{\"rule\":\"later\",\"priority\":0,\"specificity\":0,\"reason\":\"deferred\","
		"\"guard\":\"morning\",\"because\":\"they sleep\",\"until\":\""),
		"\"reason\":\"not_matched\",\"fact\":\"event.name\",\"value\":\"\\\"Ada\\\"\",\"wanted\":\"\\\"Bob\\\"\"",
		"\"reason\":\"out_of_stock\",\"product\":\"B-7\"",
		"{\"rule\":\"gone\",\"reason\":\"disabled\",\"error\":\"the rule set has this rule no more\"}",
		"\"reason\":\"failed\",\"error\":\"" };
	struct fw_explanation e;
	struct fw_json_out o;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	assert_int_equal(fw_rejudged_explain(&x->r.decider, again, a, &e), 0);
	fw_trace_explanation(&o, x->r.set, &again->items[0].facts, &e);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (!strstr(fw_buf_text(&b), said[i]))
			fail_msg("no %s in %s", said[i], fw_buf_text(&b));
	fw_buf_clear(&b);
	fw_trace_table(&b, x->r.set, &again->items[0].facts, &e);
	assert_non_null(strstr(fw_buf_text(&b), "gone"));
	fw_buf_finish(&b);
}

/* What was judged and logged by the rules of then, and other rules. */
struct scene {
	struct fw_arena arena;
	struct shop then, other;
	struct fw_str record, bytes;
	struct fw_logged logged;
	struct fw_facts_names names;
};

static void open_scene(struct scene *x, const char *other)
{
	struct products stock;
	fw_arena_init(&x->arena, NULL, 0, 0);
	products_open(&stock, feed);
	open_shop(&x->then, then_text);
	open_shop(&x->other, other);
	assert_int_equal(fw_record_bytes(somebody(&x->arena), &x->arena, &x->record), 0);
	x->bytes = judge_and_write(&x->then, &stock.products, &x->arena, x->record);
	products_finish(&stock);
	assert_int_equal(fw_logged_read(&x->arena, x->bytes, &x->logged), 0);
	x->names = current_names(&x->arena);
}

static void close_scene(struct scene *x)
{
	rules_finish(&x->then.r);
	rules_finish(&x->other.r);
	fw_arena_finish(&x->arena);
}

static int rejudge(struct scene *x, struct fw_rejudged *ret)
{
	return fw_rejudge(&x->logged, &x->names, x->record, NOW_US, x->then.r.set, &x->then.rules, &x->arena, ret);
}

static int replay(struct scene *x, const struct shop *by, struct fw_replayed_messages *ret)
{
	return fw_replay_messages(&x->logged, &x->names, x->record, NOW_US, &x->then.rules, &by->rules, &x->arena, ret);
}

static void test_again(void **state)
{
	static const enum fw_rejudged_change changes[MESSAGES] = { FW_REJUDGED_CHANGED, FW_REJUDGED_DROPPED, FW_REJUDGED_CHANGED,
		FW_REJUDGED_ADDED, FW_REJUDGED_ADDED, FW_REJUDGED_SAME, FW_REJUDGED_SAME, FW_REJUDGED_SAME };
	struct scene x;
	struct fw_rejudged again;
	struct fw_replayed_messages replayed;
	(void)state;
	open_scene(&x, other_text);
	assert_cut_short_is_refused(x.bytes, &x.arena);
	struct fw_logged *l = &x.logged;
	assert_true(l->is_messages && l->n_messages == MESSAGES && l->n_slots == 0);

	assert_int_equal(rejudge(&x, &again), 0);
	assert_true(fw_rejudged_is(l, &again));
	assert_explained(&x.then, &again, &x.arena);
	/* One that comes out differently is seen. */
	l->messages[0].reason = FW_REASON_VETOED;
	assert_false(fw_rejudged_is(l, &again));
	assert_int_equal(replay(&x, &x.other, &replayed), FW_ECONFLICT);
	l->messages[0].reason = FW_REASON_WON;

	assert_int_equal(replay(&x, &x.other, &replayed), 0);
	assert_true(replayed.changed && replayed.n == MESSAGES);
	for (uint32_t i = 0; i < replayed.n; i++)
		if (replayed.items[i].change != changes[replayed.items[i].before->due.number - 100])
			fail_msg("%s: %d", replayed.items[i].before->due.rule.p, replayed.items[i].change);
	assert_int_equal(replay(&x, &x.then, &replayed), 0);
	assert_false(replayed.changed);
	close_scene(&x);
}

/* Of many decisions made one after the other each is set aside only what was: a rule that fails in all of them fails in the next, too. */
static void test_nothing_stays_aside(void **state)
{
	struct scene x;
	struct fw_rejudged again;
	(void)state;
	open_scene(&x, other_text);
	struct fw_set_aside *s = x.then.r.decider.set_aside;
	uint32_t rule = fw_ruleset_rule(x.then.r.set, FW_STR("fails"));
	assert_true(s && x.logged.n_set_aside == 0);
	for (uint64_t visitor = 1; visitor <= FW_LIMIT_SET_ASIDE_VISITORS; visitor++)
		fw_set_aside_note(s, rule, visitor, fw_now_us());
	assert_true(fw_set_aside_is(s, rule, fw_now_us()));
	assert_int_equal(rejudge(&x, &again), 0);
	assert_false(fw_set_aside_any(s, fw_now_us()));
	x.logged.set_aside = &rule;
	x.logged.n_set_aside = 1;
	assert_int_equal(rejudge(&x, &again), 0);
	assert_int_equal(fw_rejudged_find(&again, 106)->reason, FW_REASON_SET_ASIDE);
	assert_false(fw_set_aside_any(s, fw_now_us()));
	close_scene(&x);
}

/* Rules that ask of products what was not asked then: nothing is said of them. */
static void test_products_not_asked(void **state)
{
	struct scene x;
	struct fw_replayed_messages replayed;
	(void)state;
	open_scene(&x, RULE("goes", "send = { product = 'X-9' }"));
	assert_int_equal(replay(&x, &x.other, &replayed), FW_ENOENT);
	assert_int_equal(replay(&x, &x.then, &replayed), 0);
	close_scene(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_again), cmocka_unit_test(test_nothing_stays_aside),
		cmocka_unit_test(test_products_not_asked) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "check/own.h"

const char *fw_finding_name(enum fw_finding_code code)
{
	static const char *const names[FW_FINDINGS] = { "contradiction", "never_wins", "always_vetoed", "tie", "over", "never_comes",
		"nobody",
		"guard_idle", "guard_closed", "empty_slot", "unused_slot", "unused_segment", "unused_guard", "unused_tag", "no_such_tag",
		"one_is_enough", "no_such_value" };
	return names[code];
}

const char *fw_verdict_name(enum fw_verdict_of verdict)
{
	static const char *const names[] = { "certain", "possible", "not_determined" };
	return names[verdict];
}

struct fw_finding *fw_check_add(struct fw_checker *c, enum fw_finding_code code, const char *kind, const char *id, struct fw_place place)
{
	struct fw_findings *f = c->found;
	if (f->n == f->size) {
		uint32_t size = f->size ? f->size * 2 : 16;
		struct fw_finding *more = FW_NEW_ARRAY(c->arena, size, struct fw_finding);
		if (!more) {
			c->maker.no_memory = true;
			return NULL;
		}
		if (f->n)
			memcpy(more, f->items, f->n * sizeof *more);
		f->items = more;
		f->size = size;
	}
	f->items[f->n] = (struct fw_finding){ .code = code, .kind = kind, .id = id, .place = place, .message = "", .hint = "" };
	return &f->items[f->n++];
}

const char *fw_check_text(struct fw_checker *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *text = fw_arena_vprintf(c->arena, fmt, args);
	va_end(args);
	c->maker.no_memory |= !text;
	return text ? text : "";
}

void fw_check_undetermined(struct fw_checker *c, enum fw_finding_code code, const struct fw_rule *r, const char *what)
{
	struct fw_finding *f = fw_check_add(c, code, "rule", r->id, r->place);
	if (!f)
		return;
	f->verdict = FW_NOT_DETERMINED;
	f->message = fw_check_text(c, "rule \"%s\": %s was not determined, there are too many cases", r->id, what);
	f->hint = "fewer alternatives in its condition and in those of stronger rules make it possible";
}

void fw_check_with(struct fw_checker *c, struct fw_finding *f, const uint32_t *rules, uint32_t n)
{
	f->with = FW_NEW_ARRAY(c->arena, n, const char *);
	for (uint32_t i = 0; f->with && i < n; i++)
		f->with[f->n_with++] = c->set->rules[rules[i]].id;
	c->maker.no_memory |= !f->with;
}

const char *fw_check_names(struct fw_checker *c, const uint32_t *rules, uint32_t n)
{
	struct fw_buf text;
	uint32_t shown = n > FW_LIMIT_CHECK_NAMED + 1 ? FW_LIMIT_CHECK_NAMED : n;
	fw_buf_init(&text, 0);
	for (uint32_t i = 0; i < shown; i++)
		fw_buf_printf(&text, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " and " : ", ", c->set->rules[rules[i]].id);
	if (shown < n)
		fw_buf_printf(&text, " and %u others", n - shown);
	const char *kept = fw_arena_strdup(c->arena, fw_buf_text(&text));
	fw_buf_finish(&text);
	c->maker.no_memory |= !kept;
	return kept ? kept : "";
}

bool fw_check_has(const uint32_t *list, uint32_t n, uint32_t x)
{
	uint32_t low = 0, high = n;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (list[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && list[low] == x;
}

/* The literals of a condition that ask for a dimension's fact, each as it is written. */
static void put_literals(const struct fw_checker *c, uint32_t number, uint32_t ref, bool negated, uint32_t *n, struct fw_buf *out)
{
	const struct fw_ruleset *s = c->set;
	if (number == FW_NONE)
		return;
	const struct fw_node *node = &s->nodes[number];
	if (node->kind == FW_NODE_FUNCTION)
		return;
	if (node->kind != FW_NODE_LITERAL) {
		for (uint32_t i = 0; i < node->n; i++)
			put_literals(c, s->children[node->first + i], ref, negated != (node->kind == FW_NODE_NOT), n, out);
		return;
	}
	const struct fw_literal *l = &s->literals[node->first];
	if (s->refs[l->ref].fact == FW_FACT_SEGMENT) {
		put_literals(c, s->segments[s->refs[l->ref].segment].when, ref, negated, n, out);
	} else if (l->ref == ref && ++*n <= 4) {
		fw_buf_puts(out, *n > 1 ? " and " : "");
		fw_buf_puts(out, negated ? "not " : "");
		fw_literal_text(s, l, out);
	}
}

const char *fw_check_conflict(struct fw_checker *c, uint32_t node, uint32_t dim)
{
	struct fw_buf text;
	uint32_t n = 0;
	if (dim == FW_NONE)
		return "its parts exclude one another";
	const struct fw_dim *x = &c->domain.dims[dim];
	if (x->kind == FW_DIM_FUNCTION)
		return "a function would have to say yes and no";
	if (x->kind == FW_DIM_CLOCK)
		return "its dates exclude one another";
	uint32_t ref = x->kind == FW_DIM_OPAQUE ? c->set->literals[x->subject].ref : x->subject;
	fw_buf_init(&text, 0);
	fw_buf_puts(&text, "no value of ");
	fw_ref_text(c->set, &c->set->refs[ref], &text);
	fw_buf_puts(&text, " is ");
	put_literals(c, node, ref, false, &n, &text);
	if (n == 0)
		fw_buf_puts(&text, "what it asks");
	if (n > 4)
		fw_buf_puts(&text, " …");
	else if (n > 1)
		fw_buf_puts(&text, " at once");
	else if (x->n_most)
		fw_buf_puts(&text, " while so little is counted in all, or in a longer time");
	const char *kept = fw_arena_strdup(c->arena, fw_buf_text(&text));
	fw_buf_finish(&text);
	c->maker.no_memory |= !kept;
	return kept ? kept : "";
}

static int compare_findings(const void *x, const void *y)
{
	const struct fw_finding *a = x, *b = y;
	int d = strcmp(a->place.file, b->place.file);
	if (d == 0)
		d = (a->place.line > b->place.line) - (a->place.line < b->place.line);
	if (d == 0)
		d = (int)a->code - (int)b->code;
	if (d == 0)
		d = strcmp(a->id, b->id);
	return d ? d : strcmp(a->message, b->message);
}

static void count(struct fw_findings *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		f->certain += f->items[i].verdict == FW_CERTAIN;
		f->possible += f->items[i].verdict == FW_POSSIBLE;
		f->not_determined += f->items[i].verdict == FW_NOT_DETERMINED;
	}
}

static int run(struct fw_checker *c)
{
	int ret = fw_domain_init(&c->domain, c->set, c->now_us, c->arena);
	if (ret == 0)
		ret = fw_check_prepare(c);
	if (ret == 0)
		ret = fw_check_rules(c);
	if (ret == 0)
		ret = fw_check_ties(c);
	if (ret == 0)
		ret = fw_check_messages(c);
	if (ret == 0)
		ret = fw_check_slots(c);
	if (ret == 0)
		ret = fw_check_guards(c);
	if (ret == 0)
		ret = fw_check_unused(c);
	if (ret == 0)
		ret = fw_check_values(c);
	return c->maker.no_memory || c->searcher.no_memory || c->domain.no_memory ? FW_ENOMEM : ret;
}

int fw_check(struct fw_decider *decider, struct fw_zone_set *zones, int64_t now_us, struct fw_arena *arena, struct fw_findings *ret)
{
	struct fw_checker c = { .set = decider->set, .decider = decider, .zones = zones, .now_us = now_us, .arena = arena,
		.budget = FW_LIMIT_CHECK_ALL_STEPS, .found = ret };
	double holdout = decider->holdout;
	*ret = (struct fw_findings){ .items = NULL };
	fw_arena_init(&c.scratch, NULL, 0, 0);
	c.maker = (struct fw_maker){ .domain = &c.domain, .arena = arena };
	c.searcher = (struct fw_maker){ .domain = &c.domain, .arena = &c.scratch };
	decider->holdout = 0;
	int rc = run(&c);
	decider->holdout = holdout;
	fw_triggers_destroy(c.triggers);
	fw_arena_finish(&c.scratch);
	if (rc == 0 && ret->n)
		qsort(ret->items, ret->n, sizeof *ret->items, compare_findings);
	if (rc == 0)
		count(ret);
	return rc;
}

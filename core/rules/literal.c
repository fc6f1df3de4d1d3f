#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "fact/given.h"
#include "rules/ruleset.h"

struct fw_value fw_ref_value(const struct fw_ref *ref, const struct fw_facts *facts)
{
	if (ref->fact < FW_FACT_SINGLE)
		return *fw_facts_single(facts, ref->fact);
	if (ref->fact <= FW_FACT_ENGAGEMENT)
		return *fw_facts_member(facts, ref->fact, ref->member);
	return fw_facts_ask(facts, &ref->query);
}

/* A number from a value as it was told: text that is a JSON number is that number. */
static bool as_number(const struct fw_value *v, double *ret)
{
	if (v->kind == FW_KIND_NUMBER) {
		*ret = v->number;
		return true;
	}
	return v->kind == FW_KIND_TEXT && fw_number_parse(v->text, ret);
}

/* Text from a value: a number is its shortest decimal form. buf holds 32. */
static bool as_text(const struct fw_value *v, char *buf, struct fw_str *ret)
{
	if (v->kind == FW_KIND_NUMBER) {
		*ret = (struct fw_str){ buf, fw_number_text(v->number, buf) };
		return true;
	}
	*ret = v->folded;
	return v->kind == FW_KIND_TEXT;
}

static enum fw_truth truth(bool b)
{
	return b ? FW_TRUE : FW_FALSE;
}

static bool in_range(const struct fw_literal *l, double x)
{
	bool above = l->low_open ? x > l->low : x >= l->low;
	bool below = l->high_open ? x < l->high : x <= l->high;
	return l->wraps ? above || below : above && below;
}

static bool is_language_of(struct fw_str wanted, struct fw_str actual)
{
	return actual.n >= wanted.n && memcmp(actual.p, wanted.p, wanted.n) == 0 && (actual.n == wanted.n || actual.p[wanted.n] == '-');
}

static bool text_matches(const struct fw_literal *l, uint32_t i, struct fw_str s)
{
	struct fw_str w = l->texts[i];
	switch (l->op) {
	case FW_OP_STARTS: return s.n >= w.n && memcmp(s.p, w.p, w.n) == 0;
	case FW_OP_ENDS: return s.n >= w.n && memcmp(s.p + s.n - w.n, w.p, w.n) == 0;
	case FW_OP_CONTAINS: return w.n == 0 || memmem(s.p, s.n, w.p, w.n) != NULL;
	default: return l->as == FW_AS_LANGUAGE ? is_language_of(w, s) : fw_str_equal(w, s);
	}
}

/* Whether one plain value is the literal's i-th; unknown when it cannot be read as the literal's type. */
static enum fw_truth is_value(const struct fw_literal *l, uint32_t i, const struct fw_value *v)
{
	char buf[32];
	struct fw_str s;
	double x;
	if (l->as == FW_AS_BOOL)
		return v->kind == FW_KIND_BOOL ? truth(v->boolean == (l->numbers[i] != 0)) : FW_UNKNOWN;
	if (l->as == FW_AS_NUMBER)
		return as_number(v, &x) ? truth(x == l->numbers[i]) : FW_UNKNOWN;
	return as_text(v, buf, &s) ? truth(text_matches(l, i, s)) : FW_UNKNOWN;
}

static enum fw_truth one_of(const struct fw_literal *l, const struct fw_value *v)
{
	enum fw_truth t = FW_FALSE;
	for (uint32_t i = 0; i < l->n && t != FW_TRUE; i++)
		t = fw_or(t, is_value(l, i, v));
	return t;
}

/* A set holds a value, or does not: members that cannot be read as the literal's type are not it. */
static bool holds(const struct fw_literal *l, uint32_t i, const struct fw_value *set)
{
	for (unsigned k = 0; k < set->n_items; k++)
		if (is_value(l, i, &set->items[k]) == FW_TRUE)
			return true;
	return false;
}

static enum fw_truth test_set(const struct fw_literal *l, const struct fw_value *set)
{
	if (l->op != FW_OP_ONE_OF && l->op != FW_OP_ALL_OF)
		return FW_UNKNOWN;
	bool all = l->op == FW_OP_ALL_OF;
	for (uint32_t i = 0; i < l->n; i++)
		if (holds(l, i, set) != all)
			return truth(!all);
	return truth(all);
}

static enum fw_truth test_plain(const struct fw_literal *l, const struct fw_value *v)
{
	double x;
	switch (l->op) {
	case FW_OP_RANGE: return as_number(v, &x) ? truth(in_range(l, x)) : FW_UNKNOWN;
	case FW_OP_ALL_OF: {
		enum fw_truth t = FW_TRUE;
		for (uint32_t i = 0; i < l->n; i++)
			t = fw_and(t, is_value(l, i, v));
		return t;
	}
	default: return one_of(l, v);
	}
}

static enum fw_truth test_several(const struct fw_literal *l, const struct fw_value *v)
{
	bool any_true = false, any_false = false;
	for (unsigned i = 0; i < v->n_several; i++) {
		struct fw_value one = { .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = v->several[i] };
		enum fw_truth t = test_plain(l, &one);
		any_true |= t != FW_FALSE;
		any_false |= t != FW_TRUE;
	}
	return any_true && any_false ? FW_UNKNOWN : truth(any_true);
}

enum fw_truth fw_literal_test(const struct fw_literal *l, const struct fw_value *v)
{
	if (v->state == FW_OUT_OF_REACH)
		return FW_UNKNOWN;
	if (l->op == FW_OP_KNOWN || l->op == FW_OP_UNKNOWN)
		return truth((v->state == FW_KNOWN) == (l->op == FW_OP_KNOWN));
	if (v->state == FW_ABSENT)
		return FW_UNKNOWN;
	enum fw_truth t = v->kind == FW_KIND_SET ? test_set(l, v) : v->n_several > 1 ? test_several(l, v) : test_plain(l, v);
	return l->negated ? fw_not(t) : t;
}

void fw_duration_text(int64_t s, struct fw_buf *out)
{
	static const struct { int64_t s; char unit; } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;
	while (i < 3 && (s % units[i].s || s == 0))
		i++;
	fw_buf_printf(out, "%lld%c", (long long)(s / units[i].s), units[i].unit);
}

static void put_quoted(struct fw_str s, struct fw_buf *out)
{
	fw_buf_putc(out, '"');
	fw_buf_add(out, s.p, s.n);
	fw_buf_putc(out, '"');
}

static void put_number(enum fw_type type, double x, struct fw_buf *out)
{
	char text[32];
	if (type == FW_TYPE_WEEKDAY && x >= 0 && x <= 6)
		put_quoted(fw_str(fw_weekday_name((int)x)), out);
	else if (type == FW_TYPE_DATE)
		put_quoted(fw_str(fw_date_text((int64_t)x, text)), out);
	else if (type == FW_TYPE_DURATION)
		fw_duration_text((int64_t)x, out);
	else
		fw_buf_add(out, text, fw_number_text(x, text));
}

void fw_ref_text(const struct fw_ruleset *set, const struct fw_ref *ref, struct fw_buf *out)
{
	fw_buf_puts(out, fw_fact_info(ref->fact)->name);
	if (ref->fact == FW_FACT_SEGMENT) {
		fw_buf_puts(out, " ");
		put_quoted(fw_str(set->segments[ref->segment].id), out);
	} else if (ref->member.n) {
		fw_buf_putc(out, '.');
		fw_buf_add(out, ref->member.p, ref->member.n);
	} else if (ref->fact >= FW_FACT_VIEWED) {
		fw_buf_puts(out, " {");
		if (ref->query.key_kind != FW_KEY_NONE) {
			fw_buf_printf(out, " %s = ", fw_key_kind_name(ref->query.key_kind));
			put_quoted(ref->query.key, out);
		}
		if (ref->query.within_s) {
			fw_buf_puts(out, ref->query.key_kind != FW_KEY_NONE ? ", within = \"" : " within = \"");
			fw_duration_text(ref->query.within_s, out);
			fw_buf_putc(out, '"');
		}
		fw_buf_puts(out, " }");
	}
}

static void put_values(const struct fw_literal *l, enum fw_type type, struct fw_buf *out)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (i)
			fw_buf_puts(out, ", ");
		if (l->as == FW_AS_TEXT || l->as == FW_AS_LANGUAGE)
			put_quoted(l->written[i], out);
		else if (l->as == FW_AS_BOOL)
			fw_buf_puts(out, l->numbers[i] != 0 ? "true" : "false");
		else
			put_number(type, l->numbers[i], out);
	}
}

static void put_range(const struct fw_literal *l, enum fw_type type, struct fw_buf *out)
{
	bool low = isfinite(l->low), high = isfinite(l->high);
	if (low && high) {
		fw_buf_puts(out, "between(");
		put_number(type, l->low, out);
		fw_buf_puts(out, ", ");
		put_number(type, l->high, out);
	} else {
		fw_buf_puts(out, low ? (l->low_open ? "more_than(" : "at_least(") : (l->high_open ? "less_than(" : "at_most("));
		put_number(type, low ? l->low : l->high, out);
	}
	fw_buf_putc(out, ')');
}

void fw_literal_text(const struct fw_ruleset *set, const struct fw_literal *l, struct fw_buf *out)
{
	enum fw_type type = fw_fact_info(set->refs[l->ref].fact)->type;
	if (l->negated)
		fw_buf_puts(out, "is_not(");
	switch (l->op) {
	case FW_OP_KNOWN: fw_buf_puts(out, "known()"); break;
	case FW_OP_UNKNOWN: fw_buf_puts(out, "unknown()"); break;
	case FW_OP_TRUE: fw_buf_puts(out, "true"); break;
	case FW_OP_RANGE: put_range(l, type, out); break;
	case FW_OP_STARTS: fw_buf_puts(out, "starts_with("); put_values(l, type, out); fw_buf_putc(out, ')'); break;
	case FW_OP_ENDS: fw_buf_puts(out, "ends_with("); put_values(l, type, out); fw_buf_putc(out, ')'); break;
	case FW_OP_CONTAINS: fw_buf_puts(out, "contains("); put_values(l, type, out); fw_buf_putc(out, ')'); break;
	case FW_OP_ALL_OF: fw_buf_puts(out, "all_of { "); put_values(l, type, out); fw_buf_puts(out, " }"); break;
	case FW_OP_ONE_OF:
		fw_buf_puts(out, l->n == 1 ? "" : "{ ");
		put_values(l, type, out);
		fw_buf_puts(out, l->n == 1 ? "" : " }");
		break;
	}
	if (l->negated)
		fw_buf_putc(out, ')');
}

void fw_value_text_for(const struct fw_ref *ref, const struct fw_value *v, struct fw_buf *out)
{
	enum fw_type type = fw_fact_info(ref->fact)->type;
	if (v->state != FW_KNOWN) {
		fw_buf_puts(out, v->state == FW_ABSENT ? "no value" : "out of reach");
	} else if (v->n_several > 1) {
		for (unsigned i = 0; i < v->n_several; i++) {
			fw_buf_puts(out, i ? " or " : "");
			put_number(type, v->several[i], out);
		}
	} else if (v->kind == FW_KIND_SET) {
		fw_buf_puts(out, "{");
		for (unsigned i = 0; i < v->n_items; i++) {
			fw_buf_puts(out, i ? ", " : " ");
			fw_value_text_for(ref, &v->items[i], out);
		}
		fw_buf_puts(out, " }");
	} else if (v->kind == FW_KIND_TEXT) {
		put_quoted(v->text, out);
	} else if (v->kind == FW_KIND_BOOL) {
		fw_buf_puts(out, v->boolean ? "true" : "false");
	} else {
		put_number(type, v->number, out);
	}
}

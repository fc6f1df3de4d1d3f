#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rules/builder.h"

/* By kind, then id, so that numbers do not depend on the order of files. */
static int compare_declarations(const void *x, const void *y)
{
	const struct fw_declaration *a = x, *b = y;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int d = strcmp(a->id, b->id);
	if (d)
		return d;
	return a->source != b->source ? (a->source < b->source ? -1 : 1) : (a->line > b->line) - (a->line < b->line);
}

/* The later one is to blame, or the one that is not the compliance folder's. */
static void refuse_twice(struct fw_builder *b, const struct fw_declaration *first, const struct fw_declaration *second)
{
	bool mixed = fw_in_compliance(b, first) != fw_in_compliance(b, second);
	struct fw_at at = { .declaration = mixed ? first : second };
	const struct fw_declaration *other = mixed ? second : first;
	fw_build_fail(b, &at, mixed ? "the compliance folder owns that name; choose another" : "give one of them another name",
		mixed ? "the name is taken by %s:%d" : "declared twice, first in %s:%d", b->sources.items[other->source].name, other->line);
}

static void check_names(struct fw_builder *b)
{
	for (uint32_t i = 0; i < b->declarations.n; i++) {
		const struct fw_declaration *d = &b->declarations.items[i], *before = i ? d - 1 : NULL;
		struct fw_at at = { .declaration = d };
		if (before && before->kind == d->kind && strcmp(before->id, d->id) == 0)
			refuse_twice(b, before, d);
		if (d->table_ref == LUA_NOREF)
			fw_build_fail(b, &at, "write the table right after the name", "it has a name and no table");
		if (fw_in_compliance(b, d) && (d->kind == FW_DECLARED_SLOT || d->kind == FW_DECLARED_RULE))
			fw_build_fail(b, &at, "declare it in the rule files",
				"the compliance folder holds guards, caps, segments and tests");
	}
}

static struct fw_place place_of(const struct fw_builder *b, const struct fw_declaration *d)
{
	return (struct fw_place){ b->sources.items[d->source].name, d->line };
}

static const struct fw_field slot_fields[] = {
	{ "channel", fw_field_text, offsetof(struct fw_slot, channel), "string",
		"Where it is shown: \"web\", or what a plugin is the channel of." },
	{ "show_up_to", fw_field_count, offsetof(struct fw_slot, show_up_to), "integer?",
		"How many winners it shows; 1 where nothing is said." },
	{ "default", fw_field_content, offsetof(struct fw_slot, fallback), "table?",
		"What it shows when no rule wins; fit for everybody." },
	{ "public", fw_field_bool, offsetof(struct fw_slot, public), "boolean?",
		"Whether a public key may ask for it; so it is with the channel \"web\"." },
};

static int declare_slot(struct fw_builder *b, struct fw_at *at, int table, struct fw_slot *slot)
{
	lua_State *L = b->lua;
	slot->show_up_to = 1;
	slot->fallback.function = FW_NONE;
	lua_getfield(L, table, "public");
	bool says_public = !lua_isnil(L, -1);
	lua_pop(L, 1);
	int ret = fw_fields_read(b, at, table, slot_fields, FW_FIELDS(slot_fields), slot);
	if (ret == 0 && !slot->channel)
		ret = fw_build_fail(b, at, "write channel = \"web\"", "a slot needs its channel");
	if (ret == 0 && slot->fallback.function != FW_NONE)
		ret = fw_build_fail_in(b, at, "default", "it has to be fit for everybody", "a default is a table, not a function");
	if (ret == 0 && slot->show_up_to > FW_LIMIT_SHOW_UP_TO)
		ret = fw_build_fail_in(b, at, "show_up_to", NULL, "at most %d", FW_LIMIT_SHOW_UP_TO);
	if (!says_public)
		slot->public = slot->channel && strcmp(slot->channel, "web") == 0;
	return ret;
}

static const struct fw_field segment_fields[] = {
	{ "when", NULL, 0, "fw.when|fun(v: fw.visitor): boolean?",
		"Whom it is; a condition, to be named by others." },
};

static int check_segment_fields(struct fw_builder *b, struct fw_at *at, int table)
{
	return fw_fields_read(b, at, table, segment_fields, FW_FIELDS(segment_fields), NULL);
}

/* What a guard or a cap applies to. */
struct applies {
	const char **channels, **slots, **rules, **tags, **uses;
};

int fw_build_no_such(struct fw_builder *b, struct fw_at *at, const char *what, const char *name, const void *first, size_t n, size_t size)
{
	char hint[300];
	const char *nearest = fw_nearest_in(name, first, n, size);
	snprintf(hint, sizeof hint, nearest ? "did you mean \"%s\"?" : "declare it: %s \"…\" { … }", nearest ? nearest : what);
	return fw_build_fail(b, at, hint, "there is no %s \"%s\"", what, name);
}

static int check_slots_and_rules(struct fw_builder *b, struct fw_at *at, const struct applies *a)
{
	struct fw_ruleset *set = b->set;
	if (fw_in_compliance(b, at->declaration))
		return 0; /* a finding of `check`, not an error */
	for (const char **name = a->slots; name && *name; name++)
		if (fw_map_get(&set->slot_ids, fw_str(*name)) == FW_MAP_NONE)
			return fw_build_no_such(b, at, "slot", *name, &set->slots[0].id, set->n_slots, sizeof *set->slots);
	for (const char **name = a->rules; name && *name; name++)
		if (fw_map_get(&set->rule_ids, fw_str(*name)) == FW_MAP_NONE)
			return fw_build_no_such(b, at, "rule", *name, &set->rules[0].id, set->n_rules, sizeof *set->rules);
	return 0;
}

static int read_uses(struct fw_builder *b, struct fw_at *at, const char **names, unsigned *ret)
{
	for (; names && *names; names++) {
		unsigned bit = fw_uses_find(fw_str(*names));
		if (!bit) {
			char hint[160] = "it is one of geography traffic device context time session behaviour profile consent";
			const char *nearest = fw_nearest(*names, fw_uses_names(), 9);
			if (nearest)
				snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
			return fw_build_fail(b, at, hint, "nothing uses \"%s\"", *names);
		}
		*ret |= bit;
	}
	return 0;
}

static const struct fw_field applies_fields[] = {
	{ "channel", fw_field_texts, offsetof(struct applies, channels), "string|string[]|nil",
		"Only what goes by these channels." },
	{ "slot", fw_field_texts, offsetof(struct applies, slots), "string|string[]|nil",
		"Only what is shown in these slots." },
	{ "rule", fw_field_texts, offsetof(struct applies, rules), "string|string[]|nil",
		"Only these rules." },
	{ "tag", fw_field_texts, offsetof(struct applies, tags), "string|string[]|nil",
		"Only rules with one of these tags." },
	{ "uses", fw_field_texts, offsetof(struct applies, uses), "fw.uses|fw.uses[]|nil",
		"Only rules that make use of such facts, in their conditions or in what they show." },
};

static int read_applies(struct fw_builder *b, struct fw_at *at, int table, struct applies *a, unsigned *ret_uses)
{
	lua_State *L = b->lua;
	int top = lua_gettop(L), ret = 0;
	if (lua_getfield(L, table, "applies") != LUA_TNIL) {
		size_t length = fw_at_enter(at, "applies");
		ret = lua_type(L, -1) != LUA_TTABLE ? fw_build_fail(b, at, "write applies = { channel = \"sms\" }", "a table was expected")
			: fw_fields_read(b, at, lua_gettop(L), applies_fields, FW_FIELDS(applies_fields), a);
		if (ret == 0)
			ret = check_slots_and_rules(b, at, a);
		if (ret == 0)
			ret = read_uses(b, at, a->uses, ret_uses);
		fw_at_leave(at, length);
	}
	lua_settop(L, top);
	return ret;
}

static int read_or_else(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	const char *text = lua_type(b->lua, index) == LUA_TSTRING ? lua_tostring(b->lua, index) : "";
	*(bool *)into = strcmp(text, "defer") == 0;
	if (strcmp(text, "drop") != 0 && strcmp(text, "defer") != 0)
		return fw_build_fail(b, at, "it is \"drop\" or \"defer\"", "\"%s\" is neither", text);
	return 0;
}

static int read_condition(struct fw_builder *b, struct fw_at *at, int table, const char *name, uint32_t *ret_node)
{
	lua_State *L = b->lua;
	struct fw_condition_info info = { 0 };
	int ret = 0;
	*ret_node = FW_NONE;
	if (lua_getfield(L, table, name) != LUA_TNIL) {
		size_t length = fw_at_enter(at, name);
		ret = fw_compile_condition(b, at, lua_gettop(L), &info, ret_node);
		fw_at_leave(at, length);
	}
	lua_pop(L, 1);
	return ret;
}

static const struct fw_field guard_fields[] = {
	{ "because", fw_field_text, offsetof(struct fw_guard, because), "string",
		"Why it is there: shown in every explanation." },
	{ "or_else", read_or_else, offsetof(struct fw_guard, defer), "\"drop\"|\"defer\"|nil",
		"What becomes of a message that it holds back: \"drop\", or \"defer\" to the first minute that fits." },
	{ "applies", NULL, 0, "fw.applies?",
		"What it guards; everything where nothing is said." },
	{ "require", NULL, 0, "fw.when|(fun(v: fw.visitor): boolean?)|nil",
		"Nothing is shown or sent unless this is true; what is not known does not do." },
	{ "forbid", NULL, 0, "fw.when|(fun(v: fw.visitor): boolean?)|nil",
		"Nothing is shown or sent if this is true." },
};

static int declare_guard(struct fw_builder *b, struct fw_at *at, int table, struct fw_guard *g)
{
	struct applies a = { 0 };
	int ret = fw_fields_read(b, at, table, guard_fields, FW_FIELDS(guard_fields), g);
	if (ret == 0 && !g->because)
		ret = fw_build_fail(b, at, "write because = \"…\": it is shown in every explanation", "a guard says why");
	if (ret == 0)
		ret = read_applies(b, at, table, &a, &g->uses);
	if (ret == 0)
		ret = read_condition(b, at, table, "require", &g->require);
	if (ret == 0)
		ret = read_condition(b, at, table, "forbid", &g->forbid);
	if (ret == 0 && g->require == FW_NONE && g->forbid == FW_NONE)
		ret = fw_build_fail(b, at, "write require = { … } or forbid = { … }", "a guard has a condition");
	g->channels = a.channels;
	g->slots = a.slots;
	g->rules = a.rules;
	g->tags = a.tags;
	g->compliance = fw_in_compliance(b, at->declaration);
	return ret;
}

static const struct fw_field cap_fields[] = {
	{ "limit", fw_field_count, offsetof(struct fw_cap, limit), "integer",
		"How many times, for one person." },
	{ "per", fw_field_duration, offsetof(struct fw_cap, per_s), "string",
		"Within how long: \"7d\", \"24h\"." },
	{ "or_else", read_or_else, offsetof(struct fw_cap, defer), "\"drop\"|\"defer\"|nil",
		"What becomes of a message for which there is no place." },
	{ "applies", NULL, 0, "fw.applies?",
		"What counts against it; everything where nothing is said." },
};

static int declare_cap(struct fw_builder *b, struct fw_at *at, int table, struct fw_cap *c)
{
	struct applies a = { 0 };
	int ret = fw_fields_read(b, at, table, cap_fields, FW_FIELDS(cap_fields), c);
	if (ret == 0 && (!c->limit || !c->per_s))
		ret = fw_build_fail(b, at, "write limit = 3, per = \"7d\"", "a cap needs a limit and a window");
	if (ret == 0 && c->limit > FW_LIMIT_CAP_USES)
		ret = fw_build_fail(b, at, NULL, "a limit of %" PRIu32 ": more than %d times are not remembered", c->limit,
			FW_LIMIT_CAP_USES);
	if (ret == 0)
		ret = read_applies(b, at, table, &a, &c->uses);
	c->channels = a.channels;
	c->slots = a.slots;
	c->rules = a.rules;
	c->tags = a.tags;
	c->compliance = fw_in_compliance(b, at->declaration);
	return ret;
}

static int declare_one(struct fw_builder *b, const struct fw_declaration *d, uint32_t number)
{
	struct fw_ruleset *set = b->set;
	struct fw_at at = { .declaration = d };
	lua_rawgeti(b->lua, LUA_REGISTRYINDEX, d->table_ref);
	int table = lua_gettop(b->lua), ret = 0;
	switch (d->kind) {
	case FW_DECLARED_SLOT: ret = declare_slot(b, &at, table, &set->slots[number]); break;
	case FW_DECLARED_SEGMENT: ret = check_segment_fields(b, &at, table); break;
	case FW_DECLARED_RULE: ret = fw_declare_rule(b, &at, table, &set->rules[number]); break;
	case FW_DECLARED_GUARD: ret = declare_guard(b, &at, table, &set->guards[number]); break;
	case FW_DECLARED_CAP: ret = declare_cap(b, &at, table, &set->caps[number]); break;
	default: ret = fw_declare_test(b, &at, table, &set->tests[number]); break;
	}
	lua_settop(b->lua, table - 1);
	return ret;
}

/* The parts of the set, with ids and places, before anything that may refer to them is compiled. */
static int allocate(struct fw_builder *b, uint32_t counts[FW_DECLARED_KINDS])
{
	struct fw_ruleset *s = b->set;
	for (uint32_t i = 0; i < b->declarations.n; i++)
		counts[b->declarations.items[i].kind]++;
	s->slots = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_SLOT], struct fw_slot);
	s->segments = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_SEGMENT], struct fw_segment);
	s->rules = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_RULE], struct fw_rule);
	s->guards = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_GUARD], struct fw_guard);
	s->caps = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_CAP], struct fw_cap);
	s->tests = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_TEST], struct fw_test);
	b->segment_state = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_SEGMENT], uint8_t);
	b->segment_declaration = FW_NEW_ARRAY(&s->arena, counts[FW_DECLARED_SEGMENT], uint32_t);
	if (!s->slots || !s->segments || !s->rules || !s->guards || !s->caps || !s->tests || !b->segment_state || !b->segment_declaration)
		return fw_build_no_memory(b);
	return 0;
}

static int name_all(struct fw_builder *b, uint32_t *numbers)
{
	struct fw_ruleset *s = b->set;
	int ret = 0;
	for (uint32_t i = 0; i < b->declarations.n && ret == 0; i++) {
		const struct fw_declaration *d = &b->declarations.items[i];
		struct fw_place place = place_of(b, d);
		switch (d->kind) {
		case FW_DECLARED_SLOT:
			numbers[i] = s->n_slots;
			s->slots[s->n_slots] = (struct fw_slot){ .id = d->id, .place = place };
			ret = fw_map_put(&s->slot_ids, fw_str(d->id), s->n_slots++);
			break;
		case FW_DECLARED_SEGMENT:
			numbers[i] = s->n_segments;
			s->segments[s->n_segments] = (struct fw_segment){ .id = d->id, .place = place, .compliance = fw_in_compliance(b, d),
				.when = FW_NONE };
			b->segment_declaration[s->n_segments] = i;
			ret = fw_map_put(&s->segment_ids[fw_in_compliance(b, d)], fw_str(d->id), s->n_segments++);
			break;
		case FW_DECLARED_RULE:
			numbers[i] = s->n_rules;
			s->rules[s->n_rules] = (struct fw_rule){ .id = d->id, .place = place };
			ret = fw_map_put(&s->rule_ids, fw_str(d->id), s->n_rules++);
			break;
		case FW_DECLARED_GUARD:
			numbers[i] = s->n_guards;
			s->guards[s->n_guards++] = (struct fw_guard){ .id = d->id, .place = place };
			break;
		case FW_DECLARED_CAP:
			numbers[i] = s->n_caps;
			s->caps[s->n_caps++] = (struct fw_cap){ .id = d->id, .place = place, .hash = fw_hash(d->id, strlen(d->id)) };
			break;
		default:
			numbers[i] = s->n_tests;
			s->tests[s->n_tests++] = (struct fw_test){ .id = d->id, .place = place };
			break;
		}
	}
	return ret < 0 ? fw_build_no_memory(b) : 0;
}

/* Segments before rules (uses), rules before guards and tests (their messages name what exists): the kinds' order. */
int fw_declare_all(struct fw_builder *b)
{
	uint32_t counts[FW_DECLARED_KINDS] = { 0 };
	if (b->declarations.n)
		qsort(b->declarations.items, b->declarations.n, sizeof *b->declarations.items, compare_declarations);
	check_names(b);
	if (b->failed)
		return FW_EINVAL;
	uint32_t *numbers = FW_NEW_ARRAY(&b->set->arena, b->declarations.n, uint32_t);
	int ret = numbers ? allocate(b, counts) : fw_build_no_memory(b);
	if (ret == 0)
		ret = name_all(b, numbers);
	for (uint32_t i = 0; i < b->declarations.n && ret == 0; i++) {
		const struct fw_declaration *d = &b->declarations.items[i];
		if (d->kind == FW_DECLARED_SEGMENT)
			fw_compile_segment(b, numbers[i]);
		declare_one(b, d, numbers[i]);
		fw_arena_reset(&b->scratch);
	}
	return b->failed ? FW_EINVAL : ret;
}

const struct fw_field *fw_declared_fields(enum fw_declared kind, size_t *ret_n)
{
	switch (kind) {
	case FW_DECLARED_SLOT: *ret_n = FW_FIELDS(slot_fields); return slot_fields;
	case FW_DECLARED_SEGMENT: *ret_n = FW_FIELDS(segment_fields); return segment_fields;
	case FW_DECLARED_GUARD: *ret_n = FW_FIELDS(guard_fields); return guard_fields;
	case FW_DECLARED_CAP: *ret_n = FW_FIELDS(cap_fields); return cap_fields;
	case FW_DECLARED_TEST: return fw_declared_test_fields(ret_n);
	default: return fw_declared_rule_fields(ret_n);
	}
}

const struct fw_field *fw_declared_applies(size_t *ret_n)
{
	*ret_n = FW_FIELDS(applies_fields);
	return applies_fields;
}

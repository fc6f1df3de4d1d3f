#include <lauxlib.h>
#include <stdio.h>

#include "base/clock.h"
#include "rules/builder.h"

/* A rule's fields before they are sorted out. */
struct fields {
	const char *slot, *channel, *only_one_of, *owner, *note, *class;
	const char **on, **cancel_on, **tags;
	const char *on_segment;
	int64_t every_s, after_s, expires_s;
	double priority, rollout;
	bool enabled, has_when;
	int64_t starts_us, ends_us;
	struct fw_content show, send;
};

static int read_moment(struct fw_builder *b, struct fw_at *at, int index, bool end, int64_t *ret_us)
{
	size_t n = 0;
	const char *s = lua_type(b->lua, index) == LUA_TSTRING ? lua_tolstring(b->lua, index, &n) : "";
	struct fw_civil c;
	if (!fw_civil_parse((struct fw_str){ s, n }, &c))
		return fw_build_fail(b, at, "write it as \"2026-11-20\" or \"2026-11-20T09:00\"", "\"%s\" is no date", s);
	int64_t days = c.days + (end && !c.has_time); /* a last day counts whole */
	int64_t at_s = c.has_offset ? days * 86400 + c.second - c.offset_s : fw_zone_instant(b->set->zone, days, c.second, end);
	*ret_us = at_s * 1000000;
	return 0;
}

static int read_starts(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	return read_moment(b, at, index, false, into);
}

static int read_ends(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	return read_moment(b, at, index, true, into);
}

/* on = "Product Added", { … }, segment_entered "name" or every "1d". */
static int read_on(struct fw_builder *b, struct fw_at *at, int index, void *into)
{
	struct fields *f = (struct fields *)((char *)into - offsetof(struct fields, on));
	lua_State *L = b->lua;
	const char *tag = fw_words_tag(L, index);
	if (!tag)
		return fw_field_texts(b, at, index, &f->on);
	lua_rawgeti(L, index, 1);
	int argument = lua_gettop(L);
	int ret;
	if (strcmp(tag, "segment_entered") == 0)
		ret = fw_field_text(b, at, argument, &f->on_segment);
	else if (strcmp(tag, "every") == 0)
		ret = fw_field_duration(b, at, argument, &f->every_s);
	else
		ret = fw_build_fail(b, at, "an event's name, segment_entered \"…\" or every \"1d\"", "%s is no trigger", tag);
	lua_settop(L, argument - 1);
	return ret;
}

static const struct fw_field rule_fields[] = {
	{ "slot", fw_field_text, offsetof(struct fields, slot), "string?",
		"The slot it is for; it is a rule for a slot, then, and has `show`." },
	{ "show", fw_field_show, offsetof(struct fields, show), "table|(fun(v: fw.visitor): table?)|nil",
		"What it shows: any table, which the page gets as JSON, with lists put in order by `order`; or a function that makes it." },
	{ "channel", fw_field_text, offsetof(struct fields, channel), "string?",
		"The channel by which it sends; it is a rule for messages, then, and has `on` and `send`." },
	{ "on", read_on, offsetof(struct fields, on), "string|string[]|fw.trigger|nil",
		"What sets it off: an event's name or several, segment_entered \"…\", or every \"1d\"." },
	{ "after", fw_field_duration, offsetof(struct fields, after_s), "string?",
		"How long after that it is due: \"1h\"." },
	{ "cancel_on", fw_field_texts, offsetof(struct fields, cancel_on), "string|string[]|nil",
		"Events that take it back before it is due." },
	{ "expires", fw_field_duration, offsetof(struct fields, expires_s), "string?",
		"How long it may be late; then it is dropped." },
	{ "class", fw_field_text, offsetof(struct fields, class), "\"marketing\"|\"service\"|\"transactional\"|nil",
		"\"marketing\" where nothing is said: it needs the consent of its channel." },
	{ "send", fw_field_content, offsetof(struct fields, send), "table|(fun(v: fw.visitor): table?)|nil",
		"What it sends: text, or a template and its content; or a function that makes it." },
	{ "priority", fw_field_whole, offsetof(struct fields, priority), "integer?",
		"The higher wins; 0 where nothing is said." },
	{ "when", fw_field_any, offsetof(struct fields, has_when), "fw.when|(fun(v: fw.visitor): boolean?)|nil",
		"Whom it is for; everybody where nothing is said." },
	{ "only_one_of", fw_field_text, offsetof(struct fields, only_one_of), "string?",
		"A name: of rules that share it only one is shown on a page, or sent." },
	{ "tags", fw_field_texts, offsetof(struct fields, tags), "string|string[]|nil",
		"Names by which guards and caps find it." },
	{ "rollout", fw_field_percent, offsetof(struct fields, rollout), "number?",
		"The percentage of visitors for whom it counts, always the same ones." },
	{ "starts", read_starts, offsetof(struct fields, starts_us), "string?",
		"The day it begins, or a time: \"2030-11-27\", \"2030-11-27T09:00\"." },
	{ "ends", read_ends, offsetof(struct fields, ends_us), "string?",
		"The last day, whole; or a time." },
	{ "enabled", fw_field_bool, offsetof(struct fields, enabled), "boolean?",
		"false: as if it were not there, and still read." },
	{ "owner", fw_field_text, offsetof(struct fields, owner), "string?",
		"Whom to ask about it." },
	{ "note", fw_field_text, offsetof(struct fields, note), "string?",
		"What others should know." },
	{ "score", NULL, 0, NULL, NULL },
};

static int check_slot(struct fw_builder *b, struct fw_at *at, struct fields *f, struct fw_rule *rule)
{
	struct fw_ruleset *set = b->set;
	if (f->channel || f->on || f->on_segment || f->every_s || f->send.given || f->after_s || f->cancel_on || f->class || f->expires_s)
		return fw_build_fail(b, at, "two rules say it better",
			"a rule is for a slot (slot, show) or a message (channel, on, send), not both");
	rule->slot = fw_map_get(&set->slot_ids, fw_str(f->slot));
	if (rule->slot == FW_MAP_NONE) {
		size_t length = fw_at_enter(at, "slot");
		int ret = fw_build_no_such(b, at, "slot", f->slot, &set->slots[0].id, set->n_slots, sizeof *set->slots);
		fw_at_leave(at, length);
		return ret;
	}
	if (!f->show.given)
		return fw_build_fail(b, at, "write show = { … }", "a rule for a slot shows something");
	rule->show = f->show;
	return 0;
}

static int read_class(struct fw_builder *b, struct fw_at *at, const char *name, enum fw_class *ret)
{
	static const char *const classes[] = { "marketing", "service", "transactional" };
	for (int i = 0; i < 3; i++)
		if (!name || strcmp(name, classes[i]) == 0) {
			*ret = (enum fw_class)i;
			return 0;
		}
	return fw_build_fail_in(b, at, "class", "it is \"marketing\", \"service\" or \"transactional\"", "there is no class \"%s\"", name);
}

static int check_message(struct fw_builder *b, struct fw_at *at, struct fields *f, struct fw_rule *rule)
{
	if (!f->channel)
		return fw_build_fail(b, at, "write slot = \"…\" for a place on a page, or channel = \"email\" for a message",
			"a rule needs a slot or a channel");
	if (f->show.given)
		return fw_build_fail_in(b, at, "show", "a message has send = { … }", "show belongs to a slot");
	if (!f->on && !f->on_segment && !f->every_s)
		return fw_build_fail(b, at, "write on = \"Product Added\"", "a message needs what triggers it");
	if (!f->send.given)
		return fw_build_fail(b, at, "write send = { template = \"…\" }", "a message sends something");
	struct fw_message *m = FW_NEW(&b->set->arena, struct fw_message);
	if (!m)
		return fw_build_no_memory(b);
	*m = (struct fw_message){ .channel = f->channel, .on = f->on, .cancel_on = f->cancel_on, .on_segment = FW_NONE,
		.every_s = f->every_s,
		.after_s = f->after_s, .expires_s = f->expires_s ? f->expires_s : 2 * 86400 };
	rule->show = f->send;
	if (f->on_segment) {
		m->on_segment = fw_ruleset_segment(b->set, fw_str(f->on_segment), false);
		if (m->on_segment == FW_MAP_NONE)
			return fw_refuse_segment(b, at, "on", fw_str(f->on_segment));
		if (!b->set->segments[m->on_segment].pure)
			return fw_build_fail_in(b, at, "on", "only table conditions may trigger", "a function decides segment \"%s\"",
				f->on_segment);
	}
	rule->message = m;
	return read_class(b, at, f->class, &m->class);
}

static int read_group(struct fw_builder *b, const char *name, uint32_t *ret)
{
	*ret = FW_NONE;
	if (!name)
		return 0;
	*ret = fw_map_get(&b->group_keys, fw_str(name));
	if (*ret != FW_MAP_NONE)
		return 0;
	*ret = b->set->n_groups;
	return fw_map_put(&b->group_keys, fw_str(name), b->set->n_groups++) < 0 ? fw_build_no_memory(b) : 0;
}

static int read_when(struct fw_builder *b, struct fw_at *at, int table, struct fw_rule *rule)
{
	struct fw_condition_info info = { 0 };
	lua_getfield(b->lua, table, "when");
	size_t length = fw_at_enter(at, "when");
	int ret = fw_compile_condition(b, at, lua_gettop(b->lua), &info, &rule->when);
	fw_at_leave(at, length);
	lua_pop(b->lua, 1);
	rule->uses = info.uses;
	rule->specificity = info.specificity;
	rule->calls = info.has_functions;
	bool names_segment = false;
	for (uint32_t i = 0; i < info.n_facts; i++)
		names_segment |= fw_str_is(info.facts[i], "segment");
	if (ret == 0 && rule->message && rule->message->every_s && !names_segment)
		ret = fw_build_fail_in(b, at, "on", "write when = { segment = \"…\" }",
			"every needs a segment, so that not everybody is looked at");
	if (ret == 0 && rule->message && rule->message->every_s && info.has_functions)
		ret = fw_build_fail_in(b, at, "on", "only table conditions may trigger", "a function decides `when`");
	return ret;
}

int fw_declare_rule(struct fw_builder *b, struct fw_at *at, int table, struct fw_rule *rule)
{
	struct fields f = { .rollout = 100, .enabled = true, .starts_us = INT64_MIN, .ends_us = INT64_MAX };
	uint32_t functions_before = b->functions.n;
	rule->slot = rule->when = rule->group = FW_NONE;
	int ret = fw_fields_read(b, at, table, rule_fields, FW_FIELDS(rule_fields), &f);
	lua_getfield(b->lua, table, "score");
	bool scored = !lua_isnil(b->lua, -1);
	lua_pop(b->lua, 1);
	if (ret == 0 && scored)
		ret = fw_build_fail_in(b, at, "score", "use priority", "it is reserved for learned scores");
	if (ret == 0)
		ret = f.slot ? check_slot(b, at, &f, rule) : check_message(b, at, &f, rule);
	if (ret == 0 && f.starts_us >= f.ends_us)
		ret = fw_build_fail_in(b, at, "ends", NULL, "it ends before it starts");
	if (ret == 0 && f.every_s && !f.has_when)
		ret = fw_build_fail_in(b, at, "on", "write when = { segment = \"…\" }",
			"every needs a segment, so that not everybody is looked at");
	int when = f.has_when ? read_when(b, at, table, rule) : 0; /* a mistake elsewhere hides none here */
	ret = ret < 0 ? ret : when;
	rule->calls |= rule->show.function != FW_NONE;
	if (rule->show.ordering) {
		rule->uses |= rule->show.ordering->uses;
		rule->calls |= rule->show.ordering->functions;
	}
	if (ret == 0)
		ret = read_group(b, f.only_one_of, &rule->group);
	rule->only_one_of = f.only_one_of;
	rule->owner = f.owner;
	rule->note = f.note;
	rule->tags = f.tags;
	rule->priority = f.priority;
	rule->rollout = f.rollout;
	rule->enabled = f.enabled;
	rule->starts_us = f.starts_us;
	rule->ends_us = f.ends_us;
	for (uint32_t i = functions_before; i < b->functions.n; i++)
		b->functions.items[i].rule = (uint32_t)(rule - b->set->rules);
	return ret;
}

const struct fw_field *fw_declared_rule_fields(size_t *ret_n)
{
	*ret_n = FW_FIELDS(rule_fields);
	return rule_fields;
}

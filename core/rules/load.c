#include <lauxlib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/builder.h"
#include "rules/files.h"
#include "rules/index.h"
#include "rules/sandbox.h"
#include "rules/visitor.h"

static void fail_source(struct fw_builder *b, const struct fw_error *err)
{
	*fw_errors_add(b->errors) = *err;
	b->failed = true;
}

/* Lua's parser ends a chunk's message with where it stood; the position in front is what a person wants. */
static void report_syntax(struct fw_builder *b, const struct fw_source *s, const char *text)
{
	struct fw_error err = { .message = "" };
	const char *colon = strstr(text, ".lua:");
	char *end = NULL;
	long line = colon ? strtol(colon + 5, &end, 10) : 0;
	fw_fail(&err, FW_EINVAL, s->name, (int)line, "%s", end && end[0] == ':' ? end + 2 : text);
	if (strstr(err.message, "'}' expected"))
		fw_hint(&err, "is a comma missing before it?");
	fail_source(b, &err);
}

static void run_source(struct fw_builder *b, uint32_t number)
{
	struct fw_source *s = &b->sources.items[number];
	lua_State *L = b->lua;
	struct fw_error err = { .message = "" };
	char chunk[1100];
	size_t skip = s->n >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	int ret = fw_scan_create(&b->set->arena, s->name, s->text + skip, &s->scan, &err);
	if (ret == FW_ENOMEM)
		fw_build_no_memory(b);
	else if (ret < 0)
		fail_source(b, &err);
	if (ret < 0)
		return;
	snprintf(chunk, sizeof chunk, "@%s", s->name);
	b->running = number;
	fw_words_push_env(b);
	lua_pushvalue(L, -1);
	s->env_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	if (luaL_loadbufferx(L, s->text + skip, s->n - skip, chunk, "t") != LUA_OK) {
		report_syntax(b, s, lua_tostring(L, -1));
		lua_pop(L, 2);
		return;
	}
	lua_insert(L, -2);
	lua_setupvalue(L, -2, 1);
	fw_sandbox_set_context(b->sandbox, FW_CONTEXT_BUILDER, b);
	enum fw_outcome outcome = fw_sandbox_call(b->sandbox, 0, &fw_budget_load, &err);
	fw_sandbox_set_context(b->sandbox, FW_CONTEXT_BUILDER, NULL);
	if (outcome != FW_CALL_DONE) {
		snprintf(err.file, sizeof err.file, "%s", s->name);
		fail_source(b, &err);
		return;
	}
	lua_pop(L, 1);
}

/* Files of the compliance folder show it in their names: rule files may be called the same. */
static int take_files(struct fw_builder *b, const struct fw_files *files, const char *compliance)
{
	const char *slash = compliance ? strrchr(compliance, '/') : NULL, *folder = slash ? slash + 1 : compliance;
	for (uint32_t i = 0; i < files->n; i++) {
		if (fw_file_is_template(&files->items[i]))
			continue;
		struct fw_source *s = FW_ADD(&b->sources);
		char *name = files->items[i].compliance ? fw_arena_printf(&b->set->arena, "%s/%s", folder, files->items[i].name)
			: fw_arena_strdup(&b->set->arena, files->items[i].name);
		if (!s || !name)
			return fw_build_no_memory(b);
		*s = (struct fw_source){ .name = name, .compliance = files->items[i].compliance, .text = files->items[i].text,
			.n = files->items[i].n, .env_ref = LUA_NOREF };
	}
	return 0;
}

/* Tables of declarations are compiled: Lua need not keep them. */
static void forget_tables(struct fw_builder *b)
{
	for (uint32_t i = 0; i < b->declarations.n; i++)
		luaL_unref(b->lua, LUA_REGISTRYINDEX, b->declarations.items[i].table_ref);
	for (uint32_t i = 0; i < b->sources.n; i++)
		luaL_unref(b->lua, LUA_REGISTRYINDEX, b->sources.items[i].env_ref);
}

/* What the builder gathered becomes the set's. */
static void hand_over(struct fw_builder *b)
{
	struct fw_ruleset *s = b->set;
	s->refs = b->refs.items;
	s->n_refs = b->refs.n;
	s->literals = b->literals.items;
	s->n_literals = b->literals.n;
	s->nodes = b->nodes.items;
	s->n_nodes = b->nodes.n;
	s->children = b->children.items;
	s->n_children = b->children.n;
	s->functions = b->functions.items;
	s->n_functions = b->functions.n;
}

static int write_ids(struct fw_ruleset *set)
{
	for (uint32_t i = 0; i < set->n_slots; i++)
		if (!(set->slots[i].id_json = fw_json_written(&set->arena, fw_str(set->slots[i].id))).p)
			return FW_ENOMEM;
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (!(set->rules[i].id_json = fw_json_written(&set->arena, fw_str(set->rules[i].id))).p)
			return FW_ENOMEM;
	return 0;
}

static int build(struct fw_builder *b, const struct fw_files *files, const char *compliance)
{
	struct fw_ruleset *set = b->set;
	int ret = take_files(b, files, compliance);
	if (ret < 0)
		return ret;
	fw_words_open(b);
	for (uint32_t i = 0; i < b->sources.n; i++)
		run_source(b, i);
	ret = b->failed ? FW_EINVAL : fw_declare_all(b);
	if (ret == 0)
		ret = fw_reach_check(b);
	if (ret == 0)
		ret = fw_rank_rules(b);
	hand_over(b);
	if (ret == 0 && ((ret = write_ids(set)) < 0 || (ret = fw_index_create(set, &set->index)) < 0))
		return fw_build_no_memory(b);
	if (ret == 0) {
		forget_tables(b);
		if (fw_visitor_open(b->sandbox) < 0)
			return fw_build_no_memory(b);
		fw_sandbox_settle(b->sandbox);
	}
	malloc_trim(0); /* what loading took and gave back is not the workers' to carry */
	return ret;
}

struct job {
	struct fw_builder *b;
	const struct fw_files *files;
	const char *compliance;
	int ret;
};

static int build_protected(lua_State *L)
{
	struct job *j = lua_touserdata(L, 1);
	j->ret = build(j->b, j->files, j->compliance);
	return 0;
}

/* Lua raises an error where memory runs out. */
static int build_safely(struct fw_builder *b, const struct fw_files *files, const char *compliance)
{
	struct job j = { .b = b, .files = files, .compliance = compliance };
	lua_pushcfunction(b->lua, build_protected);
	lua_pushlightuserdata(b->lua, &j);
	int status = lua_pcall(b->lua, 1, 0, 0);
	if (status != LUA_OK)
		j.ret = fw_build_no_memory(b);
	lua_settop(b->lua, 0);
	fw_arena_finish(&b->scratch);
	hand_over(b);
	return j.ret;
}

static int read_options(struct fw_builder *b, const struct fw_ruleset_options *o)
{
	const char *name = o->timezone ? o->timezone : "UTC";
	b->set->zone = fw_zone_find(o->zones, fw_str(name));
	b->set->currency = fw_arena_strdup(&b->set->arena, o->currency ? o->currency : "EUR");
	if (!b->set->currency)
		return fw_build_no_memory(b);
	if (!b->set->zone) {
		struct fw_error *err = fw_errors_add(b->errors);
		fw_fail(err, FW_EINVAL, NULL, 0, "there is no time zone \"%s\"", name);
		fw_hint(err, "write it as tzdata does, \"Europe/Berlin\", and see that tzdata is installed");
		return FW_EINVAL;
	}
	return 0;
}

static int copy_texts(struct fw_files *files, const struct fw_files *texts, struct fw_error *err)
{
	for (uint32_t i = 0; i < texts->n; i++) {
		const struct fw_file *f = &texts->items[i];
		if (fw_files_add(files, f->name, f->text, f->n, f->compliance) < 0)
			return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	}
	return 0;
}

static int read_files(struct fw_files *files, const struct fw_ruleset_options *o, struct fw_errors *errors)
{
	struct fw_error err = { .message = "" };
	int ret = o->texts ? copy_texts(files, o->texts, &err) : fw_files_read(files, o->rules, false, &err);
	bool any = false;
	for (uint32_t i = 0; i < files->n; i++)
		any |= !fw_file_is_template(&files->items[i]);
	if (ret == 0 && !any) {
		ret = fw_fail(&err, FW_EINVAL, o->rules, 0, "no rule files (*.lua) in this folder");
		fw_hint(&err, "rules/shop is an example");
	}
	if (ret == 0 && o->compliance && !o->texts)
		ret = fw_files_read(files, o->compliance, true, &err);
	if (ret < 0)
		*fw_errors_add(errors) = err;
	return ret;
}

/* Tables are read in the order of their names; people read from top to bottom. */
static int compare_places(const void *x, const void *y)
{
	const struct fw_error *a = x, *b = y;
	int d = strcmp(a->file, b->file);
	if (d == 0)
		d = (a->line > b->line) - (a->line < b->line);
	return d ? d : strcmp(a->message, b->message);
}

static int open_builder(struct fw_builder *b)
{
	struct fw_ruleset *set = b->set;
	set->sandbox = fw_sandbox_create((uint32_t)fw_files_secret(&set->files));
	if (!set->sandbox)
		return fw_build_no_memory(b);
	b->sandbox = set->sandbox;
	b->lua = fw_sandbox_lua(set->sandbox);
	fw_arena_init(&b->scratch, NULL, 0, 0);
	fw_map_init(&b->function_keys, &set->arena);
	fw_map_init(&b->ref_keys, &set->arena);
	fw_map_init(&b->group_keys, &set->arena);
	fw_map_init(&set->slot_ids, &set->arena);
	fw_map_init(&set->rule_ids, &set->arena);
	fw_map_init(&set->segment_ids[0], &set->arena);
	fw_map_init(&set->segment_ids[1], &set->arena);
	return 0;
}

int fw_ruleset_load(const struct fw_ruleset_options *o, struct fw_ruleset **ret_set, struct fw_errors *errors)
{
	struct fw_builder b = { .errors = errors, .zones = o->zones };
	struct fw_ruleset *set = b.set = calloc(1, sizeof *set);
	if (!set)
		return fw_build_no_memory(&b);
	fw_arena_init(&set->arena, NULL, 0, 0);
	int ret = read_options(&b, o);
	if (ret == 0)
		ret = read_files(&set->files, o, errors);
	if (ret == 0)
		ret = open_builder(&b);
	if (ret == 0) {
		fw_files_hash(&set->files, set->hash);
		ret = build_safely(&b, &set->files, o->compliance);
	}
	free(b.sources.items);
	free(b.declarations.items);
	if (ret < 0) {
		qsort(errors->items, errors->n, sizeof *errors->items, compare_places);
		fw_ruleset_destroy(set);
		return ret;
	}
	*ret_set = set;
	return 0;
}

void fw_ruleset_forget_files(struct fw_ruleset *set)
{
	fw_files_finish(&set->files);
}

void fw_ruleset_destroy(struct fw_ruleset *set)
{
	if (!set)
		return;
	fw_index_destroy(set->index);
	fw_sandbox_destroy(set->sandbox);
	fw_files_finish(&set->files);
	free(set->refs);
	free(set->literals);
	free(set->nodes);
	free(set->children);
	free(set->functions);
	fw_arena_finish(&set->arena);
	free(set);
}

uint32_t fw_ruleset_slot(const struct fw_ruleset *set, struct fw_str id)
{
	return fw_map_get(&set->slot_ids, id);
}

uint32_t fw_event_names_count(const char **names)
{
	uint32_t n = 0;
	while (names && names[n])
		n++;
	return n;
}

bool fw_event_names_have(const char **names, struct fw_str event)
{
	for (; names && *names; names++)
		if (fw_str_equal_fold(fw_str(*names), event))
			return true;
	return false;
}

uint32_t fw_ruleset_rule(const struct fw_ruleset *set, struct fw_str id)
{
	return fw_map_get(&set->rule_ids, id);
}

uint32_t fw_ruleset_segment(const struct fw_ruleset *set, struct fw_str id, bool compliance)
{
	uint32_t found = fw_map_get(&set->segment_ids[compliance], id);
	return found != FW_MAP_NONE || compliance ? found : fw_map_get(&set->segment_ids[1], id);
}

#include "rules/builder.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fact/history.h"

void fw_errors_init(struct fw_errors *e)
{
	*e = (struct fw_errors){ 0 };
}

void fw_errors_finish(struct fw_errors *e)
{
	if (e->items != &e->reserve)
		free(e->items);
	*e = (struct fw_errors){ 0 };
}

struct fw_error *fw_errors_add(struct fw_errors *e)
{
	static struct fw_error overflow;
	if (e->n >= FW_LIMIT_ERRORS) {
		e->dropped++;
		return &overflow;
	}
	if (e->n == e->size) {
		uint32_t size = e->size ? e->size * 2 : 8;
		struct fw_error *more = e->items == &e->reserve ? NULL : realloc(e->items, size * sizeof *more);
		if (!more && e->n) {
			e->dropped++;
			return &overflow;
		}
		e->items = more ? more : &e->reserve;
		e->size = more ? size : 1;
	}
	struct fw_error *err = &e->items[e->n++];
	memset(err, 0, sizeof *err);
	return err;
}

void *fw_list_add(void *list, size_t item_size)
{
	FW_LIST(char) *l = list;
	if (l->n == l->size) {
		uint32_t size = l->size ? l->size * 2 : 64;
		char *more = realloc(l->items, (size_t)size * item_size);
		if (!more)
			return NULL;
		l->items = more;
		l->size = size;
	}
	char *item = l->items + (size_t)l->n * item_size;
	memset(item, 0, item_size);
	l->n++;
	return item;
}

int fw_build_fail(struct fw_builder *b, const struct fw_at *at, const char *hint, const char *fmt, ...)
{
	char message[400], path[300] = "";
	va_list ap;
	b->failed = true;
	if (b->errors->n >= FW_LIMIT_ERRORS) {
		b->errors->dropped++;
		return FW_EINVAL;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	const struct fw_declaration *d = at->declaration;
	const struct fw_source *s = &b->sources.items[d->source];
	int line = s->scan ? fw_scan_line(s->scan, d->line, d->id, at->path) : d->line;
	if (at->path[0])
		snprintf(path, sizeof path, "%.*s: ", 250, at->path);
	struct fw_error *err = fw_errors_add(b->errors);
	fw_fail(err, FW_EINVAL, s->name, line, "%s \"%s\": %s%s", fw_declared_words[d->kind], d->id, path, message);
	if (hint && hint[0])
		fw_hint(err, "%s", hint);
	return FW_EINVAL;
}

int fw_build_fail_in(struct fw_builder *b, struct fw_at *at, const char *field, const char *hint, const char *fmt, ...)
{
	char message[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	size_t length = fw_at_enter(at, field);
	fw_build_fail(b, at, hint, "%s", message);
	fw_at_leave(at, length);
	return FW_EINVAL;
}

int fw_build_no_memory(struct fw_builder *b)
{
	fw_fail(fw_errors_add(b->errors), FW_ENOMEM, NULL, 0, "out of memory while loading the rules");
	b->failed = true;
	return FW_ENOMEM;
}

bool fw_in_compliance(const struct fw_builder *b, const struct fw_declaration *d)
{
	return b->sources.items[d->source].compliance;
}

size_t fw_at_enter(struct fw_at *at, const char *key)
{
	size_t length = strlen(at->path);
	snprintf(at->path + length, sizeof at->path - length, "%s%s", length ? "." : "", key);
	return length;
}

void fw_at_leave(struct fw_at *at, size_t length)
{
	at->path[length] = '\0';
}

char *fw_build_copy(struct fw_builder *b, const char *s, size_t n)
{
	char *copy = fw_arena_strndup(&b->set->arena, s, n);
	if (!copy)
		fw_build_no_memory(b);
	return copy;
}

static int compare_keys(const void *x, const void *y)
{
	const struct fw_key *a = x, *b = y;
	if (!a->name.p || !b->name.p)
		return a->name.p ? 1 : b->name.p ? -1 : (a->position > b->position) - (a->position < b->position);
	return fw_str_compare(a->name, b->name);
}

int fw_build_keys(struct fw_builder *b, const struct fw_at *at, int table, struct fw_key **ret_keys, size_t *ret_n)
{
	*ret_keys = NULL;
	*ret_n = 0;
	lua_State *L = b->lua;
	size_t n = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
		n++;
	struct fw_key *keys = FW_NEW_ARRAY(&b->scratch, n + 1, struct fw_key);
	if (!keys)
		return fw_build_no_memory(b);
	n = 0;
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		if (lua_type(L, -2) == LUA_TSTRING) {
			size_t length;
			keys[n].name.p = lua_tolstring(L, -2, &length);
			keys[n++].name.n = length;
		} else if (lua_isinteger(L, -2)) {
			keys[n++] = (struct fw_key){ .position = lua_tointeger(L, -2) };
		} else {
			lua_pop(L, 2);
			return fw_build_fail(b, at, NULL, "a key of a table here is a name");
		}
	}
	qsort(keys, n, sizeof *keys, compare_keys);
	*ret_keys = keys;
	*ret_n = n;
	return 0;
}

void fw_build_push(struct fw_builder *b, int table, const struct fw_key *key)
{
	if (key->name.p) {
		lua_pushlstring(b->lua, key->name.p, key->name.n);
		lua_rawget(b->lua, table);
	} else {
		lua_rawgeti(b->lua, table, key->position);
	}
}

const char *fw_build_type_name(struct fw_builder *b, int index)
{
	return fw_words_type(b->lua, index);
}

const char *fw_build_text_at(struct fw_builder *b, int index)
{
	size_t n;
	if (lua_type(b->lua, index) != LUA_TSTRING)
		return NULL;
	const char *s = lua_tolstring(b->lua, index, &n);
	return fw_build_copy(b, s, n);
}

int fw_build_node(struct fw_builder *b, enum fw_node_kind kind, const uint32_t *children, uint32_t n, uint32_t *ret_node)
{
	if (n == 1 && kind != FW_NODE_NOT) {
		*ret_node = children[0]; /* a group of one is that one */
		return 0;
	}
	uint32_t first = b->children.n;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *child = FW_ADD(&b->children);
		if (!child)
			return fw_build_no_memory(b);
		*child = children[i];
	}
	struct fw_node *node = FW_ADD(&b->nodes);
	if (!node)
		return fw_build_no_memory(b);
	*node = (struct fw_node){ kind, first, n };
	*ret_node = b->nodes.n - 1;
	return 0;
}

/* One number for each thing asked. */
static int intern_ref(struct fw_builder *b, const struct fw_ref *ref, uint32_t *ret)
{
	char key[600];
	int n = snprintf(key, sizeof key, "%d|%d|%lld|%u|%.*s|%.*s", ref->fact, ref->query.key_kind, (long long)ref->query.within_s,
		ref->segment, (int)(ref->member.n < 250 ? ref->member.n : 250), ref->member.p ? ref->member.p : "",
		(int)(ref->query.key.n < 250 ? ref->query.key.n : 250), ref->query.key.p ? ref->query.key.p : "");
	bool too_long = ref->member.n >= 250 || ref->query.key.n >= 250;
	struct fw_str text = { key, (size_t)n };
	uint32_t found = too_long ? FW_MAP_NONE : fw_map_get(&b->ref_keys, text);
	if (found == FW_MAP_NONE) {
		struct fw_ref *added = FW_ADD(&b->refs);
		if (!added)
			return fw_build_no_memory(b);
		*added = *ref;
		if (ref->query.key.n && fw_history_pack_key(&b->set->arena, ref->query.key, &added->query.packed) < 0)
			return fw_build_no_memory(b);
		found = b->refs.n - 1;
		if (!too_long && fw_map_put(&b->ref_keys, text, found) < 0)
			return fw_build_no_memory(b);
	}
	*ret = found;
	return 0;
}

int fw_build_literal(struct fw_builder *b, const struct fw_ref *ref, const struct fw_literal *l, uint32_t *ret_node)
{
	uint32_t number;
	int ret = intern_ref(b, ref, &number);
	if (ret < 0)
		return ret;
	struct fw_literal *literal = FW_ADD(&b->literals);
	struct fw_node *node = FW_ADD(&b->nodes);
	if (!literal || !node)
		return fw_build_no_memory(b);
	*literal = *l;
	literal->ref = number;
	*node = (struct fw_node){ FW_NODE_LITERAL, b->literals.n - 1, 0 };
	*ret_node = b->nodes.n - 1;
	return 0;
}

int fw_build_function(struct fw_builder *b, struct fw_at *at, int index, bool content, uint32_t *ret_function)
{
	lua_State *L = b->lua;
	uintptr_t key[2] = { (uintptr_t)lua_topointer(L, index), content };
	struct fw_str key_text = { (const char *)key, sizeof key };
	*ret_function = fw_map_get(&b->function_keys, key_text);
	if (*ret_function != FW_MAP_NONE)
		return 0;
	if (lua_iscfunction(L, index))
		return fw_build_fail(b, at, "write function(v) … end", "a function of the library cannot stand here");
	lua_Debug ar;
	lua_pushvalue(L, index);
	lua_getinfo(L, ">S", &ar);
	struct fw_function *f = FW_ADD(&b->functions);
	if (!f || fw_map_put(&b->function_keys, key_text, b->functions.n - 1) < 0)
		return fw_build_no_memory(b);
	const char *file = fw_build_copy(b, ar.source[0] == '@' ? ar.source + 1 : ar.source,
		strlen(ar.source[0] == '@' ? ar.source + 1 : ar.source));
	if (!file)
		return FW_ENOMEM;
	lua_pushvalue(L, index);
	*f = (struct fw_function){ luaL_ref(L, LUA_REGISTRYINDEX), { file, ar.linedefined }, FW_NONE,
		fw_in_compliance(b, at->declaration) };
	*ret_function = b->functions.n - 1;
	return 0;
}

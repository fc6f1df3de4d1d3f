#include "rules/builder.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fw_errors_init(struct fw_errors *e)
{
	*e = (struct fw_errors){ 0 };
}

void fw_errors_finish(struct fw_errors *e)
{
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
		struct fw_error *more = realloc(e->items, size * sizeof *more);
		if (!more) {
			e->dropped++;
			return &overflow;
		}
		e->items = more;
		e->size = size;
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
	b->failed = true;
	return FW_EINVAL;
}

int fw_build_no_memory(struct fw_builder *b)
{
	fw_fail(fw_errors_add(b->errors), FW_ENOMEM, NULL, 0, "out of memory while loading the rules");
	b->failed = true;
	return FW_ENOMEM;
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

int fw_build_function(struct fw_builder *b, struct fw_at *at, int index, uint32_t *ret_function)
{
	lua_State *L = b->lua;
	const void *key = lua_topointer(L, index);
	for (uint32_t i = 0; i < b->function_keys.n; i++)
		if (b->function_keys.items[i] == key) {
			*ret_function = i;
			return 0;
		}
	if (lua_iscfunction(L, index))
		return fw_build_fail(b, at, "write function(v) … end", "a function of the library cannot stand here");
	lua_Debug ar;
	lua_pushvalue(L, index);
	lua_getinfo(L, ">S", &ar);
	struct fw_function *f = FW_ADD(&b->functions);
	const void **keep = FW_ADD(&b->function_keys);
	if (!f || !keep)
		return fw_build_no_memory(b);
	*keep = key;
	const char *file = fw_build_copy(b, ar.source[0] == '@' ? ar.source + 1 : ar.source, strlen(ar.source[0] == '@' ? ar.source + 1 : ar.source));
	if (!file)
		return FW_ENOMEM;
	lua_pushvalue(L, index);
	*f = (struct fw_function){ luaL_ref(L, LUA_REGISTRYINDEX), { file, ar.linedefined }, FW_NONE };
	*ret_function = b->functions.n - 1;
	return 0;
}

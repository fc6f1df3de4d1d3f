#include "rules/purity.h"

#include <stdint.h>
#include <string.h>

#include "base/limits.h"

enum { OP_GETUPVAL = 9, OP_SETUPVAL = 10, OP_GETTABUP = 11, OP_SETTABUP = 15 };
enum { VARIANT_FLOAT = 0x13, VARIANT_INT = 0x03, SHORT_STRING = 0x04, LONG_STRING = 0x14 };
enum { MOST_UPVALUES = 256, NAME_BYTES = 128, DEEPEST = 200 };

struct reader {
	const unsigned char *p, *end;
	bool bad;
	size_t longest; /* text among the constants */
	char file[256];
	struct fw_arena *arena;
	fw_purity_global on_global;
	void *ctx;
	struct fw_error *err;
};

/* One prototype: what is needed of it once its parts have all been passed over. */
struct prototype {
	int first_line;
	const unsigned char *code, *constants, *lines, *abs_lines, *upvalue_names;
	size_t n_code, n_constants, n_lines, n_abs_lines, n_upvalues, n_names;
	const unsigned char *upvalues;
	unsigned char outside[MOST_UPVALUES]; /* 1 + the root's upvalue it is, or 0: a variable of ours */
};

static const unsigned char *take(struct reader *r, size_t n)
{
	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	const unsigned char *p = r->p;
	r->p += n;
	return p;
}

static unsigned byte(struct reader *r)
{
	const unsigned char *p = take(r, 1);
	return p ? *p : 0;
}

/* Seven bits a byte, most significant first; the last byte has the high bit. */
static size_t number(struct reader *r)
{
	size_t v = 0;
	for (;;) {
		unsigned b = byte(r);
		v = v << 7 | (b & 0x7f);
		if (r->bad || v > (size_t)(r->end - r->p) + (1u << 24) || (b & 0x80))
			return v;
	}
}

static size_t string(struct reader *r, const char **ret_text)
{
	size_t n = number(r);
	if (n == 0) {
		*ret_text = NULL;
		return 0;
	}
	*ret_text = (const char *)take(r, n - 1);
	return r->bad ? 0 : n - 1;
}

static void skip_constant(struct reader *r)
{
	const char *text;
	switch (byte(r)) {
	case VARIANT_FLOAT: case VARIANT_INT: take(r, 8); break;
	case SHORT_STRING: case LONG_STRING: {
		size_t n = string(r, &text);
		r->longest = n > r->longest ? n : r->longest;
		break;
	}
	default: break;
	}
}

static void copy_name(char *out, const char *text, size_t n)
{
	n = n < NAME_BYTES - 1 ? n : NAME_BYTES - 1;
	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
}

/* The text of constant `index`, or "". */
static void constant_name(const struct reader *r, const struct prototype *p, size_t index, char *out)
{
	struct reader at = { .p = p->constants, .end = r->end };
	out[0] = '\0';
	if (index >= p->n_constants)
		return;
	for (size_t i = 0; i < index; i++)
		skip_constant(&at);
	unsigned kind = byte(&at);
	const char *text = NULL;
	size_t n = kind == SHORT_STRING || kind == LONG_STRING ? string(&at, &text) : 0;
	copy_name(out, text, n);
}

static void upvalue_name(const struct reader *r, const struct prototype *p, size_t index, char *out)
{
	struct reader at = { .p = p->upvalue_names, .end = r->end };
	const char *text = NULL;
	size_t n = 0;
	for (size_t i = 0; i <= index && i < p->n_names; i++)
		n = string(&at, &text);
	copy_name(out, text, index < p->n_names ? n : 0);
}

/* The line of an instruction: increments a byte each, or, where that is -128, the next absolute entry. */
static int line_of(const struct reader *r, const struct prototype *p, size_t pc)
{
	struct reader abs = { .p = p->abs_lines, .end = r->end };
	int line = p->first_line;
	for (size_t i = 0; i <= pc && i < p->n_lines; i++) {
		signed char step = (signed char)p->lines[i];
		if (step != -128) {
			line += step;
			continue;
		}
		number(&abs);
		line = (int)number(&abs);
	}
	return line;
}

static int assignment(struct reader *r, int line, const char *name)
{
	fw_fail(r->err, FW_EINVAL, r->file, line, "a function assigns to %s, which is outside it: nothing may outlive a call", name[0]
		? name : "a variable");
	fw_hint(r->err, "write \"local %s = …\" inside the function", name[0] ? name : "x");
	return FW_EINVAL;
}

static int check_instruction(struct reader *r, const struct prototype *root, const struct prototype *p, size_t pc)
{
	const unsigned char *c = p->code + pc * 4;
	uint32_t i = (uint32_t)c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16 | (uint32_t)c[3] << 24;
	unsigned op = i & 0x7f, a = i >> 7 & 0xff, b = i >> 16 & 0xff, k = i >> 24 & 0xff;
	char name[NAME_BYTES], table[NAME_BYTES];
	unsigned upvalue = op == OP_SETTABUP ? a : b;
	bool concerns = op == OP_GETUPVAL || op == OP_SETUPVAL || op == OP_SETTABUP || op == OP_GETTABUP;
	if (!concerns || upvalue >= p->n_upvalues || !p->outside[upvalue])
		return 0;
	upvalue_name(r, root, p->outside[upvalue] - 1u, table);
	bool global = strcmp(table, "_ENV") == 0;
	if (op == OP_SETUPVAL)
		return assignment(r, line_of(r, p, pc), table);
	if (!global)
		return 0; /* a value outside: what it is made of is frozen and refuses by itself */
	if (op == OP_GETUPVAL)
		return r->on_global ? r->on_global(r->ctx, p->outside[upvalue], r->file, line_of(r, p, pc), NULL, r->err) : 0;
	constant_name(r, p, op == OP_SETTABUP ? b : k, name);
	if (op == OP_SETTABUP)
		return assignment(r, line_of(r, p, pc), name);
	return r->on_global ? r->on_global(r->ctx, p->outside[upvalue], r->file, line_of(r, p, pc), name, r->err) : 0;
}

static int read_function(struct reader *r, const struct prototype *root, const struct prototype *parent, int depth);

static int read_body(struct reader *r, struct prototype *p, const struct prototype *root, const struct prototype *parent, int depth)
{
	const char *text;
	size_t n = string(r, &text);
	if (text && !r->file[0] && n) {
		size_t skip = text[0] == '@' || text[0] == '=';
		size_t length = n - skip < sizeof r->file - 1 ? n - skip : sizeof r->file - 1;
		memcpy(r->file, text + skip, length);
		r->file[length] = '\0';
	}
	p->first_line = (int)number(r);
	number(r);
	take(r, 3);
	p->n_code = number(r);
	p->code = take(r, p->n_code * 4);
	p->n_constants = number(r);
	p->constants = r->p;
	for (size_t i = 0; i < p->n_constants && !r->bad; i++)
		skip_constant(r);
	p->n_upvalues = number(r);
	p->upvalues = take(r, p->n_upvalues * 3);
	if (r->bad || p->n_upvalues > MOST_UPVALUES)
		return FW_EINVAL;
	for (size_t i = 0; i < p->n_upvalues; i++) {
		bool in_stack = p->upvalues[i * 3] != 0;
		unsigned index = p->upvalues[i * 3 + 1];
		p->outside[i] = (unsigned char)(!parent ? i + 1 : in_stack ? 0 : parent->outside[index]);
	}
	/* The nested functions stand before our own debug information: pass over them first, look into them afterwards. */
	size_t n_nested = number(r);
	const unsigned char *nested = r->p;
	for (size_t i = 0; i < n_nested && !r->bad; i++)
		if (read_function(r, NULL, NULL, depth + 1) < 0)
			return FW_EINVAL;
	p->n_lines = number(r);
	p->lines = take(r, p->n_lines);
	p->n_abs_lines = number(r);
	p->abs_lines = r->p;
	for (size_t i = 0; i < p->n_abs_lines * 2 && !r->bad; i++)
		number(r);
	size_t n_locals = number(r);
	for (size_t i = 0; i < n_locals && !r->bad; i++) {
		string(r, &text);
		number(r);
		number(r);
	}
	p->n_names = number(r);
	p->upvalue_names = r->p;
	for (size_t i = 0; i < p->n_names && !r->bad; i++)
		string(r, &text);
	if (r->bad || !root)
		return r->bad ? FW_EINVAL : 0;
	if (r->longest > FW_LIMIT_STRING_BYTES)
		return fw_fail(r->err, FW_EINVAL, r->file, p->first_line, "a function has a text of more than %d bytes in it",
			FW_LIMIT_STRING_BYTES);
	for (size_t pc = 0; pc < p->n_code; pc++) {
		int ret = check_instruction(r, root, p, pc);
		if (ret < 0)
			return ret;
	}
	struct reader again = *r;
	again.p = nested;
	for (size_t i = 0; i < n_nested; i++) {
		int ret = read_function(&again, root, p, depth + 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* With root NULL only passes over the function. */
static int read_function(struct reader *r, const struct prototype *root, const struct prototype *parent, int depth)
{
	if (depth > DEEPEST)
		return FW_EINVAL;
	struct prototype *p = FW_NEW(r->arena, struct prototype);
	if (!p)
		return FW_ENOMEM;
	/* The first function read with checks on is its own root. */
	bool is_root = root == p || (root && !root->code && !parent);
	return read_body(r, p, is_root ? p : root, parent, depth);
}

/* A chunk being measured, then written. */
struct chunk {
	unsigned char *p;
	size_t n, size;
};

static int write_chunk(lua_State *L, const void *data, size_t n, void *ud)
{
	(void)L;
	struct chunk *c = ud;
	if (c->p && c->n + n > c->size)
		return 1;
	if (c->p)
		memcpy(c->p + c->n, data, n);
	c->n += n;
	return 0;
}

int fw_purity_check(lua_State *L, struct fw_arena *arena, fw_purity_global on_global, void *ctx, struct fw_error *err)
{
	static const struct prototype unread;
	enum { HEADER = 4 + 1 + 1 + 6 + 3 + 8 + 8 };
	struct chunk chunk = { .p = NULL };
	lua_dump(L, write_chunk, &chunk, 0);
	chunk.size = chunk.n;
	chunk.n = 0;
	chunk.p = fw_arena_alloc(arena, chunk.size);
	struct reader r = { .p = chunk.p, .end = chunk.p + chunk.size, .arena = arena, .on_global = on_global, .ctx = ctx, .err = err };
	if (!chunk.p || lua_dump(L, write_chunk, &chunk, 0) != 0)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	take(&r, HEADER);
	byte(&r); /* the number of upvalues */
	int ret = read_function(&r, &unread, NULL, 0);
	if (ret == FW_ENOMEM)
		return fw_fail(err, ret, r.file, 0, "out of memory");
	if (ret < 0 && r.bad)
		return fw_fail(err, FW_EINVAL, r.file, 0, "the compiled function cannot be read: floorwalker was built for another Lua");
	return ret;
}

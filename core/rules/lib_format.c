/* string.format */
#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "rules/lib.h"
#include "rules/lib_parts.h"

/* A conversion: "%-5.2f" */
enum { SPEC_SIZE = 32, LONGEST_SPEC = 20, LONGEST_NUMBER = 512, INSTRUCTIONS_EACH = 8 };

/* The buffer has values of its own on the Lua stack: whatever is pushed must be gone before it grows. */
struct output {
	lua_State *L;
	int n_args;
	size_t n;
	luaL_Buffer b;
};

static void add(struct output *out, const char *p, size_t n)
{
	out->n += n;
	if (out->n > FW_LIMIT_STRING_BYTES)
		fw_lib_check_size(out->L, out->n);
	fw_lib_charge_bytes(out->L, n);
	luaL_addlstring(&out->b, p, n);
}

static const char *skip_two_digits(const char *p)
{
	for (int i = 0; i < 2 && isdigit((unsigned char)*p); i++)
		p++;
	return p;
}

/* Refuses a conversion with flags that it does not have, or a width or precision of more than two digits. */
static void check_spec(lua_State *L, const char *spec, const char *flags, bool precision)
{
	const char *p = spec + 1 + strspn(spec + 1, flags);
	if (*p != '0') {
		p = skip_two_digits(p);
		if (*p == '.' && precision)
			p = skip_two_digits(p + 1);
	}
	if (!isalpha((unsigned char)*p))
		luaL_error(L, "invalid conversion '%s' to 'format'", spec);
}

/* The flags that a conversion takes, or NULL if it is none. */
static const char *flags_of(char conversion)
{
	switch (conversion) {
	case 'd': case 'i': return "-+0 ";
	case 'u': return "-0";
	case 'o': case 'x': case 'X': return "-#0";
	case 'a': case 'A': case 'e': case 'E': case 'f': case 'g': case 'G': return "-+#0 ";
	case 'c': case 's': return "-";
	default: return NULL;
	}
}

static void add_integer(struct output *out, const char *spec, size_t n, int arg)
{
	char text[LONGEST_NUMBER], with_length[SPEC_SIZE + 2];
	lua_Integer x = fw_lib_integer(out->L, arg);
	memcpy(with_length, spec, n - 1);
	memcpy(with_length + n - 1, "ll", 2);
	with_length[n + 1] = spec[n - 1];
	with_length[n + 2] = '\0';
	add(out, text, (size_t)snprintf(text, sizeof text, with_length, x));
}

static void add_float(struct output *out, const char *spec, int arg)
{
	char text[LONGEST_NUMBER];
	if (lua_type(out->L, arg) == LUA_TSTRING)
		fw_lib_charge_bytes(out->L, lua_rawlen(out->L, arg));
	add(out, text, (size_t)snprintf(text, sizeof text, spec, luaL_checknumber(out->L, arg)));
}

static void add_string(struct output *out, const char *spec, size_t spec_n, int arg)
{
	lua_State *L = out->L;
	size_t n;
	fw_lib_tostring(L, arg);
	const char *s = lua_tolstring(L, -1, &n);
	bool plain = spec_n == 2;
	if (!plain) {
		luaL_argcheck(L, memchr(s, '\0', n) == NULL, arg, "string contains zeros");
		plain = !strchr(spec, '.') && n >= 100;
	}
	out->n += plain ? n : 0;
	if (out->n > FW_LIMIT_STRING_BYTES)
		fw_lib_check_size(L, out->n);
	fw_lib_charge_bytes(L, n);
	if (plain) {
		luaL_addvalue(&out->b);
		return;
	}
	char text[LONGEST_NUMBER]; /* two digits bound width and precision */
	size_t made = (size_t)snprintf(text, sizeof text, spec, s);
	lua_pop(L, 1);
	add(out, text, made);
}

/* %q is made by Lua's own string.format. */
static void add_quoted(struct output *out, size_t spec_n, int arg)
{
	lua_State *L = out->L;
	int type = lua_type(L, arg);
	if (spec_n != 2)
		luaL_error(L, "specifier '%%q' cannot have modifiers");
	luaL_argcheck(L, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN || type == LUA_TNIL, arg,
		"value has no literal form");
	if (type == LUA_TSTRING) {
		fw_lib_check_size(L, lua_rawlen(L, arg));
		fw_lib_charge(L, lua_rawlen(L, arg) / 4);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushliteral(L, "%q");
	lua_pushvalue(L, arg);
	lua_call(L, 2, 1);
	size_t n = lua_rawlen(L, -1);
	out->n += n;
	if (out->n > FW_LIMIT_STRING_BYTES)
		fw_lib_check_size(L, out->n);
	luaL_addvalue(&out->b);
}

/* Adds the argument as the conversion at p (behind the '%') says; returns where the text goes on. */
static const char *add_converted(struct output *out, const char *p, int arg)
{
	lua_State *L = out->L;
	char spec[SPEC_SIZE] = "%";
	size_t n = strspn(p, "-+ #0123456789.") + 1;
	if (n > LONGEST_SPEC)
		luaL_error(L, "invalid format (too long) to 'format'");
	memcpy(spec + 1, p, n);
	char conversion = p[n - 1];
	if (conversion == 'p')
		luaL_error(L, "'%%p' is not available in rules");
	const char *flags = flags_of(conversion);
	if (!flags && conversion != 'q')
		luaL_error(L, "invalid conversion '%s' to 'format'", spec);
	if (arg > out->n_args)
		luaL_argerror(L, arg, "no value");
	fw_lib_charge(L, INSTRUCTIONS_EACH);
	if (flags && n > 1)
		check_spec(L, spec, flags, conversion != 'c');
	switch (conversion) {
	case 'c': {
		char text[LONGEST_NUMBER];
		add(out, text, (size_t)snprintf(text, sizeof text, spec, (int)fw_lib_integer(L, arg)));
		break;
	}
	case 'd': case 'i': case 'u': case 'o': case 'x': case 'X': add_integer(out, spec, n + 1, arg); break;
	case 's': add_string(out, spec, n + 1, arg); break;
	case 'q': add_quoted(out, n + 1, arg); break;
	default: add_float(out, spec, arg); break;
	}
	return p + n;
}

int fw_lib_format(lua_State *L)
{
	struct fw_str format = fw_lib_text(L, 1);
	struct output out;
	int arg = 1;
	const char *p = format.p, *end = format.p + format.n;
	out.L = L;
	out.n_args = lua_gettop(L);
	out.n = 0;
	luaL_buffinit(L, &out.b);
	while (p < end) {
		const char *escape = memchr(p, '%', (size_t)(end - p));
		add(&out, p, (size_t)((escape ? escape : end) - p));
		if (!escape)
			break;
		p = escape + 1;
		if (*p == '%') {
			add(&out, "%", 1);
			p++;
		} else {
			p = add_converted(&out, p, ++arg);
		}
	}
	luaL_pushresult(&out.b);
	return 1;
}

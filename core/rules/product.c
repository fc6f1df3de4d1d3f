/* What a condition asks of a product: in_stock = { product = "B-7" }, price = { product = "B-7", at_most = 100 },
 * category = { product = "B-7", is = "boots" }. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

#include "rules/builder.h"

static const struct fw_word product_words[] = {
	{ "product", 0, "string", "Its id, as the catalogue has it." },
	{ "is", 0, "any", "What it is: a value, a list of them, or a matcher; of in_stock true where nothing is said." },
	{ "at_least", 0, "number?", "Of price: so much or more." },
	{ "at_most", 0, "number?", "Of price: so much or less." },
};

const struct fw_word *fw_words_of_product(size_t *ret_n)
{
	*ret_n = FW_FIELDS(product_words);
	return product_words;
}

struct asked {
	struct fw_ref ref;
	uint32_t is;  /* the node of what it is to be, or FW_NONE */
	double low, high;
	bool has_bound;
};

static int read_id(struct fw_builder *b, struct fw_at *at, int index, struct asked *x)
{
	size_t n = 0;
	const char *s = lua_type(b->lua, index) == LUA_TSTRING ? lua_tolstring(b->lua, index, &n) : NULL;
	if (n == 0 || n > FW_LIMIT_KEY_BYTES)
		return fw_build_fail(b, at, NULL, "a product is named by its id, a text of 1 to %d bytes", FW_LIMIT_KEY_BYTES);
	char *copy = fw_build_copy(b, s, n);
	if (!copy)
		return FW_ENOMEM;
	fw_fold((struct fw_str){ s, n }, copy);
	x->ref.query.key_kind = FW_KEY_PRODUCT;
	x->ref.query.key = (struct fw_str){ copy, n };
	return 0;
}

static int read_bound(struct fw_builder *b, struct fw_at *at, int index, const char *name, struct asked *x)
{
	double number = lua_type(b->lua, index) == LUA_TNUMBER ? lua_tonumber(b->lua, index) : NAN;
	if (isnan(number))
		return fw_build_fail(b, at, NULL, "%s is an amount of money, a number", name);
	x->has_bound = true;
	*(strcmp(name, "at_least") == 0 ? &x->low : &x->high) = number;
	return 0;
}

static int read_field(struct fw_builder *b, struct fw_at *at, int index, const char *name, struct asked *x)
{
	bool bound = strcmp(name, "at_least") == 0 || strcmp(name, "at_most") == 0;
	if (strcmp(name, "product") == 0)
		return read_id(b, at, index, x);
	if (strcmp(name, "is") == 0)
		return 0; /* once the product is known */
	if (bound && x->ref.fact == FW_FACT_PRICE)
		return read_bound(b, at, index, name, x);
	char hint[100] = "";
	const char *nearest = fw_nearest_in(name, &product_words[0].name, FW_FIELDS(product_words), sizeof *product_words);
	if (nearest && !bound)
		snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
	return fw_build_fail(b, at, hint, "%s has no \"%s\"", fw_fact_info(x->ref.fact)->name, name);
}

static int read_is(struct fw_builder *b, struct fw_at *at, int table, struct asked *x)
{
	lua_getfield(b->lua, table, "is");
	int ret = 0;
	if (!lua_isnil(b->lua, -1)) {
		size_t length = fw_at_enter(at, "is");
		ret = fw_compile_matcher(b, at, lua_gettop(b->lua), &x->ref, &x->is);
		fw_at_leave(at, length);
	}
	lua_pop(b->lua, 1);
	return ret;
}

/* What is asked where nothing but the product, or a bound, is said. */
static int build_plain(struct fw_builder *b, struct fw_at *at, const struct asked *x, uint32_t *ret_node)
{
	struct fw_literal l = { .op = FW_OP_RANGE, .as = FW_AS_NUMBER, .low = x->low, .high = x->high };
	char hint[120];
	if (x->ref.fact == FW_FACT_IN_STOCK) {
		double *yes = FW_NEW_ARRAY(&b->set->arena, 1, double);
		if (!yes)
			return fw_build_no_memory(b);
		*yes = 1;
		l = (struct fw_literal){ .op = FW_OP_ONE_OF, .as = FW_AS_BOOL, .numbers = yes, .n = 1 };
	} else if (!x->has_bound) {
		snprintf(hint, sizeof hint, "write %s = { product = \"…\", %s }", fw_fact_info(x->ref.fact)->name,
			x->ref.fact == FW_FACT_PRICE ? "at_most = 100" : "is = \"…\"");
		return fw_build_fail(b, at, hint, "what is %s to be?", fw_fact_info(x->ref.fact)->name);
	}
	if (x->low > x->high)
		return fw_build_fail(b, at, NULL, "at_least is greater than at_most");
	return fw_build_literal(b, &x->ref, &l, ret_node);
}

static int read_fields(struct fw_builder *b, struct fw_at *at, int table, struct asked *x)
{
	struct fw_key *keys = NULL;
	size_t n = 0;
	const char *name = fw_fact_info(x->ref.fact)->name;
	int ret = fw_build_keys(b, at, table, &keys, &n);
	for (size_t i = 0; i < n && ret == 0; i++) {
		if (!keys[i].name.p)
			return fw_build_fail(b, at, NULL, "%s takes named fields", name);
		fw_build_push(b, table, &keys[i]);
		size_t length = fw_at_enter(at, keys[i].name.p);
		ret = read_field(b, at, lua_gettop(b->lua), keys[i].name.p, x);
		fw_at_leave(at, length);
		lua_pop(b->lua, 1);
	}
	if (ret == 0 && x->ref.query.key_kind == FW_KEY_NONE)
		ret = fw_build_fail(b, at, "write product = \"ID\"", "%s is asked of a product, and names none", name);
	return ret;
}

int fw_compile_product(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, uint32_t *ret_node)
{
	lua_State *L = b->lua;
	struct asked x = { .ref = { .fact = fact, .query.fact = fact }, .is = FW_NONE, .low = -INFINITY, .high = INFINITY };
	const char *name = fw_fact_info(fact)->name;
	int top = lua_gettop(L);
	bool negated = false;
	int ret = fw_build_past_nots(b, at, &index, &negated);
	if (ret < 0)
		return ret;
	if (lua_type(L, index) != LUA_TTABLE || fw_words_tag(L, index))
		ret = fw_build_fail(b, at, "write it as { product = \"ID\" }", "%s is asked of a product", name);
	else
		ret = read_fields(b, at, index, &x);
	if (ret == 0)
		ret = read_is(b, at, index, &x);
	lua_settop(L, top);
	if (ret == 0 && x.is != FW_NONE && x.has_bound)
		ret = fw_build_fail(b, at, "write is = between(20, 50)", "at_least and at_most do not go with is");
	if (ret == 0 && x.is == FW_NONE)
		ret = build_plain(b, at, &x, &x.is);
	if (ret == 0 && negated)
		ret = fw_build_node(b, FW_NODE_NOT, &x.is, 1, &x.is);
	if (ret == 0)
		*ret_node = x.is;
	return ret;
}

#include "fact/products_then.h"

#include "base/limits.h"
#include "fact/facts_pack.h"

enum { FIRST = 16 };

struct fw_products_then *fw_products_then_new(struct fw_arena *arena)
{
	struct fw_products_then *t = FW_NEW(arena, struct fw_products_then);
	if (!t)
		return NULL;
	t->arena = arena;
	for (unsigned i = 0; i < FW_PRODUCT_FACTS; i++)
		fw_map_init(&t->answers_by[i], arena);
	fw_map_init(&t->stock_by, arena);
	return t;
}

/* One more place of a list; the list doubles. NULL: there is none. */
static void *grow(struct fw_products_then *t, void *list, uint32_t n, size_t size)
{
	bool full = n == 0 || (n >= FIRST && (n & (n - 1)) == 0);
	if (n >= FW_LIMIT_PRODUCTS_THEN)
		t->lost = true;
	if (t->lost || !full)
		return t->lost ? NULL : list;
	void *more = fw_arena_array(t->arena, n ? 2 * n : FIRST, size);
	t->lost = !more;
	if (more && n)
		memcpy(more, list, n * size);
	return more;
}

static struct fw_str copy(struct fw_products_then *t, struct fw_str text)
{
	struct fw_str own = { fw_arena_strndup(t->arena, text.p, text.n), text.n };
	t->lost |= !own.p;
	return own;
}

static struct fw_map *answers_of(struct fw_products_then *t, enum fw_fact fact)
{
	return &t->answers_by[fact - FW_FACT_IN_STOCK];
}

void fw_products_then_note(struct fw_products_then *t, const struct fw_query *query, const struct fw_value *value)
{
	struct fw_map *by = answers_of(t, query->fact);
	if (fw_map_get(by, query->key) != FW_MAP_NONE)
		return;
	struct fw_product_answer *list = grow(t, t->answers, t->n_answers, sizeof *list);
	if (!list)
		return;
	struct fw_product_answer a = { .query = { .fact = query->fact, .key = copy(t, query->key) }, .value = *value };
	bool set = value->state == FW_KNOWN && value->kind == FW_KIND_SET && value->n_items;
	struct fw_value *items = set ? FW_NEW_ARRAY(t->arena, value->n_items, struct fw_value) : NULL;
	t->lost |= set && !items;
	if (items) {
		memcpy(items, value->items, value->n_items * sizeof *items);
		a.value.items = items;
	}
	t->answers = list;
	t->lost |= fw_map_put(by, query->key, t->n_answers) < 0;
	if (!t->lost)
		t->answers[t->n_answers++] = a;
}

void fw_products_then_note_stock(struct fw_products_then *t, struct fw_str id, bool sold_out)
{
	if (fw_map_get(&t->stock_by, id) != FW_MAP_NONE)
		return;
	struct fw_product_stock *list = grow(t, t->stock, t->n_stock, sizeof *list);
	if (!list)
		return;
	const struct fw_product_stock s = { copy(t, id), sold_out };
	t->stock = list;
	t->lost |= fw_map_put(&t->stock_by, id, t->n_stock) < 0;
	if (!t->lost)
		t->stock[t->n_stock++] = s;
}

struct fw_value fw_products_then_ask(struct fw_products_then *t, const struct fw_query *query)
{
	uint32_t i = fw_map_get(answers_of(t, query->fact), query->key);
	t->lost |= i == FW_MAP_NONE;
	return i == FW_MAP_NONE ? (struct fw_value){ .state = FW_ABSENT } : t->answers[i].value;
}

bool fw_products_then_sold_out(struct fw_products_then *t, struct fw_str id)
{
	uint32_t i = fw_map_get(&t->stock_by, id);
	t->lost |= i == FW_MAP_NONE;
	return i != FW_MAP_NONE && t->stock[i].sold_out;
}

void fw_products_then_pack(const struct fw_products_then *t, struct fw_buf *out)
{
	fw_buf_putc(out, t->lost);
	fw_pack_number(out, t->n_answers);
	for (uint32_t i = 0; i < t->n_answers; i++) {
		fw_buf_putc(out, (char)(t->answers[i].query.fact - FW_FACT_IN_STOCK));
		fw_pack_bytes(out, t->answers[i].query.key);
		fw_value_pack(&t->answers[i].value, out);
	}
	fw_pack_number(out, t->n_stock);
	for (uint32_t i = 0; i < t->n_stock; i++) {
		fw_buf_putc(out, t->stock[i].sold_out);
		fw_pack_bytes(out, t->stock[i].id);
	}
}

static bool get_bool(struct fw_unpack *u)
{
	unsigned char byte = fw_unpack_byte(u);
	u->failed |= byte > 1;
	return byte == 1;
}

static int get_answers(struct fw_unpack *u, struct fw_arena *a, struct fw_products_then *t)
{
	int rc = 0;
	t->n_answers = fw_unpack_bounded(u, FW_LIMIT_PRODUCTS_THEN);
	if (!(t->answers = FW_NEW_ARRAY(a, t->n_answers, struct fw_product_answer)))
		return FW_ENOMEM;
	for (uint32_t i = 0; i < t->n_answers && rc == 0 && !u->failed; i++) {
		enum fw_fact fact = (enum fw_fact)(FW_FACT_IN_STOCK + fw_unpack_bounded(u, FW_PRODUCT_FACTS - 1));
		t->answers[i].query = (struct fw_query){ .fact = fact, .key = fw_unpack_bytes(u) };
		rc = fw_value_unpack(u, a, &t->answers[i].value);
		if (rc == 0 && !u->failed)
			rc = fw_map_put(answers_of(t, fact), t->answers[i].query.key, i);
	}
	return rc;
}

int fw_products_then_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_products_then **ret)
{
	struct fw_products_then *t = fw_products_then_new(a);
	if (!t)
		return FW_ENOMEM;
	t->again = true;
	t->lost = get_bool(u);
	int rc = get_answers(u, a, t);
	t->n_stock = rc == 0 ? fw_unpack_bounded(u, FW_LIMIT_PRODUCTS_THEN) : 0;
	if (rc == 0 && !(t->stock = FW_NEW_ARRAY(a, t->n_stock, struct fw_product_stock)))
		rc = FW_ENOMEM;
	for (uint32_t i = 0; i < t->n_stock && rc == 0 && !u->failed; i++) {
		t->stock[i].sold_out = get_bool(u);
		t->stock[i].id = fw_unpack_bytes(u);
		if (!u->failed)
			rc = fw_map_put(&t->stock_by, t->stock[i].id, i);
	}
	*ret = t;
	return rc;
}

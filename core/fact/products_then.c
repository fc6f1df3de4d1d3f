#include "fact/products_then.h"

#include "base/limits.h"
#include "fact/facts_pack.h"

enum { FIRST = 16, FACTS = FW_FACT_BRAND - FW_FACT_IN_STOCK + 1 };

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

static const struct fw_product_answer *find(const struct fw_products_then *t, const struct fw_query *query)
{
	for (uint32_t i = 0; i < t->n_answers; i++)
		if (t->answers[i].query.fact == query->fact && fw_str_equal(t->answers[i].query.key, query->key))
			return &t->answers[i];
	return NULL;
}

static const struct fw_product_stock *find_stock(const struct fw_products_then *t, struct fw_str id)
{
	for (uint32_t i = 0; i < t->n_stock; i++)
		if (fw_str_equal(t->stock[i].id, id))
			return &t->stock[i];
	return NULL;
}

void fw_products_then_note(struct fw_products_then *t, const struct fw_query *query, const struct fw_value *value)
{
	struct fw_product_answer *list = find(t, query) ? NULL : grow(t, t->answers, t->n_answers, sizeof *list);
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
	if (!t->lost)
		t->answers[t->n_answers++] = a;
}

void fw_products_then_note_stock(struct fw_products_then *t, struct fw_str id, bool sold_out)
{
	struct fw_product_stock *list = find_stock(t, id) ? NULL : grow(t, t->stock, t->n_stock, sizeof *list);
	if (!list)
		return;
	const struct fw_product_stock s = { copy(t, id), sold_out };
	t->stock = list;
	if (!t->lost)
		t->stock[t->n_stock++] = s;
}

struct fw_value fw_products_then_ask(struct fw_products_then *t, const struct fw_query *query)
{
	const struct fw_product_answer *a = find(t, query);
	t->lost |= !a;
	return a ? a->value : (struct fw_value){ .state = FW_ABSENT };
}

bool fw_products_then_sold_out(struct fw_products_then *t, struct fw_str id)
{
	const struct fw_product_stock *s = find_stock(t, id);
	t->lost |= !s;
	return s && s->sold_out;
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
		unsigned fact = fw_unpack_bounded(u, FACTS - 1);
		t->answers[i].query = (struct fw_query){ .fact = (enum fw_fact)(FW_FACT_IN_STOCK + fact), .key = fw_unpack_bytes(u) };
		rc = fw_value_unpack(u, a, &t->answers[i].value);
	}
	return rc;
}

int fw_products_then_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_products_then **ret)
{
	struct fw_products_then *t = FW_NEW(a, struct fw_products_then);
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
	}
	*ret = t;
	return rc;
}

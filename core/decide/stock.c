#include "decide/stock.h"

#include "base/json.h"
#include "fact/product_names.h"
#include "fact/products.h"
#include "fact/products_then.h"

struct looking {
	const struct fw_facts *facts;
	bool fewer;
	struct fw_str sold_out; /* the first that was found; n 0: none */
};

/* What somebody wrote down of a visitor's world counts before the catalogue. */
bool fw_stock_is_sold_out(const struct fw_facts *f, struct fw_str id)
{
#ifdef FW_BREAK_STOCK /* what is sold out is shown, and sent */
	return false;
#endif
	for (unsigned i = 0; i < f->n_product_answers; i++) {
		const struct fw_product_answer *a = &f->product_answers[i];
		if (a->query.fact == FW_FACT_IN_STOCK && fw_str_equal_fold(a->query.key, id))
			return a->value.state == FW_KNOWN && !a->value.boolean;
	}
	if (f->then && f->then->again)
		return fw_products_then_sold_out(f->then, id);
	if (!f->products)
		return false;
	uint32_t number = fw_products_find(f->products, id);
	bool sold_out = number == FW_NO_PRODUCT || fw_products_sold_out(f->products, number);
	fw_products_note_asked(f->asked, number);
	if (f->then)
		fw_products_then_note_stock(f->then, id, sold_out);
	return sold_out;
}

static bool goes(struct looking *x, struct fw_json *v, bool is_product);

/* Takes out of the list what is sold out; whether all of it was. */
static bool goes_list(struct looking *x, struct fw_json *list, bool of_products)
{
	struct fw_json **at = &list->child;
	unsigned before = list->count;
	while (*at) {
		if (!goes(x, *at, of_products)) {
			at = &(*at)->next;
			continue;
		}
		*at = (*at)->next;
		list->count--;
		x->fewer = true;
	}
	return before && !list->count;
}

/* Whether the value is to go. */
static bool goes(struct looking *x, struct fw_json *v, bool is_product)
{
	struct fw_str id = is_product ? fw_product_named(v) : (struct fw_str){ NULL, 0 };
	bool any = false;
	if (id.n && fw_stock_is_sold_out(x->facts, id)) {
		if (!x->sold_out.n)
			x->sold_out = id;
		return true;
	}
	if (v->type == FW_JSON_ARRAY)
		return goes_list(x, v, is_product);
	for (struct fw_json *m = v->type == FW_JSON_OBJECT ? v->child : NULL; m && !any; m = m->next)
		any = goes(x, m, fw_names_products(m->key));
	return any;
}

static int write(const struct fw_json *content, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_tree(&o, content);
	return fw_buf_keep(&b, a, ret);
}

int fw_stock_look(const struct fw_facts *facts, struct fw_str content, struct fw_arena *a, enum fw_stock *ret_stock, struct fw_str *ret)
{
	struct looking x = { .facts = facts };
	struct fw_json *tree;
	*ret_stock = FW_STOCK_FINE;
#ifdef FW_BREAK_STOCK /* what is sold out is shown, and sent */
	return 0;
#endif
	bool knows = facts->products || facts->n_product_answers || (facts->then && facts->then->again);
	if (!knows || !fw_may_name_products(content))
		return 0;
	if (fw_json_parse(a, content.p, content.n, &tree, NULL) < 0)
		return FW_ENOMEM;
	bool all = goes(&x, tree, false);
	if (!all && !x.fewer)
		return 0;
	*ret_stock = all ? FW_STOCK_SOLD_OUT : FW_STOCK_FEWER;
	if (ret && all)
		*ret = x.sold_out;
	return ret && !all ? write(tree, a, ret) : 0;
}

bool fw_stock_still_fine(const struct fw_facts *facts, struct fw_str content, struct fw_arena *a)
{
	enum fw_stock stock;
	return fw_stock_look(facts, content, a, &stock, NULL) == 0 && stock == FW_STOCK_FINE;
}

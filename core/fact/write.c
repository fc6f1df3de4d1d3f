#include "base/clock.h"
#include "fact/given.h"

static void put_number(struct fw_json_out *o, enum fw_type type, double x)
{
	char date[16];
	if (type == FW_TYPE_WEEKDAY)
		fw_json_text_value(o, fw_weekday_name((int)x));
	else if (type == FW_TYPE_DATE)
		fw_json_text_value(o, fw_date_text((int64_t)x, date));
	else
		fw_json_number(o, x);
}

static void put_value(struct fw_json_out *o, enum fw_type type, const struct fw_value *v)
{
	if (v->n_several > 1) { /* where only the country is known: what it may be */
		fw_json_open_array(o);
		for (unsigned i = 0; i < v->n_several; i++)
			put_number(o, type, v->several[i]);
		fw_json_close_array(o);
		return;
	}
	switch (v->kind) {
	case FW_KIND_TEXT: fw_json_string(o, v->text); break;
	case FW_KIND_BOOL: fw_json_bool(o, v->boolean); break;
	case FW_KIND_NUMBER: put_number(o, type, v->number); break;
	case FW_KIND_SET:
		fw_json_open_array(o);
		for (unsigned i = 0; i < v->n_items; i++)
			put_value(o, FW_TYPE_ANY, &v->items[i]);
		fw_json_close_array(o);
		break;
	}
}

static void put_single(struct fw_json_out *o, const struct fw_facts *f, enum fw_fact fact, const char *name)
{
	const struct fw_value *v = &f->single[fact];
	if (v->state != FW_KNOWN)
		return;
	fw_json_key(o, name);
	put_value(o, fw_fact_info(fact)->type, v);
}

static bool any_known(const struct fw_facts *f, enum fw_fact first, enum fw_fact last)
{
	for (int i = (int)first; i <= (int)last; i++)
		if (f->single[i].state == FW_KNOWN)
			return true;
	return false;
}

static void put_cart(struct fw_json_out *o, const struct fw_facts *f)
{
	if (!any_known(f, FW_FACT_CART_ITEMS, FW_FACT_CART_BRAND))
		return;
	fw_json_key(o, "cart");
	fw_json_open_object(o);
	put_single(o, f, FW_FACT_CART_ITEMS, "items");
	put_single(o, f, FW_FACT_CART_TOTAL, "total");
	put_single(o, f, FW_FACT_CART_AGE, "age");
	if (any_known(f, FW_FACT_CART_CATEGORY, FW_FACT_CART_BRAND)) {
		fw_json_key(o, "contains");
		fw_json_open_object(o);
		put_single(o, f, FW_FACT_CART_CATEGORY, "category");
		put_single(o, f, FW_FACT_CART_PRODUCT, "product");
		put_single(o, f, FW_FACT_CART_BRAND, "brand");
		fw_json_close_object(o);
	}
	fw_json_close_object(o);
}

static void put_members(struct fw_json_out *o, const char *name, const struct fw_member *m, unsigned n)
{
	if (n == 0)
		return;
	fw_json_key(o, name);
	fw_json_open_object(o);
	for (unsigned i = 0; i < n; i++) {
		if (m[i].value.state != FW_KNOWN)
			continue;
		fw_json_key_str(o, m[i].name);
		put_value(o, FW_TYPE_ANY, &m[i].value);
	}
	fw_json_close_object(o);
}

/* Another item of the list of a fact that is asked with a query; the list begins with its first. */
static void open_item(struct fw_json_out *o, enum fw_fact fact, bool *open)
{
	if (!*open) {
		fw_json_key(o, fw_fact_info(fact)->name);
		fw_json_open_array(o);
		*open = true;
	}
	fw_json_open_object(o);
}

static void put_answers(struct fw_json_out *o, const struct fw_facts *f)
{
	for (int fact = FW_FACT_VIEWED; fact <= FW_FACT_AFFINITY; fact++) {
		bool open = false;
		for (unsigned i = 0; i < f->n_answers; i++) {
			const struct fw_answer *a = &f->answers[i];
			if ((int)a->query.fact != fact)
				continue;
			open_item(o, (enum fw_fact)fact, &open);
			if (a->query.key_kind != FW_KEY_NONE) {
				fw_json_key(o, fw_key_kind_name(a->query.key_kind));
				fw_json_string(o, a->query.key);
			}
			if (a->query.within_s) {
				struct fw_buf within;
				fw_buf_init(&within, 0);
				fw_buf_printf(&within, "%llds", (long long)a->query.within_s);
				fw_json_key(o, "within");
				fw_json_text_value(o, fw_buf_text(&within));
				fw_buf_finish(&within);
			}
			fw_json_key(o, fact == FW_FACT_AFFINITY ? "share" : "total");
			fw_json_number(o, a->number);
			fw_json_close_object(o);
		}
		if (open)
			fw_json_close_array(o);
	}
}

/* What somebody wrote down; what the catalogue knows is nobody's. */
static void put_products(struct fw_json_out *o, const struct fw_facts *f)
{
	for (int fact = FW_FACT_IN_STOCK; fact <= FW_FACT_BRAND; fact++) {
		bool open = false;
		for (unsigned i = 0; i < f->n_product_answers; i++) {
			const struct fw_product_answer *a = &f->product_answers[i];
			if ((int)a->query.fact != fact)
				continue;
			open_item(o, (enum fw_fact)fact, &open);
			fw_json_key(o, "product");
			fw_json_string(o, a->query.key);
			fw_json_key(o, "is");
			if (a->value.state == FW_KNOWN)
				put_value(o, FW_TYPE_ANY, &a->value);
			else
				fw_json_null(o);
			fw_json_close_object(o);
		}
		if (open)
			fw_json_close_array(o);
	}
}

void fw_facts_write(struct fw_json_out *o, const struct fw_facts *f)
{
	fw_json_open_object(o);
	for (int i = 0; i < FW_FACT_SINGLE; i++)
		if (i < FW_FACT_CART_ITEMS || i > FW_FACT_CART_BRAND)
			put_single(o, f, (enum fw_fact)i, fw_fact_info((enum fw_fact)i)->name);
	put_cart(o, f);
	put_members(o, "traits", f->traits, f->n_traits);
	put_members(o, "event", f->event, f->n_event);
	put_members(o, "engagement", f->engagement, f->n_engagement);
	put_answers(o, f);
	put_products(o, f);
	if (f->segments_given) {
		fw_json_key(o, "segment");
		put_value(o, FW_TYPE_SET, &f->segments);
	}
	fw_json_close_object(o);
}

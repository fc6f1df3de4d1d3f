#include "catalog/told.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "store/store.h"
#include "store/wire.h"

enum { AVAILABILITY_N = 9, PRICE_N = 24 };

uint32_t fw_told_bucket(void)
{
	static const char name[] = "catalog";
	return fw_store_bucket(fw_hash(name, sizeof name - 1));
}

static void put_double(char *to, double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	fw_put_number(to, bits, 8);
}

static double get_double(const char *from)
{
	uint64_t bits = fw_get_number(from, 8);
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static void begin_row(struct fw_told_row *row, char what, struct fw_str id, int64_t at_us, unsigned value_n)
{
	row->key[0] = FW_TOLD_LETTER;
	row->key[1] = what;
	fw_fold(id, row->key + 2);
	row->key_n = (unsigned)(2 + id.n);
	fw_put_number(row->value, (uint64_t)at_us, 8);
	row->value_n = value_n;
}

/* One of the list being read. */
struct reading {
	const struct fw_products *p;
	struct fw_json_out *rejected;
	int64_t at_us;
	struct fw_told_row *rows;
	unsigned n;
};

static void reject(struct reading *x, unsigned index, const char *code, const char *message)
{
	fw_json_open_object(x->rejected);
	fw_json_key(x->rejected, "index");
	fw_json_number(x->rejected, index);
	fw_json_key(x->rejected, "code");
	fw_json_text_value(x->rejected, code);
	fw_json_key(x->rejected, "message");
	fw_json_text_value(x->rejected, message);
	fw_json_close_object(x->rejected);
}

static bool is_amount(const struct fw_json *v)
{
	return v->type == FW_JSON_NUMBER && v->number >= 0;
}

/* A member that is none of those there are. */
static const struct fw_json *unknown_member(const struct fw_json *v)
{
	static const char *const known[] = { "id", "availability", "price", "sale_price" };
	for (const struct fw_json *m = v->child; m; m = m->next) {
		bool is = false;
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			is |= fw_str_is(m->key, known[i]);
		if (!is)
			return m;
	}
	return NULL;
}

/* Why it cannot be told, into buf; NULL: it can. */
static const char *check(const struct fw_json *v, int *ret_availability, char *buf, size_t size)
{
	const struct fw_json *availability = fw_json_get(v, "availability"), *price = fw_json_get(v, "price"),
		*sale = fw_json_get(v, "sale_price"), *unknown = unknown_member(v);
	if (unknown) {
		snprintf(buf, size, "there is no \"%.*s\" to be told: it is id, availability, price and sale_price",
			(int)fw_utf8_cut(unknown->key, 60), unknown->key.p);
		return buf;
	}
	if (!availability && !price && !sale)
		return "nothing is told of it: write availability, price, or both";
	if (availability && (availability->type != FW_JSON_STRING || (*ret_availability = fw_availability_find(availability->string)) < 0))
		return "availability is in_stock, out_of_stock, preorder or backorder";
	if (sale && !price)
		return "a sale_price is told beside the price";
	if ((price && !is_amount(price)) || (sale && sale->type != FW_JSON_NULL && !is_amount(sale)))
		return "a price is a number from 0, in the store's currency";
	return NULL;
}

/* Whether it is told. */
static bool read_one(struct reading *x, const struct fw_json *v, unsigned index)
{
	struct fw_str id = fw_json_text(v, "id");
	const struct fw_json *price = fw_json_get(v, "price"), *sale = fw_json_get(v, "sale_price");
	int availability = -1;
	char buf[200];
	if (v->type != FW_JSON_OBJECT || !id.n) {
		reject(x, index, "bad_request", "a product is an object with an id");
		return false;
	}
	if (fw_products_find(x->p, id) == FW_NO_PRODUCT) {
		reject(x, index, "not_found", "the catalogue has no such product");
		return false;
	}
	const char *why = check(v, &availability, buf, sizeof buf);
	if (why) {
		reject(x, index, "bad_request", why);
		return false;
	}
	if (availability >= 0) {
		struct fw_told_row *row = &x->rows[x->n++];
		begin_row(row, 'a', id, x->at_us, AVAILABILITY_N);
		row->value[8] = (char)availability;
	}
	if (price) {
		struct fw_told_row *row = &x->rows[x->n++];
		begin_row(row, 'p', id, x->at_us, PRICE_N);
		put_double(row->value + 8, price->number);
		put_double(row->value + 16, sale && sale->type == FW_JSON_NUMBER ? sale->number : NAN);
	}
	return true;
}

int fw_told_read(const struct fw_products *p, const struct fw_json *body, int64_t at_us, struct fw_arena *a, struct fw_json_out *rejected,
	struct fw_told_row **ret, unsigned *ret_n, unsigned *ret_changed, struct fw_error *err)
{
	const struct fw_json *list = fw_json_get(body, "products");
	struct reading x = { .p = p, .rejected = rejected, .at_us = at_us > p->head->feed_us ? at_us : p->head->feed_us + 1 };
	unsigned index = 0;
	if (!list || list->type != FW_JSON_ARRAY || list->count == 0) {
		fw_fail(err, FW_EINVAL, NULL, 0, "it lists no products");
		fw_hint(err, "write {\"products\":[{\"id\":\"…\",\"availability\":\"out_of_stock\"}]}");
		return FW_EINVAL;
	}
	if (list->count > FW_LIMIT_PRODUCT_CHANGES)
		return fw_fail(err, FW_EINVAL, NULL, 0, "it lists more than %d products", FW_LIMIT_PRODUCT_CHANGES);
	if (!(x.rows = FW_NEW_ARRAY(a, 2 * list->count, struct fw_told_row)))
		return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	*ret_changed = 0;
	for (const struct fw_json *v = list->child; v; v = v->next)
		*ret_changed += read_one(&x, v, index++);
	*ret = x.rows;
	*ret_n = x.n;
	return 0;
}

int64_t fw_told_at(struct fw_str value)
{
	return value.n == AVAILABILITY_N || value.n == PRICE_N ? (int64_t)fw_get_number(value.p, 8) : 0;
}

static bool same_price(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

bool fw_told_apply(struct fw_products *p, struct fw_str key, struct fw_str value, uint32_t *ret_changed)
{
	*ret_changed = FW_NO_PRODUCT;
	int64_t at_us = fw_told_at(value);
	bool is_price = key.n > 2 && key.p[1] == 'p', is_availability = key.n > 2 && key.p[1] == 'a';
	if (!p->told || at_us <= p->head->feed_us || (is_price ? value.n != PRICE_N : !is_availability || value.n != AVAILABILITY_N))
		return false;
	uint32_t number = fw_products_find(p, (struct fw_str){ key.p + 2, key.n - 2 });
	if (number == FW_NO_PRODUCT || (is_availability && (unsigned char)value.p[8] >= FW_AVAILABILITIES))
		return false;
	struct fw_product_told *t = &p->told[number];
	const struct fw_product_told before = *t;
	p->n_told += !t->availability_us && !t->price_us;
	if (is_availability && at_us >= t->availability_us) {
		t->availability_us = at_us;
		t->availability = (uint8_t)value.p[8];
	} else if (is_price && at_us >= t->price_us) {
		t->price_us = at_us;
		t->price = get_double(value.p + 8);
		t->sale_price = get_double(value.p + 16);
	}
	/* What is told for the first time may be what the feed said; to look whether it is would not be worth it. */
	bool same = is_price ? before.price_us && same_price(before.price, t->price) && same_price(before.sale_price, t->sale_price)
		: before.availability_us && before.availability == t->availability;
	*ret_changed = same ? FW_NO_PRODUCT : number;
	return true;
}

static void put_text(struct fw_json_out *o, const char *key, struct fw_str text)
{
	fw_json_key(o, key);
	if (text.n)
		fw_json_string(o, text);
	else
		fw_json_null(o);
}

static void put_price(struct fw_json_out *o, const char *key, double price)
{
	fw_json_key(o, key);
	fw_json_number(o, price); /* null where there is none */
}

void fw_told_write(const struct fw_products *p, uint32_t number, int64_t now_us, struct fw_json_out *o)
{
	struct fw_product x;
	char at[32];
	fw_products_get(p, number, now_us, &x);
	fw_json_open_object(o);
	put_text(o, "id", x.id);
	put_text(o, "title", x.title);
	put_text(o, "link", x.link);
	put_text(o, "image_link", x.image);
	put_price(o, "price", x.price);
	put_price(o, "sale_price", x.sale_price);
	fw_json_key(o, "availability");
	fw_json_text_value(o, fw_availability_name(x.availability));
	put_text(o, "brand", x.brand);
	fw_json_key(o, "product_type");
	fw_json_open_array(o);
	for (uint32_t i = 0; i < x.n_categories; i++)
		fw_json_string(o, fw_products_category(p, number, i, NULL));
	fw_json_close_array(o);
	fw_json_key(o, "told");
	fw_json_text_value(o, x.told_us ? fw_time_text(x.told_us, at) : NULL);
	fw_json_close_object(o);
}

#include "fact/products.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

static const char *const names[FW_AVAILABILITIES] = { "in_stock", "out_of_stock", "preorder", "backorder" };

const char *fw_availability_name(enum fw_availability availability)
{
	return names[availability];
}

bool fw_products_word(struct fw_str name, char *word, size_t size)
{
	if (name.n == 0 || name.n >= size)
		return false;
	fw_fold(name, word);
	for (size_t i = 0; i < name.n; i++)
		if (word[i] == ' ' || word[i] == '-')
			word[i] = '_';
	return true;
}

int fw_availability_find(struct fw_str name)
{
	char word[16];
	if (!fw_products_word(name, word, sizeof word))
		return -1;
	for (int i = 0; i < FW_AVAILABILITIES; i++)
		if (fw_str_is((struct fw_str){ word, name.n }, names[i]))
			return i;
	return -1;
}

static const void *part(const struct fw_products_head *h, uint64_t at)
{
	return (const char *)h + at;
}

static const struct fw_product_row *row_of(const struct fw_products *p, uint32_t number)
{
	return (const struct fw_product_row *)part(p->head, p->head->rows) + number;
}

static struct fw_str text_at(const struct fw_products *p, uint64_t at, size_t n)
{
	return (struct fw_str){ (const char *)part(p->head, p->head->texts) + at, n };
}

static const struct fw_product_label *label_of(const struct fw_products *p, uint32_t number)
{
	return (const struct fw_product_label *)part(p->head, p->head->labels) + number;
}

/* Whether n items of that size lie in the block, where they may. */
static bool lies_in(const struct fw_products_head *h, uint64_t at, uint64_t n, size_t size)
{
	return at >= sizeof *h && at % 8 == 0 && at <= h->bytes && n <= (h->bytes - at) / size;
}

static bool rows_fit(const struct fw_products *p)
{
	const struct fw_products_head *h = p->head;
	const uint32_t *index = part(h, h->index), *lists = part(h, h->lists);
	for (uint64_t i = 0; i < UINT64_C(1) << h->index_bits; i++)
		if (index[i] > h->n)
			return false;
	for (uint32_t i = 0; i < h->n_listed; i++)
		if (lists[i] >= h->n_labels)
			return false;
	for (uint32_t i = 0; i < h->n_labels; i++) {
		const struct fw_product_label *l = label_of(p, i);
		if (l->n > h->texts_n || l->text > h->texts_n - l->n || l->folded > h->texts_n - l->n)
			return false;
	}
	for (uint32_t i = 0; i < h->n; i++) {
		const struct fw_product_row *r = row_of(p, i);
		uint64_t n = (uint64_t)r->id_n + r->title_n + r->link_n + r->image_n;
		if (n > h->texts_n || r->text > h->texts_n - n || r->availability >= FW_AVAILABILITIES ||
				(r->brand != FW_NO_LABEL && r->brand >= h->n_labels) || r->n_categories > h->n_listed ||
				r->first_category > h->n_listed - r->n_categories)
			return false;
	}
	return true;
}

bool fw_products_fit(const void *block, size_t n)
{
	const struct fw_products_head *h = block;
	const struct fw_products p = { .head = h };
	enum { SUMMED = offsetof(struct fw_products_head, bytes) };
	if (n < sizeof *h || memcmp(h->magic, FW_PRODUCTS_MAGIC, sizeof h->magic) != 0 || h->bytes != n ||
			h->checksum != fw_hash((const char *)block + SUMMED, n - SUMMED))
		return false;
	if (h->n > FW_LIMIT_PRODUCTS || h->index_bits > 31 || (UINT64_C(1) << h->index_bits) <= h->n || h->currency[3] != '\0')
		return false;
	bool inside = lies_in(h, h->index, UINT64_C(1) << h->index_bits, sizeof(uint32_t));
	inside &= lies_in(h, h->rows, h->n, sizeof(struct fw_product_row));
	inside &= lies_in(h, h->labels, h->n_labels, sizeof(struct fw_product_label));
	inside &= lies_in(h, h->lists, h->n_listed, sizeof(uint32_t));
	return inside && lies_in(h, h->texts, h->texts_n, 1) && rows_fit(&p);
}

/* There always is a free place: the index is larger than what is in it. */
static uint32_t find_folded(const struct fw_products *p, struct fw_str folded)
{
	const struct fw_products_head *h = p->head;
	const uint32_t *index = part(h, h->index);
	uint32_t mask = (uint32_t)((UINT64_C(1) << h->index_bits) - 1);
	for (uint32_t at = (uint32_t)fw_hash(folded.p, folded.n) & mask; index[at]; at = (at + 1) & mask) {
		const struct fw_product_row *r = row_of(p, index[at] - 1);
		if (r->id_n == folded.n && fw_str_equal_fold(text_at(p, r->text, r->id_n), folded))
			return index[at] - 1;
	}
	return FW_NO_PRODUCT;
}

uint32_t fw_products_find(const struct fw_products *p, struct fw_str id)
{
	char folded[FW_LIMIT_KEY_BYTES];
	if (id.n == 0 || id.n > sizeof folded)
		return FW_NO_PRODUCT;
	fw_fold(id, folded);
	return find_folded(p, (struct fw_str){ folded, id.n });
}

static struct fw_str label_text(const struct fw_products *p, uint32_t number, struct fw_str *ret_folded)
{
	const struct fw_product_label *l = label_of(p, number);
	if (ret_folded)
		*ret_folded = text_at(p, l->folded, l->n);
	return text_at(p, l->text, l->n);
}

static bool on_sale(const struct fw_product_row *r, int64_t now_us)
{
	if (now_us == 0)
		return r->sale_from_us == INT64_MIN && r->sale_until_us == INT64_MAX;
	return r->sale_from_us <= now_us && now_us < r->sale_until_us;
}

static enum fw_availability availability_of(const struct fw_products *p, uint32_t number)
{
	bool told = p->told && p->told[number].availability_us;
	return (enum fw_availability)(told ? p->told[number].availability : row_of(p, number)->availability);
}

void fw_products_get(const struct fw_products *p, uint32_t number, int64_t now_us, struct fw_product *ret)
{
	const struct fw_product_row *r = row_of(p, number);
	const struct fw_product_told *t = p->told ? &p->told[number] : NULL;
	uint64_t at = r->text;
	*ret = (struct fw_product){ .price = r->price, .sale_price = on_sale(r, now_us) ? r->sale_price : NAN,
		.availability = availability_of(p, number), .n_categories = r->n_categories };
	ret->id = text_at(p, at, r->id_n);
	ret->title = text_at(p, at += r->id_n, r->title_n);
	ret->link = text_at(p, at += r->title_n, r->link_n);
	ret->image = text_at(p, at += r->link_n, r->image_n);
	if (r->brand != FW_NO_LABEL)
		ret->brand = label_text(p, r->brand, NULL);
	if (t && t->price_us) {
		ret->price = t->price;
		ret->sale_price = t->sale_price;
	}
	if (t)
		ret->told_us = t->price_us > t->availability_us ? t->price_us : t->availability_us;
}

struct fw_str fw_products_category(const struct fw_products *p, uint32_t number, uint32_t i, struct fw_str *ret_folded)
{
	const uint32_t *lists = part(p->head, p->head->lists);
	return label_text(p, lists[row_of(p, number)->first_category + i], ret_folded);
}

bool fw_products_sold_out(const struct fw_products *p, uint32_t number)
{
	return availability_of(p, number) == FW_OUT_OF_STOCK;
}

void fw_products_note_asked(struct fw_products_asked *asked, uint32_t number)
{
	bool noted = !asked || number == FW_NO_PRODUCT;
	for (uint32_t i = 0; !noted && i < asked->n; i++)
		noted = asked->numbers[i] == number;
	if (!noted && asked->n < FW_LIMIT_STREAM_PRODUCTS)
		asked->numbers[asked->n++] = number;
}

static struct fw_value text_value(struct fw_str text, struct fw_str folded)
{
	return (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = text, .folded = folded };
}

static struct fw_value categories(const struct fw_products *p, uint32_t number, struct fw_arena *a)
{
	uint32_t n = row_of(p, number)->n_categories;
	struct fw_value *items = n ? FW_NEW_ARRAY(a, n, struct fw_value) : NULL;
	if (!items)
		return (struct fw_value){ .state = FW_ABSENT };
	for (uint32_t i = 0; i < n; i++) {
		struct fw_str folded, text = fw_products_category(p, number, i, &folded);
		items[i] = text_value(text, folded);
	}
	return (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
}

struct fw_value fw_products_ask(const struct fw_products *p, const struct fw_query *query, int64_t now_us, struct fw_arena *a)
{
	struct fw_value absent = { .state = FW_ABSENT };
	uint32_t number = query->key.n > FW_LIMIT_KEY_BYTES ? FW_NO_PRODUCT : find_folded(p, query->key);
	struct fw_product product;
	if (number == FW_NO_PRODUCT)
		return absent;
	fw_products_get(p, number, now_us, &product);
	double price = isnan(product.sale_price) ? product.price : product.sale_price;
	uint32_t brand = row_of(p, number)->brand;
	struct fw_str folded;
	switch (query->fact) {
	case FW_FACT_IN_STOCK:
		return (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_BOOL, .boolean = product.availability == FW_IN_STOCK };
	case FW_FACT_PRICE:
		return isnan(price) ? absent : (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = price };
	case FW_FACT_CATEGORY:
		return categories(p, number, a);
	default:
		if (brand == FW_NO_LABEL)
			return absent;
		product.brand = label_text(p, brand, &folded);
		return text_value(product.brand, folded);
	}
}

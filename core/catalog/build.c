#include "catalog/build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"

/* What grows: items of one size. */
struct grown {
	void *items;
	uint64_t n, room;
};

struct fw_catalog_build {
	char currency[4];
	struct fw_arena arena;        /* of the labels' names */
	struct fw_map label_numbers;
	struct grown rows, labels, lists, index, lines; /* index: by folded id; lines: where each product stands, for messages */
	struct fw_buf texts;
};

/* One more, or NULL. */
static void *add(struct grown *g, size_t size)
{
	if (g->n == g->room) {
		uint64_t room = g->room ? g->room * 2 : 1024;
		void *more = realloc(g->items, room * size);
		if (!more)
			return NULL;
		g->items = more;
		g->room = room;
	}
	return (char *)g->items + g->n++ * size;
}

struct fw_catalog_build *fw_catalog_build_create(const char *currency)
{
	struct fw_catalog_build *b = calloc(1, sizeof *b);
	if (!b)
		return NULL;
	snprintf(b->currency, sizeof b->currency, "%.3s", currency);
	fw_arena_init(&b->arena, NULL, 0, 0);
	fw_map_init(&b->label_numbers, &b->arena);
	fw_buf_init(&b->texts, 0);
	b->index.room = 1024;
	if (!(b->index.items = calloc(b->index.room, sizeof(uint32_t)))) {
		fw_catalog_build_destroy(b);
		return NULL;
	}
	return b;
}

void fw_catalog_build_destroy(struct fw_catalog_build *b)
{
	if (!b)
		return;
	struct grown *all[] = { &b->rows, &b->labels, &b->lists, &b->index, &b->lines };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]->items);
	fw_buf_finish(&b->texts);
	fw_arena_finish(&b->arena);
	free(b);
}

uint32_t fw_catalog_build_count(const struct fw_catalog_build *b)
{
	return (uint32_t)b->rows.n;
}

static const struct fw_product_row *row_at(const struct fw_catalog_build *b, uint32_t number)
{
	return (const struct fw_product_row *)b->rows.items + number;
}

static struct fw_str id_of(const struct fw_catalog_build *b, uint32_t number)
{
	return (struct fw_str){ b->texts.data + row_at(b, number)->text, row_at(b, number)->id_n };
}

/* The place of an id among `room` (a power of two): its own, or a free one. */
static uint32_t *place(const struct fw_catalog_build *b, uint32_t *index, uint64_t room, struct fw_str id)
{
	char folded[FW_LIMIT_KEY_BYTES];
	fw_fold(id, folded);
	uint64_t at = fw_hash(folded, id.n) & (room - 1);
	while (index[at] && !fw_str_equal_fold(id_of(b, index[at] - 1), id))
		at = (at + 1) & (room - 1);
	return &index[at];
}

/* So that half of it stays free. */
static int widen_index(struct fw_catalog_build *b)
{
	if (b->rows.n * 2 < b->index.room)
		return 0;
	uint64_t room = b->index.room * 2;
	uint32_t *wider = calloc(room, sizeof *wider);
	if (!wider)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < b->rows.n; i++)
		*place(b, wider, room, id_of(b, i)) = i + 1;
	free(b->index.items);
	b->index.items = wider;
	b->index.room = room;
	return 0;
}

static int refuse(const struct fw_item *item, struct fw_error *err, const char *hint, const char *message)
{
	fw_fail(err, FW_EINVAL, NULL, item->line, "%s", message);
	if (hint)
		fw_hint(err, "%s", hint);
	return FW_EINVAL;
}

/* The same with the value that does not fit. */
static int refuse_value(const struct fw_item *item, enum fw_item_field field, struct fw_error *err, const char *hint, const char *why)
{
	struct fw_str id = fw_item_get(item, FW_ITEM_ID), value = fw_item_get(item, field);
	fw_fail(err, FW_EINVAL, NULL, item->line, "product \"%.*s\": %s \"%.*s\" %s", (int)fw_utf8_cut(id, 100), id.p,
		fw_item_field_name(field), (int)fw_utf8_cut(value, 80), value.p, why);
	if (hint)
		fw_hint(err, "%s", hint);
	return FW_EINVAL;
}

static bool is_currency(struct fw_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return s.n == 3;
}

int fw_catalog_price(struct fw_str text, const char *currency, double *ret, struct fw_error *err)
{
	struct fw_str number = text, unit = { NULL, 0 };
	const char *space = memchr(text.p, ' ', text.n);
	if (space) {
		struct fw_str first = { text.p, (size_t)(space - text.p) }, rest = fw_str_trim((struct fw_str){ space, text.n - first.n });
		number = is_currency(first) ? rest : first;
		unit = is_currency(first) ? first : rest;
	} else if (text.n > 3 && is_currency((struct fw_str){ text.p + text.n - 3, 3 })) {
		number = (struct fw_str){ text.p, text.n - 3 };
		unit = (struct fw_str){ text.p + text.n - 3, 3 };
	}
	double x;
	if (!fw_number_parse(number, &x) || x < 0 || (unit.n && !is_currency(unit))) {
		fw_fail(err, FW_EINVAL, NULL, 0, "is no price");
		fw_hint(err, "write it as \"15.00 %s\"", currency);
		return FW_EINVAL;
	}
	if (unit.n && !fw_str_is(unit, currency)) {
		fw_fail(err, FW_EINVAL, NULL, 0, "is not in %s, the currency of the store", currency);
		fw_hint(err, "a feed has one currency: set currency in the configuration, or take the feed for %s", currency);
		return FW_EINVAL;
	}
	*ret = x;
	return 0;
}

static int read_price(const struct fw_catalog_build *b, const struct fw_item *item, enum fw_item_field field, double *ret,
	struct fw_error *err)
{
	struct fw_str text = fw_item_get(item, field);
	struct fw_error why;
	*ret = NAN;
	if (!text.n || fw_catalog_price(text, b->currency, ret, &why) == 0)
		return 0;
	return refuse_value(item, field, err, why.hint, why.message);
}

/* A moment of "2026-11-20T00:00-0800": with an offset, or in UTC. */
static bool read_moment(struct fw_str text, int64_t *ret_us)
{
	char with_colon[40];
	struct fw_civil c;
	text = fw_str_trim(text);
	if (text.n > 5 && text.n < sizeof with_colon - 1 && strchr("+-", text.p[text.n - 5]) && memchr(text.p, 'T', text.n)) { /* ±hhmm */
		memcpy(with_colon, text.p, text.n - 2);
		with_colon[text.n - 2] = ':';
		memcpy(with_colon + text.n - 1, text.p + text.n - 2, 2);
		text = (struct fw_str){ with_colon, text.n + 1 };
	}
	if (!fw_civil_parse(text, &c))
		return false;
	*ret_us = (c.days * 86400 + c.second - c.offset_s) * 1000000;
	return true;
}

/* "from/to", both told. */
static int read_sale(const struct fw_item *item, struct fw_product_row *row, struct fw_error *err)
{
	struct fw_str text = fw_item_get(item, FW_ITEM_SALE_DATES);
	const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	row->sale_from_us = INT64_MIN;
	row->sale_until_us = INT64_MAX;
	if (!text.n)
		return 0;
	if (slash && read_moment((struct fw_str){ text.p, (size_t)(slash - text.p) }, &row->sale_from_us) &&
			read_moment((struct fw_str){ slash + 1, text.n - (size_t)(slash - text.p) - 1 }, &row->sale_until_us))
		return 0;
	return refuse_value(item, FW_ITEM_SALE_DATES, err, "write it as \"2026-11-20T00:00+0100/2026-11-27T23:59+0100\"",
		"is no time span");
}

/* The number of a category or a brand; what is longer than an event's is cut like that. */
static int label(struct fw_catalog_build *b, struct fw_str text, uint32_t *ret)
{
	char folded[FW_LIMIT_KEY_BYTES];
	text = fw_str_trim(text);
	text.n = fw_utf8_cut(text, FW_LIMIT_KEY_BYTES);
	fw_fold(text, folded);
	struct fw_str key = { folded, text.n };
	*ret = fw_map_get(&b->label_numbers, key);
	if (*ret != FW_MAP_NONE)
		return 0;
	struct fw_product_label *l = add(&b->labels, sizeof *l);
	if (!l)
		return FW_ENOMEM;
	*l = (struct fw_product_label){ .text = (uint32_t)b->texts.n, .folded = (uint32_t)b->texts.n, .n = (uint32_t)text.n };
	fw_buf_add(&b->texts, text.p, text.n);
	if (!fw_is_folded(text)) {
		l->folded = (uint32_t)b->texts.n;
		fw_buf_add(&b->texts, folded, text.n);
	}
	*ret = (uint32_t)b->labels.n - 1;
	return b->texts.failed ? FW_ENOMEM : fw_map_put(&b->label_numbers, key, *ret);
}

static int add_category(struct fw_catalog_build *b, struct fw_product_row *row, struct fw_str text)
{
	uint32_t number, *lists, *more;
	if (fw_str_trim(text).n == 0)
		return 0;
	if (label(b, text, &number) < 0)
		return FW_ENOMEM;
	lists = b->lists.items;
	for (uint32_t i = 0; i < row->n_categories; i++)
		if (lists[row->first_category + i] == number)
			return 0;
	if (!(more = add(&b->lists, sizeof *more)))
		return FW_ENOMEM;
	*more = number;
	row->n_categories++;
	return 0;
}

/* "Shoes > Boots" is in "Shoes" and in "Boots". */
static int add_categories(struct fw_catalog_build *b, const struct fw_item *item, struct fw_product_row *row)
{
	row->first_category = (uint32_t)b->lists.n;
	for (unsigned i = 0; i < item->n_types; i++) {
		const char *at = item->text.data + item->types[i].at, *end = at + item->types[i].n, *next;
		for (unsigned level = 0; level < FW_LIMIT_PRODUCT_TYPE_LEVELS && at < end; level++, at = next + 1) {
			next = memchr(at, '>', (size_t)(end - at));
			next = next ? next : end;
			if (add_category(b, row, (struct fw_str){ at, (size_t)(next - at) }) < 0)
				return FW_ENOMEM;
		}
	}
	return 0;
}

static uint16_t add_text(struct fw_catalog_build *b, struct fw_str text, size_t most, bool cut)
{
	if (text.n > most && !cut)
		return 0; /* half a link leads nowhere */
	size_t n = fw_utf8_cut(text, most);
	fw_buf_add(&b->texts, text.p, n);
	return (uint16_t)n;
}

static int check(const struct fw_catalog_build *b, const struct fw_item *item, struct fw_product_row *row, struct fw_error *err)
{
	struct fw_str id = fw_item_get(item, FW_ITEM_ID), availability = fw_item_get(item, FW_ITEM_AVAILABILITY);
	if (item->text.n && !fw_utf8_valid((struct fw_str){ item->text.data, item->text.n }))
		return refuse(item, err, "a feed is UTF-8", "a product has bytes that are not UTF-8");
	if (!id.n)
		return refuse(item, err, NULL, "a product has no id");
	if (id.n > FW_LIMIT_KEY_BYTES)
		return refuse_value(item, FW_ITEM_ID, err, NULL, "is longer than 100 bytes");
	uint32_t other = *place(b, b->index.items, b->index.room, id);
	if (other) {
		char why[80];
		snprintf(why, sizeof why, "stands on line %d, too", ((const int *)b->lines.items)[other - 1]);
		return refuse_value(item, FW_ITEM_ID, err, "ids differ by more than capital letters", why);
	}
	int found = fw_availability_find(availability);
	if (found < 0)
		return refuse_value(item, FW_ITEM_AVAILABILITY, err, "it is in_stock, out_of_stock, preorder or backorder",
			availability.n ? "is none" : "is missing");
	row->availability = (uint8_t)found;
	int rc = read_price(b, item, FW_ITEM_PRICE, &row->price, err);
	if (rc == 0)
		rc = read_price(b, item, FW_ITEM_SALE_PRICE, &row->sale_price, err);
	return rc < 0 ? rc : read_sale(item, row, err);
}

int fw_catalog_build_add(struct fw_catalog_build *b, const struct fw_item *item, struct fw_error *err)
{
	struct fw_product_row row = { .brand = FW_NO_LABEL };
	struct fw_str brand = fw_item_get(item, FW_ITEM_BRAND), id = fw_item_get(item, FW_ITEM_ID);
	if (item->text.failed)
		return fw_fail(err, FW_ENOMEM, NULL, item->line, "out of memory");
	int rc = check(b, item, &row, err);
	if (rc < 0)
		return rc;
	if (b->rows.n == FW_LIMIT_PRODUCTS || b->texts.n > UINT32_MAX / 2)
		return fw_fail(err, FW_ELIMIT, NULL, item->line, "it has more products than a catalogue may: %d", FW_LIMIT_PRODUCTS);
	fw_fail(err, FW_ENOMEM, NULL, item->line, "out of memory");
	if ((brand.n && label(b, brand, &row.brand) < 0) || add_categories(b, item, &row) < 0)
		return FW_ENOMEM;
	row.text = b->texts.n;
	row.id_n = add_text(b, id, FW_LIMIT_KEY_BYTES, false);
	row.title_n = add_text(b, fw_item_get(item, FW_ITEM_TITLE), FW_LIMIT_PRODUCT_TITLE_BYTES, true);
	row.link_n = add_text(b, fw_item_get(item, FW_ITEM_LINK), FW_LIMIT_PRODUCT_LINK_BYTES, false);
	row.image_n = add_text(b, fw_item_get(item, FW_ITEM_IMAGE), FW_LIMIT_PRODUCT_LINK_BYTES, false);
	struct fw_product_row *kept = b->texts.failed ? NULL : add(&b->rows, sizeof *kept);
	int *line = kept ? add(&b->lines, sizeof *line) : NULL;
	if (!line)
		return FW_ENOMEM;
	*kept = row;
	*line = item->line;
	*place(b, b->index.items, b->index.room, id) = (uint32_t)b->rows.n;
	return widen_index(b);
}

/* Where a part of so many bytes goes; moves behind it. */
static uint64_t put_part(struct fw_products_head *h, const void *from, uint64_t n)
{
	uint64_t at = h->bytes;
	if (n)
		memcpy((char *)h + at, from, n);
	h->bytes = (at + n + 7) & ~UINT64_C(7);
	return at;
}

int fw_catalog_build_finish(const struct fw_catalog_build *b, const struct fw_products_head *head, struct fw_products_head **ret)
{
	enum { PARTS = 5, SUMMED = offsetof(struct fw_products_head, bytes) };
	uint64_t sizes[PARTS] = { b->index.room * sizeof(uint32_t), b->rows.n * sizeof(struct fw_product_row),
		b->labels.n * sizeof(struct fw_product_label), b->lists.n * sizeof(uint32_t), b->texts.n };
	uint64_t bytes = sizeof(struct fw_products_head);
	for (int i = 0; i < PARTS; i++)
		bytes += (sizes[i] + 7) & ~UINT64_C(7);
	struct fw_products_head *h = calloc(1, bytes);
	if (!h)
		return FW_ENOMEM;
	*h = *head;
	memcpy(h->magic, FW_PRODUCTS_MAGIC, sizeof h->magic);
	memcpy(h->currency, b->currency, sizeof h->currency);
	h->n = (uint32_t)b->rows.n;
	h->n_labels = (uint32_t)b->labels.n;
	h->n_listed = (uint32_t)b->lists.n;
	h->index_bits = (uint32_t)__builtin_ctzll(b->index.room);
	h->bytes = (sizeof *h + 7) & ~UINT64_C(7);
	h->index = put_part(h, b->index.items, sizes[0]);
	h->rows = put_part(h, b->rows.items, sizes[1]);
	h->labels = put_part(h, b->labels.items, sizes[2]);
	h->lists = put_part(h, b->lists.items, sizes[3]);
	h->texts = put_part(h, b->texts.data, sizes[4]);
	h->texts_n = b->texts.n;
	h->checksum = fw_hash((const char *)h + SUMMED, h->bytes - SUMMED);
	*ret = h;
	return 0;
}

/* Counts of what a person did: added, made coarser with age, folded together when there are too many. */
#include "profile/own.h"

#include <stdlib.h>

enum { HOUR_MS = 3600000, HOURS = 24 };

/* Newest first, hours before days, then by kind. */
static int compare_cells(const struct fw_cell *a, const struct fw_cell *b)
{
	if (a->hour != b->hour)
		return a->hour > b->hour ? -1 : 1;
	if (a->hourly != b->hourly)
		return a->hourly ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

/* As fine as its age allows. */
static struct fw_cell aged(struct fw_cell c, uint32_t newest)
{
	if (c.hourly && c.hour + FW_LIMIT_CELL_HOURS < newest) {
		c.hourly = false;
		c.hour -= c.hour % HOURS;
	}
	if (!c.hourly && c.hour / HOURS + FW_LIMIT_CELL_DAYS < newest / HOURS)
		c.hour = 0;
	return c;
}

/* Where it is among the cells, or has to be put. */
static uint32_t place_of(const struct fw_series *s, const struct fw_cell *c)
{
	uint32_t low = 0, high = s->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_cells(&s->cells[middle], c) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool add_cell(struct fw_record *r, struct fw_series *s, struct fw_cell c)
{
	uint32_t i = place_of(s, &c);
	if (i < s->n && compare_cells(&s->cells[i], &c) == 0) {
		uint32_t room = UINT32_MAX - s->cells[i].count;
		s->cells[i].count += c.count < room ? c.count : room;
		return true;
	}
	if (!fw_list_grow(r->arena, (void **)&s->cells, s->n, &s->size, sizeof *s->cells))
		return false;
	memmove(s->cells + i + 1, s->cells + i, (s->n - i) * sizeof *s->cells);
	s->cells[i] = c;
	s->n++;
	return true;
}

/* Every cell as coarse as it has become, and no finer than `oldest`: what is before it is counted in total. */
static void age_cells(struct fw_record *r, struct fw_series *s, uint32_t oldest)
{
	uint32_t n = s->n;
	s->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct fw_cell c = aged(s->cells[i], r->newest_hour);
		if (c.hour < oldest)
			c = (struct fw_cell){ .kind = c.kind, .count = c.count };
		add_cell(r, s, c); /* there is room: what was taken out makes it */
	}
}

static void settle(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->series.n; i++) {
		struct fw_series *s = &r->series.items[i];
		bool fits = true;
		for (uint32_t k = 0; k < s->n && fits; k++) {
			struct fw_cell c = aged(s->cells[k], r->newest_hour);
			fits = compare_cells(&c, &s->cells[k]) == 0;
		}
		if (!fits)
			age_cells(r, s, 0);
	}
}

static struct fw_series *find_series(struct fw_record *r, const uint32_t labels[FW_LABELS])
{
	for (uint32_t i = 0; i < r->series.n; i++)
		if (memcmp(r->series.items[i].labels, labels, sizeof r->series.items[i].labels) == 0)
			return &r->series.items[i];
	return NULL;
}

static bool has_own(const struct fw_series *s, unsigned step)
{
	static const unsigned labels[] = { FW_KEY_PRODUCT - 1, FW_KEY_BRAND - 1, FW_KEY_CATEGORY - 1 };
	return s->labels[labels[step]] || (step == 0 && s->labels[FW_KEY_TERM - 1]);
}

/* The series that takes part in this step and was seen least lately; NULL: none does. */
static struct fw_series *least_lately(struct fw_record *r, unsigned step)
{
	struct fw_series *least = NULL;
	for (uint32_t i = 0; i < r->series.n; i++) {
		struct fw_series *s = &r->series.items[i];
		if (has_own(s, step) && (!least || s->n == 0 || (least->n && s->cells[0].hour < least->cells[0].hour)))
			least = s;
	}
	return least;
}

/* Takes labels off a series; the one that has the rest already takes its counts. */
static void take_off(struct fw_record *r, struct fw_series *s, unsigned step)
{
	uint32_t labels[FW_LABELS] = { 0 };
	if (step == 0)
		labels[FW_KEY_BRAND - 1] = s->labels[FW_KEY_BRAND - 1];
	if (step <= 1)
		labels[FW_KEY_CATEGORY - 1] = s->labels[FW_KEY_CATEGORY - 1];
	struct fw_series *into = find_series(r, labels);
	if (!into) {
		memcpy(s->labels, labels, sizeof labels);
		return;
	}
	for (uint32_t k = 0; k < s->n; k++)
		add_cell(r, into, s->cells[k]);
	FW_LIST_TAKE(r->series, (uint32_t)(s - r->series.items));
}

void fw_series_fold(struct fw_record *r, uint32_t most)
{
	unsigned step = 0;
	while (r->series.n > most && step < 3) {
		struct fw_series *s = least_lately(r, step);
		if (s)
			take_off(r, s, step);
		else
			step++;
	}
}

void fw_series_forget_times(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->series.n; i++)
		age_cells(r, &r->series.items[i], UINT32_MAX);
}

static uint32_t count_cells(const struct fw_record *r)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->series.n; i++)
		n += r->series.items[i].n;
	return n;
}

/* The oldest cells lose their day, a tenth of the time there is at once. */
static void fold_cells(struct fw_record *r)
{
	uint32_t oldest = r->newest_hour;
	for (uint32_t i = 0; i < r->series.n; i++)
		for (uint32_t k = 0; k < r->series.items[i].n; k++) {
			uint32_t hour = r->series.items[i].cells[k].hour;
			if (hour && hour < oldest)
				oldest = hour;
		}
	uint32_t until = oldest + (r->newest_hour - oldest) / 10 + 1;
	if (oldest == r->newest_hour)
		fw_series_fold(r, r->series.n / 2);
	for (uint32_t i = 0; i < r->series.n; i++)
		age_cells(r, &r->series.items[i], until < r->newest_hour ? until : r->newest_hour);
}

static int add(struct fw_record *r, const uint32_t labels[FW_LABELS], enum fw_did kind, uint32_t count, int64_t at_ms)
{
	struct fw_cell c = { .hour = (uint32_t)(at_ms / HOUR_MS), .kind = (uint8_t)kind, .hourly = true, .count = count };
	if (count == 0)
		return 0;
	if (c.hour > r->newest_hour) {
		r->newest_hour = c.hour;
		settle(r);
	}
	struct fw_series *s = find_series(r, labels);
	if (!s) {
		if (r->series.n >= FW_LIMIT_SERIES)
			fw_series_fold(r, FW_LIMIT_SERIES - 1);
		if (!FW_LIST_ROOM(r, r->series))
			return FW_ENOMEM;
		s = &r->series.items[r->series.n++];
		*s = (struct fw_series){ .n = 0 };
		memcpy(s->labels, labels, sizeof s->labels);
	}
	if (!add_cell(r, s, aged(c, r->newest_hour)))
		return FW_ENOMEM;
	if (count_cells(r) > FW_LIMIT_CELLS)
		fold_cells(r);
	return 0;
}

static int add_bought(struct fw_record *r, const struct happening *h)
{
	const struct fw_json *products = fw_json_get(h->e->properties, "products");
	for (const struct fw_json *p = products && products->type == FW_JSON_ARRAY ? products->child : NULL; p; p = p->next) {
		struct product product;
		if (p->type != FW_JSON_OBJECT)
			continue;
		fw_read_product(r, p, true, &product);
		if (add(r, product.labels, FW_DID_BUY, (uint32_t)product.quantity, h->at_ms) < 0)
			return FW_ENOMEM;
	}
	return 0;
}

int fw_apply_series(struct fw_record *r, const struct happening *h)
{
	struct product product = { .quantity = 1 };
	const struct fw_json *v;
	switch (h->b->did) {
	case FW_DID_NOTHING: return 0;
	case FW_DID_BUY: return add_bought(r, h);
	case FW_DID_SEARCH:
		v = fw_json_get(h->e->properties, "query");
		if (v && v->type == FW_JSON_STRING)
			product.labels[FW_KEY_TERM - 1] = fw_record_text_folded(r, fw_str_trim(v->string));
		break;
	case FW_DID_OPEN:
		v = fw_json_get(h->e->properties, "machine_open");
		if (v && v->type == FW_JSON_BOOL && v->boolean)
			return 0; /* a mail program fetched it, nobody read it */
		break;
	default:
		if (h->b->object && strcmp(h->b->object, "product_id") == 0)
			fw_read_product(r, h->e->properties, true, &product);
		break;
	}
	return add(r, product.labels, h->b->did, 1, h->at_ms);
}

/* A series and what it is about, as ranks. */
struct ranked {
	uint32_t ranks[FW_LABELS];
	struct fw_series series;
};

static int by_ranks(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	for (int i = 0; i < FW_LABELS; i++)
		if (a->ranks[i] != b->ranks[i])
			return a->ranks[i] < b->ranks[i] ? -1 : 1;
	return 0;
}

static int put_in_order(struct merging *m)
{
	struct fw_record *r = m->into;
	struct ranked *ranked = FW_NEW_ARRAY(r->arena, r->series.n, struct ranked);
	if (!ranked)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < r->series.n; i++) {
		ranked[i].series = r->series.items[i];
		for (int k = 0; k < FW_LABELS; k++)
			ranked[i].ranks[k] = m->rank[ranked[i].series.labels[k]];
	}
	qsort(ranked, r->series.n, sizeof *ranked, by_ranks);
	for (uint32_t i = 0; i < r->series.n; i++)
		r->series.items[i] = ranked[i].series;
	return 0;
}

static int add_series(struct merging *m, const struct fw_series *other)
{
	struct fw_record *r = m->into;
	uint32_t labels[FW_LABELS];
	for (int k = 0; k < FW_LABELS; k++)
		labels[k] = m->number[other->labels[k]];
	struct fw_series *s = find_series(r, labels);
	if (!s) {
		if (!FW_LIST_ROOM(r, r->series))
			return FW_ENOMEM;
		s = &r->series.items[r->series.n++];
		*s = (struct fw_series){ .n = 0 };
		memcpy(s->labels, labels, sizeof s->labels);
	}
	for (uint32_t k = 0; k < other->n; k++)
		if (!add_cell(r, s, aged(other->cells[k], r->newest_hour)))
			return FW_ENOMEM;
	return 0;
}

/* Counts add up, each as coarse as its age makes it. */
int fw_merge_series(struct merging *m)
{
	struct fw_record *r = m->into;
	if (m->from->newest_hour > r->newest_hour) {
		r->newest_hour = m->from->newest_hour;
		settle(r);
	}
	for (uint32_t i = 0; i < m->from->series.n; i++)
		if (add_series(m, &m->from->series.items[i]) < 0)
			return FW_ENOMEM;
	if (put_in_order(m) < 0)
		return FW_ENOMEM;
	bool fits = r->series.n <= FW_LIMIT_SERIES && count_cells(r) <= FW_LIMIT_CELLS;
	fw_series_fold(r, FW_LIMIT_SERIES);
	while (count_cells(r) > FW_LIMIT_CELLS)
		fold_cells(r);
	return fits ? 0 : put_in_order(m);
}

/* Takes so many out of cells of this kind at this hour or day. */
static void take_cells(struct fw_series *s, struct fw_cell *c, uint32_t hour, bool hourly)
{
	for (uint32_t i = 0; i < s->n && c->count; i++) {
		struct fw_cell *own = &s->cells[i];
		uint32_t taken = own->count < c->count ? own->count : c->count;
		if (own->kind != c->kind || own->hour != hour || own->hourly != hourly)
			continue;
		own->count -= taken;
		c->count -= taken;
	}
}

/* What was counted may have been folded since, into fewer labels or coarser times. */
static void take_out(struct fw_record *now, const uint32_t labels[FW_LABELS], struct fw_cell c)
{
	const uint32_t category = labels[FW_KEY_CATEGORY - 1], brand = labels[FW_KEY_BRAND - 1];
	const uint32_t folded[][FW_LABELS] = {
		{ labels[0], labels[1], labels[2], labels[3] },
		{ [FW_KEY_CATEGORY - 1] = category, [FW_KEY_BRAND - 1] = brand },
		{ [FW_KEY_CATEGORY - 1] = category },
		{ 0 },
	};
	for (size_t i = 0; i < sizeof folded / sizeof *folded && c.count; i++) {
		struct fw_series *s = find_series(now, folded[i]);
		if (!s)
			continue;
		take_cells(s, &c, c.hour, c.hourly);
		take_cells(s, &c, c.hour - c.hour % HOURS, false);
		take_cells(s, &c, 0, false);
	}
}

static void drop_empty(struct fw_record *r)
{
	uint32_t kept = 0;
	r->newest_hour = 0;
	for (uint32_t i = 0; i < r->series.n; i++) {
		struct fw_series *s = &r->series.items[i];
		uint32_t n = 0;
		for (uint32_t k = 0; k < s->n; k++)
			if (s->cells[k].count)
				s->cells[n++] = s->cells[k];
		s->n = n;
		if (n && s->cells[0].hour > r->newest_hour)
			r->newest_hour = s->cells[0].hour;
		if (n)
			r->series.items[kept++] = *s;
	}
	r->series.n = kept;
}

void fw_split_series(struct fw_record *now, const struct fw_record *merged)
{
	for (uint32_t i = 0; i < merged->series.n; i++)
		for (uint32_t k = 0; k < merged->series.items[i].n; k++)
			take_out(now, merged->series.items[i].labels, aged(merged->series.items[i].cells[k], now->newest_hour));
	drop_empty(now);
}

#include "fact/history.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"

/* A cell: its kind, whether it is of an hour, whether that is the last cell's hour, and a small count; then how long ago, and a
 * larger count. A series: which labels it has, whether category and brand are those of the last series, how many cells. */
enum { HOURS = 24, KINDS = 6 };
enum { KIND = 7, HOURLY = 8, SAME_HOUR = 16, COUNT_SHIFT = 5, COUNT_MOST = 7 };
enum labels { PRODUCT_LABELS, TERM_LABELS, ANY_LABELS, NO_BRAND, SAME_CATEGORY = 4, SAME_BRAND = 8, CELLS_SHIFT = 4, FEW_CELLS = 15 };
enum { CATEGORY, PRODUCT, BRAND, TERM };

/* What is read or written one after the other. */
struct run {
	uint32_t newest; /* hour */
	uint32_t hour, category, brand;
	bool hourly;
};

static void unpack_cells(struct fw_unpack *u, struct fw_series *s, struct run *run)
{
	for (uint32_t i = 0; i < s->n && !u->failed; i++) {
		unsigned head = fw_unpack_byte(u), few = head >> COUNT_SHIFT;
		bool same = head & SAME_HOUR;
		uint32_t back = same ? 0 : fw_unpack_bounded(u, UINT32_MAX);
		struct fw_cell c = { .kind = head & KIND, .hourly = (head & HOURLY) != 0, .hour = run->hour,
			.count = few ? few : fw_unpack_bounded(u, UINT32_MAX) };
		if (!same && c.hourly && back <= run->newest)
			c.hour = run->newest - back;
		else if (!same && !c.hourly && back <= run->newest / HOURS + 1)
			c.hour = back ? (run->newest / HOURS + 1 - back) * HOURS : 0;
		else
			u->failed |= !same || c.hourly != run->hourly;
		u->failed |= c.kind >= KINDS || (c.hourly && c.hour == 0);
		run->hour = c.hour;
		run->hourly = c.hourly;
		s->cells[i] = c;
	}
}

static void unpack_labels(struct fw_unpack *u, unsigned head, uint32_t n_texts, uint32_t labels[FW_LABELS], struct run *run)
{
	static const unsigned masks[] = { 1 << CATEGORY | 1 << PRODUCT | 1 << BRAND, 1 << TERM, 0, 1 << CATEGORY | 1 << PRODUCT };
	unsigned form = head & 3, mask = form == ANY_LABELS ? fw_unpack_byte(u) : masks[form];
	for (int i = 0; i < FW_LABELS; i++) {
		if (i == CATEGORY && head & SAME_CATEGORY)
			labels[i] = run->category;
		else if (i == BRAND && head & SAME_BRAND)
			labels[i] = run->brand;
		else
			labels[i] = mask >> i & 1 ? fw_unpack_bounded(u, n_texts) : 0;
	}
	run->category = labels[CATEGORY];
	run->brand = labels[BRAND];
}

static void unpack_series(struct fw_history *h, struct fw_unpack *u)
{
	uint32_t n = fw_unpack_bounded(u, (uint32_t)h->packed_series.n), cells = 0;
	struct run run = { .newest = fw_unpack_bounded(u, UINT32_MAX) };
	h->series = u->failed ? NULL : FW_NEW_ARRAY(h->arena, n, struct fw_series);
	for (uint32_t i = 0; h->series && i < n && !u->failed; i++) {
		struct fw_series *s = &h->series[i];
		unsigned head = fw_unpack_byte(u);
		unpack_labels(u, head, h->n_texts, s->labels, &run);
		s->n = s->size = head >> CELLS_SHIFT;
		if (s->n == FEW_CELLS)
			s->n = s->size = FEW_CELLS + fw_unpack_bounded(u, (uint32_t)(u->end - u->p));
		cells += s->n;
		s->cells = u->failed || cells > h->packed_series.n ? NULL : FW_NEW_ARRAY(h->arena, s->n, struct fw_cell);
		if (!s->cells) {
			u->failed = true;
			return;
		}
		unpack_cells(u, s, &run);
	}
	h->n_series = n;
}

static int say_broken(struct fw_history *h)
{
	h->broken = true;
	h->n_texts = h->n_series = 0;
	memset(h->first, 0, sizeof h->first);
	return FW_EINVAL;
}

/* The list in which a text is looked for: by its number and its last letters. */
static unsigned list_of(const struct fw_packed *text)
{
	uint32_t last = 0;
	if (text->letters.n >= sizeof last)
		memcpy(&last, text->letters.p + text->letters.n - sizeof last, sizeof last);
	uint64_t mixed = (text->number << 32 ^ text->number ^ last) * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 over the golden ratio */
	return (unsigned)(mixed >> (64 - FW_HISTORY_LIST_BITS));
}

/* Where each text is, which is enough to find one. */
static int need_texts(struct fw_history *h)
{
	struct fw_unpack u;
	struct fw_str prefix = { NULL, 0 };
	if (h->broken || h->texts || h->packed_texts.n == 0)
		return h->broken ? FW_EINVAL : 0;
	fw_unpack_init(&u, h->packed_texts);
	uint32_t n = fw_unpack_bounded(&u, (uint32_t)h->packed_texts.n);
	h->texts = u.failed ? NULL : fw_arena_alloc(h->arena, n * sizeof *h->texts);
	for (uint32_t i = 0; h->texts && i < n; i++)
		h->texts[i].packed = fw_unpack_packed(&u, &prefix);
	if (!h->texts || u.failed || u.p != u.end)
		return say_broken(h);
	for (uint32_t i = n; i > 0; i--) {
		uint32_t *first = &h->first[list_of(&h->texts[i - 1].packed)];
		h->texts[i - 1].next = *first;
		*first = i;
	}
	h->n_texts = n;
	return 0;
}

struct fw_str fw_history_text(struct fw_history *h, uint32_t number, struct fw_arena *a)
{
	if (need_texts(h) < 0 || number == 0 || number > h->n_texts)
		return (struct fw_str){ NULL, 0 };
	return fw_packed_text(&h->texts[number - 1].packed, a);
}

/* Series name texts by number: how many there are has to be known, not what they say. */
static int need_series(struct fw_history *h)
{
	struct fw_unpack u;
	if (h->broken || h->has_series || h->packed_series.n == 0)
		return h->broken ? FW_EINVAL : 0;
	if (need_texts(h) < 0)
		return FW_EINVAL;
	h->has_series = true;
	for (int i = 0; i < FW_LABELS; i++)
		h->interest[i] = -1;
	fw_unpack_init(&u, h->packed_series);
	unpack_series(h, &u);
	return u.failed || !h->series || u.p != u.end ? say_broken(h) : 0;
}

int fw_history_unpack(struct fw_history *h)
{
	return need_texts(h) < 0 || need_series(h) < 0 ? FW_EINVAL : 0;
}

int fw_history_pack_key(struct fw_arena *a, struct fw_str key, struct fw_packed *ret)
{
	enum { ROOM = 2 * FW_LIMIT_KEY_BYTES }; /* three half bytes for each, and a number */
	struct fw_unpack u;
	struct fw_str prefix = { NULL, 0 };
	struct fw_buf b;
	*ret = (struct fw_packed){ .number = 0 };
	if (key.n > FW_LIMIT_KEY_BYTES)
		return 0;
	char *room = fw_arena_alloc(a, ROOM);
	if (!room)
		return FW_ENOMEM;
	fw_buf_init_fixed(&b, room, ROOM);
	fw_pack_text(&b, key);
	fw_unpack_init(&u, (struct fw_str){ room, b.n });
	*ret = fw_unpack_packed(&u, &prefix);
	return b.failed ? FW_ENOMEM : 0;
}

static void pack_cell(const struct fw_cell *c, struct run *run, struct fw_buf *out)
{
	bool same = c->hour == run->hour && c->hourly == run->hourly;
	unsigned few = c->count <= COUNT_MOST ? c->count : 0;
	fw_buf_putc(out, (char)(c->kind | (c->hourly ? HOURLY : 0) | (same ? SAME_HOUR : 0) | few << COUNT_SHIFT));
	if (!same)
		fw_pack_number(out, c->hourly ? run->newest - c->hour : c->hour ? run->newest / HOURS + 1 - c->hour / HOURS : 0);
	if (!few)
		fw_pack_number(out, c->count);
	run->hour = c->hour;
	run->hourly = c->hourly;
}

static void pack_labels(const struct fw_series *s, const uint32_t *renumber, struct run *run, struct fw_buf *out)
{
	uint32_t labels[FW_LABELS];
	unsigned mask = 0, head = ANY_LABELS;
	for (int i = 0; i < FW_LABELS; i++) {
		labels[i] = s->labels[i] && renumber ? renumber[s->labels[i] - 1] : s->labels[i];
		mask |= (unsigned)(labels[i] != 0) << i;
	}
	if (mask == (1 << CATEGORY | 1 << PRODUCT | 1 << BRAND))
		head = PRODUCT_LABELS;
	else if (mask == 1 << TERM)
		head = TERM_LABELS;
	else if (mask == (1 << CATEGORY | 1 << PRODUCT))
		head = NO_BRAND;
	if (labels[CATEGORY] && labels[CATEGORY] == run->category)
		head |= SAME_CATEGORY;
	if (labels[BRAND] && labels[BRAND] == run->brand)
		head |= SAME_BRAND;
	fw_buf_putc(out, (char)(head | (s->n < FEW_CELLS ? s->n : FEW_CELLS) << CELLS_SHIFT));
	if ((head & 3) == ANY_LABELS)
		fw_buf_putc(out, (char)mask);
	for (int i = 0; i < FW_LABELS; i++)
		if (labels[i] && !(i == CATEGORY && head & SAME_CATEGORY) && !(i == BRAND && head & SAME_BRAND))
			fw_pack_number(out, labels[i]);
	run->category = labels[CATEGORY];
	run->brand = labels[BRAND];
}

void fw_history_pack(const struct fw_series *series, uint32_t n, const uint32_t *renumber, struct fw_buf *out)
{
	struct run run = { 0 };
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < series[i].n; k++)
			if (series[i].cells[k].hour > run.newest)
				run.newest = series[i].cells[k].hour;
	fw_pack_number(out, n);
	fw_pack_number(out, run.newest);
	for (uint32_t i = 0; i < n; i++) {
		const struct fw_series *s = &series[i];
		pack_labels(s, renumber, &run, out);
		if (s->n >= FEW_CELLS)
			fw_pack_number(out, s->n - FEW_CELLS);
		for (uint32_t k = 0; k < s->n; k++)
			pack_cell(&s->cells[k], &run, out);
	}
}

/* The number of the text that is asked about, or 0. */
static int find_text(const struct fw_history *h, const struct fw_query *q, struct fw_arena *a, uint32_t *ret)
{
	const struct fw_packed *key = &q->packed;
	struct fw_packed now;
	*ret = 0;
	if (key->letters.n == 0) {
		if (fw_history_pack_key(a, q->key, &now) < 0)
			return FW_ENOMEM;
		key = &now;
	}
	for (uint32_t i = h->first[list_of(key)]; i; i = h->texts[i - 1].next) {
		const struct fw_packed *text = &h->texts[i - 1].packed;
		if (text->number == key->number && fw_str_equal(text->letters, key->letters)) {
			*ret = i;
			break;
		}
	}
	return 0;
}

static double count_cells(const struct fw_series *s, unsigned kind, int64_t within_s, int64_t now_us)
{
	enum { HOUR_S = 3600, DAY_S = HOURS * HOUR_S };
	int64_t since = now_us / 1000000 - within_s;
	bool by_hour = within_s && within_s <= FW_LIMIT_CELL_HOURS * HOUR_S;
	int64_t first = within_s == 0 ? INT64_MIN : by_hour ? since / HOUR_S : since / DAY_S * HOURS;
	double count = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct fw_cell *c = &s->cells[i];
		if (c->kind == kind && c->hour >= first && (c->hourly || !by_hour))
			count += c->count;
	}
	return count;
}

/* A whole number of days back, so that the same history gives the same share on every machine. */
static double weight_after(int64_t days)
{
	return days <= 0 ? 1 : exp2(-(double)days / FW_INTEREST_DAYS);
}

static double interest_of(const struct fw_series *s, int64_t now_us)
{
	static const double weights[KINDS] = { 1, 0, 3, 8, 0, 0 };
	int64_t today = now_us / (INT64_C(3600000000) * HOURS);
	double interest = 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (weights[s->cells[i].kind] > 0 && s->cells[i].hour)
			interest += weights[s->cells[i].kind] * s->cells[i].count * weight_after(today - s->cells[i].hour / HOURS);
	return interest;
}

double fw_history_share(struct fw_history *h, enum fw_key_kind kind, uint32_t text)
{
	double *all = &h->interest[kind - 1];
	if (*all < 0) {
		*all = 0;
		for (uint32_t i = 0; i < h->n_series; i++)
			if (h->series[i].labels[kind - 1])
				*all += interest_of(&h->series[i], h->now_us);
	}
	double own = 0;
	for (uint32_t i = 0; i < h->n_series; i++)
		if (h->series[i].labels[kind - 1] == text)
			own += interest_of(&h->series[i], h->now_us);
	return own > 0 && *all > 0 ? fmin(own / *all, 1) : 0;
}

int fw_history_ask(struct fw_history *h, const struct fw_query *q, struct fw_arena *a, double *ret)
{
	uint32_t text = 0;
	*ret = 0;
	int error = need_texts(h);
	if (error == 0 && q->key_kind != FW_KEY_NONE && ((error = find_text(h, q, a, &text)) < 0 || text == 0))
		return error;
	if (error < 0 || (error = need_series(h)) < 0)
		return error;
	if (q->fact == FW_FACT_AFFINITY) {
		*ret = h->n_series == 0 ? 0 : q->key_kind == FW_KEY_NONE ? 1 : fw_history_share(h, q->key_kind, text);
		return 0;
	}
	for (uint32_t i = 0; i < h->n_series; i++)
		if (q->key_kind == FW_KEY_NONE || h->series[i].labels[q->key_kind - 1] == text)
			*ret += count_cells(&h->series[i], (unsigned)(q->fact - FW_FACT_VIEWED), q->within_s, h->now_us);
	return 0;
}

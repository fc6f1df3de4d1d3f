#include "fact/history.h"

#include <math.h>

#include "base/limits.h"

enum { HOURS = 24, KIND_BITS = 3, KINDS = 6, HOURLY = 1 << KIND_BITS, COUNT_SHIFT = KIND_BITS + 1, COUNT_MOST = 15, FEW_CELLS = 15 };

/* 32-bit FNV-1a (Fowler, Noll, Vo), its high half folded in: the filter takes the low bits. */
uint32_t fw_history_hash(struct fw_str text)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 16777619u;
	return h ^ h >> 16;
}

static void unpack_texts(struct fw_history *h, struct fw_unpack *u, struct fw_arena *a)
{
	uint32_t n = fw_unpack_bounded(u, (uint32_t)h->packed_texts.n);
	h->texts = u->failed ? NULL : FW_NEW_ARRAY(a, n, struct fw_history_text);
	for (uint32_t i = 0; h->texts && i < n && !u->failed; i++) {
		struct fw_str text = fw_unpack_text(u, a);
		h->texts[i] = (struct fw_history_text){ text, fw_history_hash(text) };
		h->filter |= UINT64_C(1) << (h->texts[i].hash & 63);
	}
	h->n_texts = n;
}

static void unpack_cells(struct fw_unpack *u, struct fw_series *s, uint32_t newest)
{
	for (uint32_t i = 0; i < s->n && !u->failed; i++) {
		struct fw_cell *c = &s->cells[i];
		unsigned head = fw_unpack_byte(u), few = head >> COUNT_SHIFT;
		uint32_t back = fw_unpack_bounded(u, UINT32_MAX);
		*c = (struct fw_cell){ .kind = (uint8_t)(head & (HOURLY - 1)), .hourly = (head & HOURLY) != 0,
			.count = few ? few : fw_unpack_bounded(u, UINT32_MAX) };
		if (c->hourly && back <= newest)
			c->hour = newest - back;
		else if (!c->hourly && back && back - 1 <= newest / HOURS)
			c->hour = (newest / HOURS - (back - 1)) * HOURS;
		else
			u->failed |= c->hourly || back; /* a day's 0 is before all that */
		u->failed |= c->kind >= KINDS;
	}
}

static void unpack_series(struct fw_history *h, struct fw_unpack *u, struct fw_arena *a)
{
	uint32_t n = fw_unpack_bounded(u, (uint32_t)h->packed_series.n), newest = fw_unpack_bounded(u, UINT32_MAX), cells = 0;
	h->series = u->failed ? NULL : FW_NEW_ARRAY(a, n, struct fw_series);
	for (uint32_t i = 0; h->series && i < n && !u->failed; i++) {
		struct fw_series *s = &h->series[i];
		unsigned head = fw_unpack_byte(u);
		for (int label = 0; label < FW_LABELS; label++)
			s->labels[label] = head >> label & 1 ? fw_unpack_bounded(u, h->n_texts) : 0;
		s->n = s->size = head >> FW_LABELS;
		if (s->n == FEW_CELLS)
			s->n = s->size = FEW_CELLS + fw_unpack_bounded(u, (uint32_t)(u->end - u->p));
		cells += s->n;
		s->cells = u->failed || cells > h->packed_series.n ? NULL : FW_NEW_ARRAY(a, s->n, struct fw_cell);
		if (!s->cells) {
			u->failed = true;
			return;
		}
		unpack_cells(u, s, newest);
	}
	h->n_series = n;
}

static int say_broken(struct fw_history *h)
{
	h->broken = true;
	h->n_texts = h->n_series = 0;
	h->filter = 0;
	return FW_EINVAL;
}

int fw_history_unpack_texts(struct fw_history *h, struct fw_arena *a)
{
	struct fw_unpack u;
	if (h->has_texts || h->packed_texts.n == 0)
		return h->broken ? FW_EINVAL : 0;
	h->has_texts = true;
	fw_unpack_init(&u, h->packed_texts);
	unpack_texts(h, &u, a);
	return u.failed || !h->texts || u.p != u.end ? say_broken(h) : 0;
}

int fw_history_unpack(struct fw_history *h, struct fw_arena *a)
{
	struct fw_unpack u;
	if (h->unpacked)
		return h->broken ? FW_EINVAL : 0;
	h->unpacked = true;
	for (int i = 0; i < FW_LABELS; i++)
		h->interest[i] = -1;
	if (fw_history_unpack_texts(h, a) < 0)
		return FW_EINVAL;
	if (h->packed_series.n == 0)
		return 0;
	fw_unpack_init(&u, h->packed_series);
	unpack_series(h, &u, a);
	return u.failed || !h->series || u.p != u.end ? say_broken(h) : 0;
}

static void pack_cell(const struct fw_cell *c, uint32_t newest, struct fw_buf *out)
{
	uint32_t back = c->hourly ? newest - c->hour : c->hour ? newest / HOURS - c->hour / HOURS + 1 : 0;
	unsigned few = c->count <= COUNT_MOST ? c->count : 0;
	fw_buf_putc(out, (char)(c->kind | (c->hourly ? HOURLY : 0) | few << COUNT_SHIFT));
	fw_pack_number(out, back);
	if (!few)
		fw_pack_number(out, c->count);
}

void fw_history_pack(const struct fw_series *series, uint32_t n, const uint32_t *renumber, struct fw_buf *out)
{
	uint32_t newest = 0;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < series[i].n; k++)
			if (series[i].cells[k].hour > newest)
				newest = series[i].cells[k].hour;
	fw_pack_number(out, n);
	fw_pack_number(out, newest);
	for (uint32_t i = 0; i < n; i++) {
		const struct fw_series *s = &series[i];
		unsigned labels = 0;
		for (int label = 0; label < FW_LABELS; label++)
			labels |= (unsigned)(s->labels[label] != 0) << label;
		fw_buf_putc(out, (char)(labels | (s->n < FEW_CELLS ? s->n : FEW_CELLS) << FW_LABELS));
		for (int label = 0; label < FW_LABELS; label++)
			if (s->labels[label])
				fw_pack_number(out, renumber ? renumber[s->labels[label] - 1] : s->labels[label]);
		if (s->n >= FEW_CELLS)
			fw_pack_number(out, s->n - FEW_CELLS);
		for (uint32_t k = 0; k < s->n; k++)
			pack_cell(&s->cells[k], newest, out);
	}
}

/* The number of a text, or 0. */
static uint32_t find_text(const struct fw_history *h, struct fw_str key)
{
	if (key.n > FW_LIMIT_KEY_BYTES)
		return 0;
	uint32_t hash = fw_history_hash(key);
	if (!(h->filter >> (hash & 63) & 1))
		return 0;
	for (uint32_t i = 0; i < h->n_texts; i++)
		if (h->texts[i].hash == hash && fw_str_equal(h->texts[i].text, key))
			return i + 1;
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

double fw_history_interest(const struct fw_history *h, enum fw_key_kind kind, uint32_t text)
{
	double interest = 0;
	for (uint32_t i = 0; i < h->n_series; i++)
		if (h->series[i].labels[kind - 1] == text)
			interest += interest_of(&h->series[i], h->now_us);
	return interest;
}

static double ask_share(struct fw_history *h, const struct fw_query *q, uint32_t text)
{
	double *all = &h->interest[q->key_kind - 1];
	if (*all < 0) {
		*all = 0;
		for (uint32_t i = 0; i < h->n_series; i++)
			if (h->series[i].labels[q->key_kind - 1])
				*all += interest_of(&h->series[i], h->now_us);
	}
	double own = fw_history_interest(h, q->key_kind, text);
	return own > 0 && *all > 0 ? fmin(own / *all, 1) : 0;
}

double fw_history_ask(struct fw_history *h, const struct fw_query *q)
{
	uint32_t text = 0;
	double count = 0;
	if (h->n_series == 0 || (q->key_kind != FW_KEY_NONE && !(text = find_text(h, q->key))))
		return 0;
	if (q->fact == FW_FACT_AFFINITY)
		return q->key_kind == FW_KEY_NONE ? 1 : ask_share(h, q, text);
	for (uint32_t i = 0; i < h->n_series; i++)
		if (q->key_kind == FW_KEY_NONE || h->series[i].labels[q->key_kind - 1] == text)
			count += count_cells(&h->series[i], (unsigned)(q->fact - FW_FACT_VIEWED), q->within_s, h->now_us);
	return count;
}

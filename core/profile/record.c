#include "profile/own.h"

#include "base/clock.h"

enum { HOUR_US_IN_S = 3600, DAY_HOURS = 24 };

bool fw_list_grow(struct fw_arena *a, void **items, uint32_t n, uint32_t *size, size_t element)
{
	if (n < *size)
		return true;
	uint32_t more = *size ? 2 * *size : 4;
	char *wider = fw_arena_array(a, more, element);
	if (!wider)
		return false;
	if (n)
		memcpy(wider, *items, n * element);
	*items = wider;
	*size = more;
	return true;
}

struct fw_record *fw_record_new(struct fw_arena *a, struct fw_str id)
{
	struct fw_record *r = FW_NEW(a, struct fw_record);
	char *copy = fw_arena_strndup(a, id.p, id.n);
	if (!r || !copy)
		return NULL;
	r->arena = a;
	r->version = RECORD_VERSION;
	r->first_id = (struct fw_str){ copy, id.n };
	return r;
}

bool fw_record_own(struct fw_record *r, struct fw_str *text)
{
	if (text->n)
		text->p = fw_arena_strndup(r->arena, text->p, text->n);
	return text->n == 0 || text->p;
}

struct fw_str fw_record_first_id(const struct fw_record *r)
{
	return r->first_id;
}

int64_t fw_record_last_seen_us(const struct fw_record *r)
{
	return r->last_ms * 1000;
}

bool fw_record_is_known(const struct fw_record *r)
{
	return fw_record_user(r).n > 0;
}

int64_t fw_record_erased_us(const struct fw_record *r)
{
	return r->erased_ms * 1000;
}

void fw_record_set_erased(struct fw_record *r, int64_t at_us)
{
	if (at_us / 1000 > r->erased_ms)
		r->erased_ms = at_us / 1000;
}

bool fw_record_is_restricted(const struct fw_record *r)
{
	return r->restricted;
}

void fw_record_restrict(struct fw_record *r, bool restricted)
{
	r->restricted = restricted;
}

uint32_t fw_text_hash(struct fw_str text)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 16777619u;
	return h ^ h >> 16;
}

uint32_t fw_record_text_whole(struct fw_record *r, struct fw_str text)
{
	uint32_t hash = fw_text_hash(text);
	for (uint32_t i = 0; i < r->texts.n; i++)
		if (r->texts.items[i].hash == hash && fw_str_equal(r->texts.items[i].text, text))
			return i + 1;
	char *copy = FW_LIST_ROOM(r, r->texts) ? fw_arena_strndup(r->arena, text.p, text.n) : NULL;
	if (!copy)
		return 0;
	r->texts.items[r->texts.n++] = (struct record_text){ { copy, text.n }, hash };
	return r->texts.n;
}

uint32_t fw_record_text(struct fw_record *r, struct fw_str text)
{
	text.n = fw_utf8_cut(text, FW_LIMIT_KEY_BYTES);
	return text.n ? fw_record_text_whole(r, text) : 0;
}

uint32_t fw_record_text_folded(struct fw_record *r, struct fw_str text)
{
	char folded[FW_LIMIT_KEY_BYTES];
	text.n = fw_utf8_cut(text, FW_LIMIT_KEY_BYTES);
	if (text.n)
		fw_fold(text, folded);
	return fw_record_text(r, (struct fw_str){ folded, text.n });
}

struct fw_str fw_record_text_of(const struct fw_record *r, uint32_t number)
{
	return number && number <= r->texts.n ? r->texts.items[number - 1].text : (struct fw_str){ 0 };
}

enum fw_message_seen fw_record_seen(const struct fw_record *r, uint64_t message_hash)
{
	if (message_hash == 0)
		return FW_SEEN_NO;
#ifndef FW_BREAK_DEDUPE
	for (uint32_t i = 0; i < r->seen.n; i++)
		if (r->seen.items[i].hash == message_hash)
			return FW_SEEN_YES;
	uint32_t days = r->spilled_days;
	for (uint32_t i = 0; i < r->merges.n; i++)
		days |= r->merges.items[i].spilled_days;
	return days ? FW_SEEN_ASK : FW_SEEN_NO;
#else
	(void)r;
	return FW_SEEN_NO;
#endif
}

/* A day-row matters until the last message in it is FW_LIMIT_DEDUPE_HOURS old. */
static bool still_matters(int64_t day, int64_t now_us)
{
	int64_t now_hour = now_us / 1000000 / HOUR_US_IN_S;
	return (day + 1) * DAY_HOURS + FW_LIMIT_DEDUPE_HOURS > now_hour;
}

static unsigned days_that_matter(int32_t day, uint32_t bits, int64_t now_us, int32_t days[4])
{
	unsigned n = 0;
	for (int32_t i = 0; i < 4; i++)
		if (bits >> i & 1 && still_matters(day - i, now_us))
			days[n++] = day - i;
	return n;
}

unsigned fw_record_spilled_days(const struct fw_record *r, int64_t now_us, int32_t days[4])
{
	return days_that_matter(r->spilled_day, r->spilled_days, now_us, days);
}

unsigned fw_merge_spilled_days(const struct fw_merge *m, int64_t now_us, int32_t days[4])
{
	return days_that_matter(m->spilled_day, m->spilled_days, now_us, days);
}

void fw_record_spilled(const struct fw_record *r, int32_t *ret_day, uint32_t *ret_days)
{
	*ret_day = r->spilled_day;
	*ret_days = r->spilled_days;
}

static void note_spilled(struct fw_record *r, int32_t day)
{
	if (r->spilled_days == 0 || day > r->spilled_day) {
		int32_t on = day - r->spilled_day;
		r->spilled_days = r->spilled_days && on < 4 ? (r->spilled_days << on & 15) | 1 : 1;
		r->spilled_day = day;
	} else if (r->spilled_day - day < 4) {
		r->spilled_days |= 1u << (r->spilled_day - day);
	}
}

/* Those too old for the same message to be accepted again are forgotten. */
static void forget_seen(struct fw_record *r, int64_t received_us)
{
	int64_t now_hour = received_us / 1000000 / HOUR_US_IN_S;
	uint32_t old = 0;
	while (old < r->seen.n && r->seen.items[old].hour + FW_LIMIT_DEDUPE_HOURS + 1 < now_hour)
		old++;
	memmove(r->seen.items, r->seen.items + old, (r->seen.n - old) * sizeof *r->seen.items);
	r->seen.n -= old;
	int32_t days[4];
	if (r->spilled_days && fw_record_spilled_days(r, received_us, days) == 0)
		r->spilled_days = 0;
}

unsigned fw_record_remember(struct fw_record *r, uint64_t message_hash, int64_t received_us, uint64_t *ret_spilled, int32_t *ret_day)
{
	enum { KEPT_AT_SPILL = 2 };
	_Static_assert(FW_LIMIT_SEEN_KEPT - KEPT_AT_SPILL <= FW_SPILL_MOST, "what is spilled at once has room");
	unsigned n = 0;
	int64_t hour = received_us / 1000000 / HOUR_US_IN_S;
	if (message_hash == 0)
		return 0;
	if (r->seen.n)
		forget_seen(r, received_us);
	if (r->seen.n >= FW_LIMIT_SEEN_KEPT) {
		*ret_day = (int32_t)(hour / DAY_HOURS);
		n = r->seen.n - KEPT_AT_SPILL;
		for (unsigned i = 0; i < n; i++)
			ret_spilled[i] = r->seen.items[i].hash;
		memmove(r->seen.items, r->seen.items + n, KEPT_AT_SPILL * sizeof *r->seen.items);
		r->seen.n = KEPT_AT_SPILL;
		note_spilled(r, *ret_day);
	}
	if (!FW_LIST_ROOM(r, r->seen))
		return n;
	r->seen.items[r->seen.n++] = (struct seen){ message_hash, (uint32_t)hour };
	return n;
}

/* The hash before those of its hour. */
static bool is_later(const struct seen *a, const struct seen *b)
{
	return a->hour != b->hour ? a->hour > b->hour : a->hash > b->hash;
}

static int note_seen(struct fw_record *r, struct seen s)
{
	for (uint32_t i = 0; i < r->seen.n; i++)
		if (r->seen.items[i].hash == s.hash) {
			if (r->seen.items[i].hour >= s.hour)
				return 0;
			FW_LIST_TAKE(r->seen, i);
			break;
		}
	if (!FW_LIST_ROOM(r, r->seen))
		return FW_ENOMEM;
	uint32_t i = r->seen.n;
	while (i > 0 && is_later(&r->seen.items[i - 1], &s))
		i--;
	FW_LIST_OPEN(r->seen, i);
	r->seen.items[i] = s;
	return 0;
}

/* The latest stay; the others become rows of the day on which they came. */
int fw_merge_seen(struct merging *m)
{
	struct fw_record *r = m->into;
	struct seen own[FW_LIMIT_SEEN_KEPT];
	uint32_t n = r->seen.n < FW_LIMIT_SEEN_KEPT ? r->seen.n : FW_LIMIT_SEEN_KEPT;
	if (n)
		memcpy(own, r->seen.items, n * sizeof *own);
	r->seen.n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (note_seen(r, own[i]) < 0)
			return FW_ENOMEM;
	for (uint32_t i = 0; i < m->from->seen.n; i++)
		if (note_seen(r, m->from->seen.items[i]) < 0)
			return FW_ENOMEM;
	while (r->seen.n > FW_LIMIT_SEEN_KEPT) {
		const struct seen *s = &r->seen.items[0];
		struct fw_spilled spilled = { s->hash, (int32_t)(s->hour / DAY_HOURS) };
		m->spilled[m->n_spilled++] = spilled;
		note_spilled(r, spilled.day);
		FW_LIST_TAKE(r->seen, 0);
	}
	return 0;
}

static bool has_seen(const struct fw_record *r, uint64_t hash)
{
	for (uint32_t i = 0; i < r->seen.n; i++)
		if (r->seen.items[i].hash == hash)
			return true;
	return false;
}

/* Messages that came since are remembered, and of those before as many as there is room for: the others are rows by now. */
int fw_split_seen(struct fw_record *r, const struct fw_record *now, const struct fw_record *merged)
{
	struct seen before[FW_LIMIT_SEEN_KEPT];
	uint32_t n = r->seen.n < FW_LIMIT_SEEN_KEPT ? r->seen.n : FW_LIMIT_SEEN_KEPT, left_out = 0, kept = 0;
	if (n)
		memcpy(before, r->seen.items, n * sizeof *before);
	for (uint32_t i = 0; i < now->seen.n; i++) {
		uint64_t hash = now->seen.items[i].hash;
		kept += has_seen(r, hash) || !has_seen(merged, hash);
	}
	while (left_out < n && n - left_out + kept > FW_LIMIT_SEEN_KEPT)
		left_out++;
	r->seen.n = 0;
	for (uint32_t i = 0; i < n; i++)
		if ((i >= left_out || has_seen(now, before[i].hash)) && note_seen(r, before[i]) < 0)
			return FW_ENOMEM;
	for (uint32_t i = 0; i < now->seen.n; i++)
		if (!has_seen(merged, now->seen.items[i].hash) && note_seen(r, now->seen.items[i]) < 0)
			return FW_ENOMEM;
	if (left_out || now->spilled_days != merged->spilled_days || now->spilled_day != merged->spilled_day) {
		r->spilled_days = now->spilled_days;
		r->spilled_day = now->spilled_day;
	}
	return 0;
}

static struct import *find_import(const struct fw_record *r, uint64_t file)
{
	for (uint32_t i = 0; i < r->imports.n; i++)
		if (r->imports.items[i].file == file)
			return &r->imports.items[i];
	return NULL;
}

int64_t fw_record_import_offset(const struct fw_record *r, uint64_t file)
{
	const struct import *found = find_import(r, file);
	return found ? found->offset : -1;
}

void fw_record_set_import_offset(struct fw_record *r, uint64_t file, int64_t offset)
{
	struct import *found = find_import(r, file);
	if (found) {
		found->offset = offset;
		return;
	}
	if (r->imports.n == FW_LIMIT_IMPORTS_KEPT)
		FW_LIST_TAKE(r->imports, 0);
	if (FW_LIST_ROOM(r, r->imports))
		r->imports.items[r->imports.n++] = (struct import){ file, offset };
}

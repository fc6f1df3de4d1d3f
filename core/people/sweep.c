#include "people/sweep.h"

#include <stdlib.h>

#include "base/limits.h"
#include "people/key.h"

enum { ROWS_AT_ONCE = 128, DAY_S = 86400 };

struct fw_sweep {
	struct fw_store *store;
	struct fw_sweep_options options;
	struct fw_sweep_counts counts;
	struct fw_arena arena;   /* of the rows in hand */
	struct fw_arena scratch; /* of a record */
	int64_t now_us;
	fw_people_done done;     /* NULL: no step is on its way */
	void *ctx;

	/* Where it stands. */
	uint32_t bucket;
	enum { PEOPLE, COUNTING, LETTERS } part; /* the first way through the letters only counts them */
	char after[FW_KEY_MOST];
	size_t after_n;
	unsigned dead_seen, dead_total;
};

struct fw_sweep *fw_sweep_create(struct fw_store *store, const struct fw_sweep_options *options)
{
	struct fw_sweep *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->store = store;
	s->options = *options;
	fw_arena_init(&s->arena, NULL, 0, 0);
	fw_arena_init(&s->scratch, NULL, 0, 0);
	return s;
}

void fw_sweep_destroy(struct fw_sweep *s)
{
	if (!s)
		return;
	fw_arena_finish(&s->arena);
	fw_arena_finish(&s->scratch);
	free(s);
}

bool fw_sweep_busy(const struct fw_sweep *s)
{
	return s->done != NULL;
}

const struct fw_sweep_counts *fw_sweep_counts(const struct fw_sweep *s)
{
	return &s->counts;
}

static bool record_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	struct fw_record *r;
	fw_arena_reset(&s->scratch);
	if (fw_record_read(&s->scratch, row->value, &r, NULL) < 0) {
		s->counts.damaged++;
		return false;
	}
	int64_t keep_s = fw_record_is_known(r) ? s->options.known_s : s->options.anonymous_s;
	int64_t seen_us = fw_record_last_seen_us(r);
	bool over = keep_s && seen_us && s->now_us - seen_us > keep_s * 1000000;
	s->counts.people += over;
	return over;
}

static bool message_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	int64_t day = (int64_t)fw_key_read(row->key.p + FW_KEY_PERSON + 1, 4);
	/* Remembered on any moment of that day, it counts for so long from there. */
	bool over = s->now_us / 1000000 > (day + 1) * DAY_S + FW_LIMIT_DEDUPE_HOURS * 3600;
	s->counts.messages += over;
	return over;
}

static bool letter_is_over(struct fw_sweep *s, const struct fw_row *row)
{
	int64_t at_us = (int64_t)fw_key_read(row->key.p + 1, 8);
	unsigned newer = s->dead_total - ++s->dead_seen;
	bool over = s->now_us - at_us > (int64_t)FW_LIMIT_DEAD_LETTER_S * 1000000 || newer >= FW_LIMIT_DEAD_LETTERS;
	s->counts.dead_letters += over;
	return over;
}

static bool is_over(struct fw_sweep *s, const struct fw_row *row)
{
	if (s->part == LETTERS)
		return row->key.n == 17 && letter_is_over(s, row);
	if (row->key.n <= FW_KEY_PERSON)
		return false;
	switch (row->key.p[FW_KEY_PERSON]) {
	case 'r': return record_is_over(s, row);
	case 'd': return row->key.n == FW_KEY_MESSAGE && message_is_over(s, row);
	default: return false;
	}
}

static void end(struct fw_sweep *s, int rc)
{
	fw_people_done done = s->done;
	fw_arena_reset(&s->arena);
	fw_arena_reset(&s->scratch);
	s->done = NULL;
	done(s->ctx, rc);
}

static void on_dropped(void *ctx, int rc, uint64_t version)
{
	(void)version;
	/* Somebody came back meanwhile: those rows are looked at again the next time round. */
	end(ctx, rc == FW_ECONFLICT ? 0 : rc);
}

/* On to what comes after these rows. */
static void advance(struct fw_sweep *s, const struct fw_row *last, bool more)
{
	s->after_n = 0;
	if (more && last) {
		s->after_n = last->key.n < sizeof s->after ? last->key.n : sizeof s->after;
		memcpy(s->after, last->key.p, s->after_n);
	} else if (s->part != LETTERS) {
		s->part++;
	} else {
		s->part = PEOPLE;
		s->bucket = (s->bucket + 1) % FW_STORE_BUCKETS;
		s->dead_seen = s->dead_total = 0;
		s->counts.buckets++;
	}
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_sweep *s = ctx;
	struct fw_change changes[ROWS_AT_ONCE];
	struct fw_batch batch = { s->bucket, changes, 0 };
	if (rc < 0) {
		end(s, rc);
		return;
	}
	s->counts.rows += n;
	for (size_t i = 0; i < n && s->part != COUNTING; i++)
		if (is_over(s, &rows[i]))
			changes[batch.n++] = (struct fw_change){ FW_CHANGE_DELETE, rows[i].key, { NULL, 0 }, rows[i].version };
	if (s->part == COUNTING)
		s->dead_total += (unsigned)n;
	rc = batch.n ? fw_store_commit(s->store, &batch, on_dropped, s) : 0;
	if (rc == 0)
		advance(s, n ? &rows[n - 1] : NULL, more);
	if (rc < 0 || !batch.n)
		end(s, rc);
}

void fw_sweep_step(struct fw_sweep *s, int64_t now_us, fw_people_done done, void *ctx)
{
	s->now_us = now_us;
	s->done = done;
	s->ctx = ctx;
	fw_store_scan(s->store, s->bucket, s->part == PEOPLE ? FW_STR("P") : FW_STR("D"), (struct fw_str){ s->after, s->after_n },
		ROWS_AT_ONCE, &s->arena, on_rows, s);
}

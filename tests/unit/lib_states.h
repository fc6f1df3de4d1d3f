/* What people's ids come to, as a text that two runs are compared by, where everybody may die meanwhile. */
#ifndef FW_TESTS_LIB_STATES_H
#define FW_TESTS_LIB_STATES_H

#include "lib_joins.h"

#define ANN "\"context\":{\"traits\":{\"email\":\"ann@shop.example\"}}"
#define CARD "\"context\":{\"traits\":{\"phone\":\"+4930123456\",\"ids\":{\"loyalty\":\"L-1\"}}}"

enum { TEXT = 8192, STATE_IDS = 16 };

static inline int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids of a record in an order of their own. */
static inline void put_ids(struct client *c, struct fw_str bytes, struct fw_buf *out)
{
	struct fw_record *r;
	struct fw_id id;
	char *texts[FW_LIMIT_RECORD_IDS];
	unsigned n = 0;
	assert_int_equal(fw_record_read(&c->t.arena, bytes, &r, NULL), 0);
	for (; fw_record_id(r, n, &id); n++)
		texts[n] = fw_arena_printf(&c->t.arena, " %d:%.*s%s", (int)id.kind, (int)id.text.n, id.text.p, id.shared ? "*" : "");
	qsort(texts, n, sizeof *texts, by_text);
	for (unsigned i = 0; i < n; i++)
		fw_buf_add(out, texts[i], strlen(texts[i]));
}

/* Who of these is whom, what each has viewed, and by which ids. Which row has a record may differ, and so is not part of it. */
static inline void put_state(struct client *c, const char *const *of, unsigned n, char text[TEXT])
{
	char rows[STATE_IDS][FW_LIMIT_EVENT_ID_BYTES + 1], line[200];
	struct fw_buf b;
	fw_buf_init(&b, 0);
	assert_true(n <= STATE_IDS);
	for (unsigned i = 0; i < n; i++) {
		struct found f = find(c, of[i]);
		unsigned same = 0;
		memcpy(rows[i], f.row, sizeof f.row);
		while (strcmp(rows[same], rows[i]) != 0)
			same++;
		snprintf(line, sizeof line, "%s is %s", of[i], of[same]);
		fw_buf_add(&b, line, strlen(line));
		if (same == i && f.person.record.n) {
			snprintf(line, sizeof line, ", %g views,", views(c, &f));
			fw_buf_add(&b, line, strlen(line));
			put_ids(c, f.person.record, &b);
		}
		fw_buf_putc(&b, '\n');
	}
	assert_true(!b.failed && b.n < TEXT);
	memcpy(text, b.data, b.n);
	text[b.n] = '\0';
	fw_buf_finish(&b);
}

/* Whoever leads the workers delivers what was left lying, now and then. */
static inline void wait_for(struct client *c, unsigned answers)
{
	for (unsigned failed = c->failed; c->answered < answers; joins_turn(c)) {
		if (c->failed == failed)
			continue;
		deliver_all(c);
		failed = c->failed;
	}
}

/* What befell it, for people. */
static inline const char *befell(const struct memory_options *o)
{
	static char text[160];
	snprintf(text, sizeof text, "seed %" PRIu64 ", up to %u turns late, commit %u%s, then every %u", o->seed, o->late_turns, o->lose_at,
		o->dies ? " and everybody dies" : " and its answer is lost", o->lose_every);
	return text;
}

#endif

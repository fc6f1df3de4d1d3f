/* Telling those who asked for a product that is back, page by page of a bucket's index. The record of each says what is still to be
 * done: whoever dies in between, the next one finds in the index who has not been told. */
#include <stdlib.h>
#include <string.h>

#include "fact/products.h"
#include "people/asked.h"
#include "people/flight.h"

enum { PAGE = 32 };

struct telling {
	struct fw_people *people;
	uint32_t bucket;
	int64_t now_us;
	const bool *stop;
	struct fw_arena arena; /* of a page */
	char after[FW_KEY_ASKED];
	unsigned after_n, left;
	bool inside, more, over; /* in the loop that asks for pages; the one in hand is done with; nothing is left to ask */
	int rc;
	fw_people_done done;
	void *ctx;
};

/* One person, in the arena of the page. */
struct told {
	struct telling *telling;
	struct fw_asked asked;
	struct fw_ask ask;
	uint32_t product;
	struct fw_people_event event;
	struct fw_people_group group;
	struct fw_change change;
	struct fw_commit commit;
};

static void go_on(struct telling *t);

static void leave(struct telling *t, int rc)
{
	if (rc < 0)
		t->rc = rc;
	if (--t->left == 0)
		go_on(t);
}

static void on_dropped(void *ctx, int rc, uint64_t version)
{
	struct told *x = ctx;
	(void)version;
	leave(x->telling, rc == FW_ECONFLICT ? 0 : rc);
}

/* The row leads to nobody who asks. */
static void drop(struct told *x)
{
	struct telling *t = x->telling;
	int rc = fw_commit(&x->commit, t->people, &(struct fw_batch){ t->bucket, &x->change, 1 }, on_dropped, x);
	if (rc < 0)
		leave(t, rc);
}

static void on_applied(void *ctx, int rc)
{
	struct told *x = ctx;
	leave(x->telling, rc);
}

/* To the record, wherever a login may have brought it since: its row sends the event on. */
static int tell(struct told *x, const struct fw_person_id *row)
{
	struct telling *t = x->telling;
	struct fw_people_event *e = &x->event;
	*e = (struct fw_people_event){ .id = *row, .restocked = &x->ask, .proven = true, .group = &x->group,
		.event = { .type = FW_EVENT_TRACK, .name = FW_STR(FW_ASK_RESTOCKED), .at_us = t->now_us, .received_us = t->now_us } };
	x->group = (struct fw_people_group){ .done = on_applied, .ctx = x, .left = 1 };
	int rc = fw_due_restocked(t->people->decider->set->products, x->product, x->ask.place, x->ask.at_us, t->now_us, &t->arena,
		&e->facts);
	return rc < 0 ? rc : fw_people_event_send(e, row);
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct told *x = ctx;
	struct telling *t = x->telling;
	struct fw_record *r = NULL;
	if (rc == 0 && person->record.n)
		rc = fw_record_read(&t->arena, person->record, &r, NULL);
	if (rc < 0 && rc != FW_ENOENT) {
		leave(t, rc == FW_EINVAL ? 0 : rc); /* who is damaged keeps no others waiting */
		return;
	}
	if (!r || !fw_record_find_ask(r, x->asked.product, &x->ask) || x->ask.at_us != x->asked.at_us) {
		drop(x);
		return;
	}
	char *copy = fw_arena_strndup(&t->arena, person->row.id.p, person->row.id.n); /* the flight may begin when this returned */
	const struct fw_person_id row = { person->row.kind, { copy, person->row.id.n } };
	rc = copy ? tell(x, &row) : FW_ENOMEM;
	if (rc == 0 && (rc = fw_flight_take(t->people, &x->event)) < 0)
		free(x->event.row_text);
	if (rc < 0)
		leave(t, rc);
}

static int begin(struct telling *t, const struct fw_row *row, const struct fw_asked *asked, uint32_t product)
{
	struct told *x = FW_NEW(&t->arena, struct told);
	if (!x)
		return FW_ENOMEM;
	*x = (struct told){ .telling = t, .asked = *asked, .product = product,
		.change = { FW_CHANGE_DELETE, row->key, { NULL, 0 }, row->version } };
	t->left++;
	fw_people_load_hash(t->people, asked->hash, &t->arena, on_loaded, x);
	return 0;
}

/* What nobody can buy is passed over with all who ask for it. */
static int take_rows(struct telling *t, const struct fw_row *rows, size_t n)
{
	const struct fw_products *p = t->people->decider->set->products;
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct fw_asked asked;
		uint32_t number = fw_asked_read(&rows[i], &asked) ? fw_products_find(p, asked.product) : FW_NO_PRODUCT;
		bool is_back = number != FW_NO_PRODUCT && !fw_products_sold_out(p, number);
		t->after_n = rows[i].key.n < sizeof t->after ? (unsigned)rows[i].key.n : sizeof t->after;
		memcpy(t->after, rows[i].key.p, t->after_n);
		if (is_back)
			rc = begin(t, &rows[i], &asked, number);
		else if (t->after_n == sizeof t->after)
			memset(t->after + 9, 0xff, sizeof t->after - 9);
		while (!is_back && i + 1 < n && rows[i + 1].key.n == rows[i].key.n && memcmp(rows[i + 1].key.p, rows[i].key.p, 9) == 0)
			i++;
	}
	return rc;
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct telling *t = ctx;
	if (rc == 0)
		rc = take_rows(t, rows, n);
	t->over = rc < 0 || !more || n == 0 || *t->stop;
	leave(t, rc);
}

static void end(struct telling *t)
{
	fw_people_done done = t->done;
	void *ctx = t->ctx;
	int rc = t->rc;
	fw_arena_finish(&t->arena);
	free(t);
	done(ctx, rc);
}

/* A store that answers within the call is asked by this loop, however many pages there are. */
static void go_on(struct telling *t)
{
	t->more = true;
	if (t->inside)
		return;
	t->inside = true;
	while (t->more && !t->over) {
		t->more = false;
		t->left = 1;
		fw_arena_reset(&t->arena);
		fw_store_scan(t->people->store, t->bucket, FW_STR("B"), (struct fw_str){ t->after, t->after_n }, PAGE, &t->arena, on_rows,
			t);
	}
	t->inside = false;
	if (t->more)
		end(t);
}

bool fw_asked_matters(const struct fw_people *p)
{
	return p->triggers && p->decider->set->products && fw_triggers_sets_off(p->triggers, FW_STR(FW_ASK_RESTOCKED));
}

void fw_asked_tell(struct fw_people *p, uint32_t bucket, int64_t now_us, const bool *stop, fw_people_done done, void *ctx)
{
	bool any = fw_asked_matters(p);
	struct telling *t = any ? calloc(1, sizeof *t) : NULL;
	if (!t) {
		done(ctx, any ? FW_ENOMEM : 0);
		return;
	}
	*t = (struct telling){ .people = p, .bucket = bucket, .now_us = now_us, .stop = stop, .done = done, .ctx = ctx };
	fw_arena_init(&t->arena, NULL, 0, 0);
	go_on(t);
}

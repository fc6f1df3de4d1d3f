#include "server/aside.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "decide/set_aside.h"
#include "server/engine_own.h"
#include "store/store.h"
#include "store/wire.h"

enum { LOOK_MS = 1000, HASH = 32, PREFIX = 1 + HASH, KEY = PREFIX + 4, VALUE = 8, ROWS_MOST = 100 };

struct fw_aside {
	const struct fw_engine *engine;
	const struct fw_slot_page *page;
	struct fw_store *store;
	struct event *timer;
	struct fw_arena arena; /* of the rows that were found */
	int64_t *told_us;      /* by rule: until when others have been told, or have told us */
	uint64_t noted;        /* FW_COUNT_SET_ASIDE when this worker looked last */
	uint32_t bucket;
	char prefix[PREFIX];
};

static void look_again(struct fw_aside *a)
{
	const struct timeval t = { LOOK_MS / 1000, LOOK_MS % 1000 * 1000 };
	evtimer_add(a->timer, &t);
}

/* What could not be told is told at the next look. */
static void on_written(void *ctx, int rc, uint64_t version)
{
	struct fw_aside *a = ctx;
	(void)version;
	if (rc == 0 || rc == FW_ECONFLICT)
		return;
	memset(a->told_us, 0, a->engine->set->n_rules * sizeof *a->told_us);
	a->noted = UINT64_MAX;
}

static void write_row(struct fw_aside *a, const struct fw_change *change)
{
	struct fw_batch batch = { a->bucket, change, 1 };
	int rc = fw_store_commit(a->store, &batch, on_written, a);
	if (rc < 0)
		on_written(a, rc, 0);
}

/* Rules that this node has set aside. There are many rules and it is seldom: only when this worker has counted one. */
static void tell(struct fw_aside *a)
{
	const struct fw_ruleset *set = a->engine->set;
	uint64_t counted = atomic_load_explicit(&a->page->counts[FW_COUNT_SET_ASIDE], memory_order_relaxed);
	int64_t now = fw_now_us();
	if (counted == a->noted)
		return;
	a->noted = counted;
	for (uint32_t i = 0; i < set->n_rules; i++) {
		int64_t until = fw_set_aside_until(a->engine->set_aside, i, now);
		uint8_t key[KEY], value[VALUE];
		if (until <= a->told_us[i])
			continue;
		a->told_us[i] = until;
		memcpy(key, a->prefix, PREFIX);
		fw_put_number(key + PREFIX, i, 4);
		fw_put_number(value, (uint64_t)until, 8);
		write_row(a, &(struct fw_change){ FW_CHANGE_PUT, { (const char *)key, KEY }, { (const char *)value, VALUE },
			FW_VERSION_ANY });
	}
}

static void take_row(struct fw_aside *a, const struct fw_row *row)
{
	const struct fw_ruleset *set = a->engine->set;
	int64_t now = fw_now_us(), until = row->value.n == VALUE ? (int64_t)fw_get_number(row->value.p, 8) : 0;
	if (until <= now || row->key.n != KEY) {
		write_row(a, &(struct fw_change){ FW_CHANGE_DELETE, row->key, { NULL, 0 }, row->version });
		return;
	}
	uint64_t rule = fw_get_number(row->key.p + PREFIX, 4);
	if (rule >= set->n_rules || until <= a->told_us[rule])
		return;
	a->told_us[rule] = until;
	if (fw_set_aside_is(a->engine->set_aside, (uint32_t)rule, now))
		return; /* as another worker of this node has seen, or did itself */
	fw_set_aside_put(a->engine->set_aside, (uint32_t)rule, until);
	fw_log(FW_LOG_WARN, "a rule is set aside, as another node has done", "rule", set->rules[rule].id, NULL);
}

static void on_rows(void *ctx, int rc, const struct fw_row *rows, size_t n, bool more)
{
	struct fw_aside *a = ctx;
	(void)more; /* at the next look, when these are over */
	for (size_t i = 0; rc == 0 && i < n; i++)
		take_row(a, &rows[i]);
	fw_arena_reset(&a->arena);
	look_again(a);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_aside *a = ctx;
	(void)fd;
	(void)what;
	tell(a);
	fw_store_scan(a->store, a->bucket, (struct fw_str){ a->prefix, PREFIX }, (struct fw_str){ NULL, 0 }, ROWS_MOST, &a->arena,
		on_rows, a);
}

struct fw_aside *fw_aside_create(const struct fw_engine *engine, const struct fw_slot_page *page, struct fw_store *store,
	struct event_base *base)
{
	struct fw_aside *a = calloc(1, sizeof *a);
	if (!a)
		return NULL;
	*a = (struct fw_aside){ .engine = engine, .page = page, .store = store };
	fw_arena_init(&a->arena, NULL, 0, 0);
	a->bucket = fw_store_bucket(fw_hash(engine->set->hash, HASH));
	a->prefix[0] = 'R';
	memcpy(a->prefix + 1, engine->set->hash, HASH);
	a->told_us = calloc(engine->set->n_rules + 1, sizeof *a->told_us);
	a->timer = evtimer_new(base, on_timer, a);
	if (!a->told_us || !a->timer) {
		fw_aside_destroy(a);
		return NULL;
	}
	look_again(a);
	return a;
}

void fw_aside_destroy(struct fw_aside *a)
{
	if (!a)
		return;
	if (a->timer)
		event_free(a->timer);
	fw_arena_finish(&a->arena);
	free(a->told_us);
	free(a);
}

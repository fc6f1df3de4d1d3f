#include "server/living.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "people/erase.h"
#include "people/post.h"
#include "people/sweep.h"
#include "server/config_decisions.h"
#include "server/config_store.h"

enum { BUCKETS_A_POST = 64, STEP_MS = 100, REST_MS = 60000 };
/* Who leads and dies leaves people half told that they are one: somebody else must begin soon. */
enum { LEASE_MS = 6000, LEASE_EVERY_MS = 2000 };

struct fw_living {
	struct fw_slot_page *page;
	struct fw_arena arena; /* of the store's options */
	struct fw_store *store;
	struct fw_store *held;    /* the spool's; NULL: there is none */
	struct fw_spool spool;
	struct fw_people *people;
	struct fw_sweep *sweep;
	struct event *on_lease, *on_step, *on_post;
	uint32_t posted; /* the bucket whose outbox has its turn */
	bool leads; /* this worker sweeps for the node */
	bool remote; /* the store is at the other end of a connection */
	enum fw_store_promise promise; /* that was told, as was: */
	bool away;
	uint64_t published[FW_STORE_COUNTS + FW_PEOPLE_COUNTS];
	struct fw_sweep_counts swept;
};

static void wait_ms(struct event *timer, int64_t ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	event_add(timer, &t);
}

/* One worker of the node has the lease and sweeps. */
static void on_leased(void *ctx, int rc)
{
	struct fw_living *l = ctx;
	bool begins = rc == 0 && !l->leads;
	l->leads = rc == 0;
	if (begins) {
		wait_ms(l->on_step, STEP_MS);
		wait_ms(l->on_post, STEP_MS);
	} else if (!l->leads) {
		event_del(l->on_step);
		event_del(l->on_post);
	}
}

static void on_gone_on(void *ctx, int rc)
{
	struct fw_living *l = ctx;
	(void)rc; /* what the store could not do has its next turn soon */
	l->posted = (l->posted + BUCKETS_A_POST) % FW_STORE_BUCKETS;
	if (l->leads)
		wait_ms(l->on_post, STEP_MS);
}

static void on_posted(void *ctx, int rc)
{
	struct fw_living *l = ctx;
	(void)rc;
	fw_people_erase_sweep(l->people, l->posted, BUCKETS_A_POST, fw_now_us(), on_gone_on, l);
}

/* What a worker said to other buckets and died before delivering; and erasures that it did not end. */
static void on_post(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_living *l = ctx;
	(void)fd;
	(void)what;
	fw_post_sweep(l->people, l->posted, BUCKETS_A_POST, on_posted, l);
}

static void on_lease(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_living *l = ctx;
	(void)fd;
	(void)what;
	if (fw_store_lease(l->store, FW_LIVING_LEASE, LEASE_MS, on_leased, l) < 0)
		on_leased(l, FW_EBUSY);
	fw_people_learn(l->people);
	wait_ms(l->on_lease, LEASE_EVERY_MS);
}

static void on_swept(void *ctx, int rc)
{
	struct fw_living *l = ctx;
	const struct fw_sweep_counts *now = fw_sweep_counts(l->sweep);
	fw_count(l->page, FW_COUNT_SWEPT_PEOPLE, now->people - l->swept.people);
	fw_count(l->page, FW_COUNT_SWEPT_MESSAGES, now->messages - l->swept.messages);
	fw_count(l->page, FW_COUNT_SWEPT_LETTERS, now->dead_letters - l->swept.dead_letters);
	if (now->damaged != l->swept.damaged)
		fw_log(FW_LOG_ERROR, "a record cannot be read; `floorwalker store check` names it", NULL);
	/* After the last bucket, and where the store does not answer, there is time. */
	bool rests = rc < 0 || now->buckets / FW_STORE_BUCKETS != l->swept.buckets / FW_STORE_BUCKETS;
	l->swept = *now;
	if (l->leads)
		wait_ms(l->on_step, rests ? REST_MS : STEP_MS);
}

static void on_step(evutil_socket_t fd, short what, void *ctx)
{
	struct fw_living *l = ctx;
	(void)fd;
	(void)what;
	if (!fw_sweep_busy(l->sweep))
		fw_sweep_step(l->sweep, fw_now_us(), on_swept, l);
}

static int open_spool(struct fw_living *l, const struct fw_made *made, struct event_base *base, struct fw_error *err)
{
	struct fw_store_options options;
	int rc = fw_config_spool(made->config, &l->arena, &options, err);
	if (rc == FW_ENOENT)
		return 0;
	if (rc == 0)
		rc = fw_store_open(&options, base, &l->held, err);
	if (rc == 0)
		rc = fw_spool_init(&l->spool, l->held, l->store, &made->config->spool_limits, made->shared, l->page, base);
	return rc;
}

static int make(struct fw_living *l, const struct fw_made *made, struct event_base *base, struct fw_error *err)
{
	const struct fw_config *config = made->config;
	struct fw_store_options options;
	struct fw_config_decisions decisions;
	int rc = fw_config_decisions(config, &l->arena, &decisions, err);
	if (rc == 0)
		rc = fw_config_store(config, &l->arena, &options, err);
	l->remote = !fw_store_folder(config->store);
	if (rc == 0)
		rc = fw_store_open(&options, base, &l->store, err);
	if (rc == 0)
		rc = open_spool(l, made, base, err);
	if (rc < 0)
		return rc;
	struct fw_sweep_options sweep = { config->retain_anonymous_s, config->retain_known_s, decisions.log ? decisions.keep_s : 0 };
	struct fw_people_options people = { config->currency, config->hosts.items, config->hosts.n, l->held };
	l->people = fw_people_create(l->store, &people);
	l->sweep = l->people ? fw_sweep_create(l->people, &sweep) : NULL;
	l->on_lease = evtimer_new(base, on_lease, l);
	l->on_step = evtimer_new(base, on_step, l);
	l->on_post = evtimer_new(base, on_post, l);
	if (!l->people || !l->sweep || !l->on_lease || !l->on_step || !l->on_post)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "a worker is out of memory");
	fw_people_learn(l->people);
	wait_ms(l->on_lease, STEP_MS);
	return 0;
}

int fw_living_create(const struct fw_made *made, struct fw_slot_page *page, struct event_base *base, struct fw_living **ret,
	struct fw_error *err)
{
	struct fw_living *l = calloc(1, sizeof *l);
	if (!l)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "a worker is out of memory");
	l->page = page;
	fw_arena_init(&l->arena, NULL, 0, 0);
	int rc = make(l, made, base, err);
	if (rc < 0)
		fw_living_destroy(l);
	else
		*ret = l;
	return rc;
}

static void set_true(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	*(bool *)ctx = true;
}

/* Turns the loop until `is` says so, somebody breaks the loop, or the time is over. */
static void turn_until(struct fw_living *l, bool (*is)(struct fw_living *l), int64_t most_ms)
{
	struct event_base *base = event_get_base(l->on_lease);
	bool late = false;
	struct event *timer = evtimer_new(base, set_true, &late);
	if (!timer)
		return;
	wait_ms(timer, most_ms);
	while (!late && !is(l) && event_base_loop(base, EVLOOP_ONCE) == 0 && !event_base_got_break(base))
		continue;
	event_free(timer);
}

static bool is_reachable(struct fw_living *l)
{
	struct fw_store_health h;
	fw_store_health(l->store, &h);
	return h.reachable;
}

void fw_living_greet(struct fw_living *l)
{
	if (l->remote)
		turn_until(l, is_reachable, FW_LIMIT_STORE_GREET_MS);
}

static void on_released(void *ctx, int rc)
{
	struct fw_living *l = ctx;
	(void)rc; /* else it ends by itself */
	l->leads = false;
}

static bool is_follower(struct fw_living *l)
{
	return !l->leads;
}

/* So that the next one may begin at once. */
static void give_lease_back(struct fw_living *l)
{
	event_del(l->on_lease);
	event_del(l->on_step);
	event_del(l->on_post);
	if (l->leads && fw_store_release(l->store, FW_LIVING_LEASE, on_released, l) == 0)
		turn_until(l, is_follower, FW_LIMIT_STORE_RELEASE_MS);
	l->leads = false;
}

void fw_living_close(struct fw_living *l)
{
	if (!l || !l->store)
		return;
	if (l->on_lease && l->on_step && l->on_post)
		give_lease_back(l);
	if (l->people)
		fw_living_publish(l);
	if (l->held)
		fw_spool_close(&l->spool);
	fw_store_close(l->store);
	fw_store_close(l->held); /* what the other could not take may have come here */
	l->store = l->held = NULL;
	/* What waited has been told of the end by now, and sets no timer any more. */
	if (l->on_lease)
		event_free(l->on_lease);
	if (l->on_step)
		event_free(l->on_step);
	if (l->on_post)
		event_free(l->on_post);
}

void fw_living_destroy(struct fw_living *l)
{
	if (!l)
		return;
	fw_living_close(l);
	fw_sweep_destroy(l->sweep);
	fw_people_destroy(l->people);
	if (l->spool.store)
		fw_spool_finish(&l->spool);
	fw_arena_finish(&l->arena);
	free(l);
}

struct fw_people *fw_living_people(struct fw_living *l)
{
	return l ? l->people : NULL;
}

struct fw_spool *fw_living_spool(struct fw_living *l)
{
	return l->spool.store ? &l->spool : NULL;
}

/* That a store at the other end of a connection is out of reach, or is there again; and what it is found to promise: a warning where it is
 * less than anybody would expect. */
static void tell_store(struct fw_living *l)
{
	struct fw_store_health h;
	fw_store_health(l->store, &h);
	if (l->remote && h.reachable == l->away) {
		l->away = !h.reachable;
		if (l->away)
			fw_log(FW_LOG_WARN, "the store is out of reach", "error", h.message, NULL);
		else
			fw_log(FW_LOG_INFO, "the store is within reach again", NULL);
	}
	if (h.promise == l->promise)
		return;
	l->promise = h.promise;
	atomic_store(&l->page->promise, (int32_t)h.promise);
	if (h.promise)
		fw_log(h.promise >= FW_PROMISE_SNAPSHOTS ? FW_LOG_WARN : FW_LOG_INFO, "what the store promises", "durability",
			fw_store_durability(l->store), "promise", fw_store_promise_text(h.promise), NULL);
}

struct fw_store *fw_living_shared(struct fw_living *l)
{
	return l->remote ? l->store : NULL;
}

void fw_living_publish(struct fw_living *l)
{
	tell_store(l);
	const struct fw_store_counters *c = fw_store_counters(l->store);
	const struct fw_people_counters *p = fw_people_counters(l->people);
	const uint64_t now[FW_STORE_COUNTS + FW_PEOPLE_COUNTS] = { c->gets, c->scans, c->batches, c->rows_written, c->conflicts, c->busy,
		c->failures, c->resubmitted, p->reserved, p->delivered, p->merged, p->refused, p->restocked };
	for (unsigned i = 0; i < FW_STORE_COUNTS + FW_PEOPLE_COUNTS; i++) {
		fw_count(l->page, FW_COUNT_STORE + i, now[i] - l->published[i]);
		l->published[i] = now[i];
	}
}

void fw_living_write_health(struct fw_living *l, struct fw_json_out *o)
{
	struct fw_store_health h;
	fw_store_health(l->store, &h);
	fw_json_open_object(o);
	fw_json_key(o, "reachable");
	fw_json_bool(o, h.reachable);
	fw_json_key(o, "full");
	fw_json_bool(o, h.full);
	fw_json_key(o, "durability");
	fw_json_text_value(o, fw_store_durability(l->store));
	fw_json_key(o, "promise");
	fw_json_text_value(o, fw_store_promise_text(h.promise));
	fw_json_key(o, "message");
	fw_json_text_value(o, h.message[0] ? h.message : NULL);
	const struct {
		const char *name;
		uint64_t n;
	} members[] = { { "usedBytes", h.used_bytes }, { "sizeBytes", h.size_bytes }, { "rows", h.rows }, { "waiting", h.waiting } };
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		fw_json_key(o, members[i].name);
		fw_json_number(o, (double)members[i].n);
	}
	fw_json_close_object(o);
}

static void gauge(struct fw_buf *out, const char *name, const char *help, uint64_t n)
{
	fw_buf_printf(out, "# HELP floorwalker_%s %s\n# TYPE floorwalker_%s gauge\nfloorwalker_%s %" PRIu64 "\n", name, help, name,
		name, n);
}

void fw_living_metrics(struct fw_living *l, struct fw_buf *out)
{
	struct fw_store_health h;
	fw_store_health(l->store, &h);
	gauge(out, "store_reachable", "1: the store answers.", h.reachable);
	gauge(out, "store_full", "1: the store's disk is full.", h.full);
	gauge(out, "store_used_bytes", "Bytes in use of the store's file.", h.used_bytes);
	gauge(out, "store_size_bytes", "Bytes that the store's file may grow to before it is enlarged.", h.size_bytes);
	gauge(out, "store_rows", "Rows in the store.", h.rows);
	if (l->held)
		fw_spool_metrics(&l->spool, out);
}

#include "server/shared.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "signal/signal.h"

const uint64_t fw_durations_ns[FW_DURATIONS] = {
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 10000000, 100000000, 0,
};

static void *pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

struct fw_shared *fw_shared_create(void)
{
	struct fw_shared *shared = pages(sizeof *shared);
	if (!shared)
		return NULL;
	for (unsigned bank = 0; bank < FW_BANKS; bank++)
		if (!(shared->remembered[bank] = pages(fw_signal_memory_bytes())))
			return NULL;
	shared->started_us = fw_now_us();
	atomic_store(&shared->master_pid, getpid());
	return shared;
}

void fw_count_duration(struct fw_slot_page *slot, uint64_t ns)
{
	unsigned i = 0;
	while (i < FW_DURATIONS - 1 && ns > fw_durations_ns[i])
		i++;
	fw_count(slot, FW_COUNT_DURATION + i, 1);
	fw_count(slot, FW_COUNT_DECISION_NS, ns);
}

uint64_t fw_shared_sum(const struct fw_shared *shared, unsigned which)
{
	uint64_t sum = 0;
	for (unsigned bank = 0; bank < FW_BANKS; bank++)
		for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
			sum += atomic_load_explicit(&shared->slots[bank][i].counts[which], memory_order_relaxed);
	return sum;
}

uint64_t fw_shared_logged(const struct fw_shared *shared, enum fw_decisions_count which)
{
	uint64_t sum = 0;
	for (unsigned bank = 0; bank < FW_BANKS; bank++)
		for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
			sum += atomic_load_explicit(&shared->logged[bank][i][which], memory_order_relaxed);
	return sum;
}

static int64_t counted(const struct fw_shared *shared)
{
	return (int64_t)fw_shared_sum(shared, FW_COUNT_SPOOLED) - (int64_t)fw_shared_sum(shared, FW_COUNT_UNSPOOLED);
}

uint64_t fw_shared_held(const struct fw_shared *shared)
{
	int64_t n = atomic_load(&shared->spool_base) + counted(shared);
	return n > 0 ? (uint64_t)n : 0;
}

void fw_shared_set_held(struct fw_shared *shared, uint64_t events)
{
	atomic_store(&shared->spool_base, (int64_t)events - counted(shared));
	atomic_store(&shared->spool_counted, true);
}

void fw_shared_set_outcome(struct fw_shared *shared, const char *json)
{
	atomic_fetch_add(&shared->outcome_version, 1);
	snprintf(shared->outcome, sizeof shared->outcome, "%s", json);
	atomic_fetch_add(&shared->outcome_version, 1);
}

const char *fw_shared_outcome(const struct fw_shared *shared, char *buf)
{
	for (int tries = 0; tries < 1000; tries++) {
		uint32_t before = atomic_load(&shared->outcome_version);
		memcpy(buf, shared->outcome, FW_OUTCOME_BYTES);
		atomic_thread_fence(memory_order_acquire);
		if (before % 2 == 0 && atomic_load(&shared->outcome_version) == before)
			break;
	}
	buf[FW_OUTCOME_BYTES - 1] = 0;
	return buf;
}

const char *fw_shared_doing(const struct fw_shared *shared, unsigned bank, unsigned slot, char *buf)
{
	uint32_t plugin = atomic_load(&shared->slots[bank][slot].plugin);
	if (plugin > 0 && plugin <= FW_LIMIT_PLUGINS)
		snprintf(buf, 160, "in plugin %.64s", shared->plugins[bank][plugin - 1]);
	else
		snprintf(buf, 160, "in its own code");
	return buf;
}

int fw_shared_metric(struct fw_shared *shared, const char *name, const char *help, bool gauge)
{
	uint32_t n = atomic_load(&shared->n_metrics);
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(shared->metrics[i].name, name) == 0)
			return (int)i;
	if (n == FW_LIMIT_PLUGIN_METRICS || strlen(name) >= FW_METRIC_NAME)
		return -1;
	struct fw_shared_metric *m = &shared->metrics[n];
	snprintf(m->name, sizeof m->name, "%s", name);
	snprintf(m->help, sizeof m->help, "%s", help ? help : "");
	m->gauge = gauge;
	atomic_store(&shared->n_metrics, n + 1);
	return (int)n;
}

struct fw_node_timer *fw_shared_timer(struct fw_shared *shared, uint64_t hash, int64_t every_us)
{
	int64_t first_us = fw_monotonic_us() + every_us;
	for (unsigned i = 0; i < FW_LIMIT_NODE_TIMERS; i++) {
		struct fw_node_timer *t = &shared->timers[i];
		uint64_t nobody = 0;
		bool made = atomic_compare_exchange_strong(&t->hash, &nobody, hash);
		if (!made && nobody != hash)
			continue;
		/* Who made it may not have come to this yet; who made it long ago may have meant another interval. */
		int64_t next_us = atomic_load(&t->next_us);
		while ((next_us == 0 || next_us > first_us) && !atomic_compare_exchange_weak(&t->next_us, &next_us, first_us))
			;
		return t;
	}
	return NULL;
}

bool fw_node_timer_fires(struct fw_node_timer *t, int64_t every_us, int64_t *ret_wait_us)
{
	int64_t now_us = fw_monotonic_us(), due_us = atomic_load(&t->next_us), next_us = due_us + every_us;
	bool fires = false;
	if (due_us <= now_us) {
		if (next_us <= now_us) /* nobody was there for so long */
			next_us = now_us + every_us;
		fires = atomic_compare_exchange_strong(&t->next_us, &due_us, next_us);
		due_us = fires ? next_us : due_us;
	}
	*ret_wait_us = due_us > now_us ? due_us - now_us : 0;
	return fires;
}

void fw_slot_end(const struct fw_shared *shared, struct fw_slot_page *slot)
{
	for (uint32_t i = 0; i < atomic_load(&shared->n_metrics); i++)
		if (shared->metrics[i].gauge)
			atomic_store(&slot->metrics[i], 0);
	atomic_store(&slot->open, 0);
	atomic_store(&slot->inflight, 0);
	atomic_store(&slot->streams, 0);
	atomic_store(&slot->pid, 0);
}

void fw_slot_begin(const struct fw_shared *shared, struct fw_slot_page *slot, struct fw_http_base *ret_base)
{
	fw_slot_end(shared, slot);
	for (unsigned i = 0; i < FW_COUNT_UNAUTHORIZED; i++)
		ret_base->counts[i] = atomic_load(&slot->counts[i]);
	memset(slot->troubles, 0, sizeof slot->troubles);
	atomic_store(&slot->plugin, 0);
	atomic_store(&slot->requests_before, ret_base->counts[FW_COUNT_REQUESTS]);
	atomic_store(&slot->started_us, fw_now_us());
	atomic_store(&slot->turned_us, fw_monotonic_us());
	atomic_store(&slot->pid, getpid());
}

void fw_slot_publish(struct fw_slot_page *slot, const struct fw_http_base *base, const struct fw_http_counters *now)
{
	uint64_t v[FW_COUNT_UNAUTHORIZED] = {
		[FW_COUNT_ACCEPTED] = now->accepted,
		[FW_COUNT_REQUESTS] = now->requests,
		[FW_COUNT_IDLE_CLOSED] = now->idle_closed,
		[FW_COUNT_GONE] = now->gone,
		[FW_COUNT_BYTES_IN] = now->bytes_in,
		[FW_COUNT_BYTES_OUT] = now->bytes_out,
	};
	for (unsigned i = 1; i <= 5; i++)
		v[FW_COUNT_RESPONSES_1XX + i - 1] = now->responses[i];
	for (unsigned i = 0; i < FW_HTTP_REASONS; i++)
		v[FW_COUNT_REFUSED + i] = now->refused[i];
	for (unsigned i = 0; i < FW_COUNT_UNAUTHORIZED; i++)
		atomic_store_explicit(&slot->counts[i], base->counts[i] + v[i], memory_order_relaxed);
	atomic_store_explicit(&slot->open, now->open, memory_order_relaxed);
	atomic_store_explicit(&slot->inflight, now->inflight, memory_order_relaxed);
}

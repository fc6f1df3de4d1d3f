#include "server/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct family {
	const char *name, *help;
	unsigned first, n;        /* counters */
	const char *label;        /* NULL: one without a label */
	const char *const *values;
};

static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };
static const char *const reasons[] = { "rule", "default", "none", "holdout" };

static const char *const limited[FW_RATES] = { "address", "key", "new" };
static const char *const outcomes[] = { "stored", "repeated", "rejected" };
static const char *const asked[] = { "answered", "failed" };
static const char *const ended[FW_STREAM_ENDS] = { "client", "slow", "age", "drain" };
static const char *const swept[] = { "record", "message", "dead_letter" };
static const char *const operations[FW_STORE_COUNTS] = { "get", "scan", "batch", "row_written", "conflict", "busy", "failure",
	"resubmitted", "reservation" };

static const struct family families[] = {
	{ "http_connections_accepted_total", "Connections accepted.", FW_COUNT_ACCEPTED, 1, NULL, NULL },
	{ "http_connections_idle_closed_total", "Kept-alive connections closed for idling or to make room.", FW_COUNT_IDLE_CLOSED, 1,
		NULL, NULL },
	{ "http_requests_total", "Requests.", FW_COUNT_REQUESTS, 1, NULL, NULL },
	{ "http_responses_total", "Responses by class of status.", FW_COUNT_RESPONSES_1XX, 5, "class", classes },
	{ "http_requests_gone_total", "Requests whose client left before the answer.", FW_COUNT_GONE, 1, NULL, NULL },
	{ "http_requests_unauthorized_total", "Requests without the key that they needed.", FW_COUNT_UNAUTHORIZED, 1, NULL, NULL },
	{ "http_requests_limited_total", "Requests refused or cut for coming too often, by what was too much.", FW_COUNT_LIMITED, FW_RATES,
		"limit", limited },
	{ "http_received_bytes_total", "Bytes read from clients.", FW_COUNT_BYTES_IN, 1, NULL, NULL },
	{ "http_sent_bytes_total", "Bytes written to clients.", FW_COUNT_BYTES_OUT, 1, NULL, NULL },
	{ "decisions_total", "Decisions answered.", FW_COUNT_DECISIONS, 1, NULL, NULL },
	{ "explanations_total", "Explanations answered.", FW_COUNT_EXPLANATIONS, 1, NULL, NULL },
	{ "decisions_degraded_total", "Decisions whose visitor's record could not be read.", FW_COUNT_DEGRADED, 1, NULL, NULL },
	{ "cap_conflicts_total", "Decisions made again because places under caps were taken meanwhile.", FW_COUNT_CAP_CONFLICTS, 1,
		NULL, NULL },
	{ "cap_failures_total", "Decisions without what is under caps: it could not be reserved.", FW_COUNT_CAP_FAILURES, 1, NULL, NULL },
	{ "slots_decided_total", "Slots answered, by reason.", FW_COUNT_SLOTS_RULE, 4, "reason", reasons },
	{ "rule_failures_total", "Functions of rules that failed.", FW_COUNT_RULE_FAILURES, 1, NULL, NULL },
	{ "rule_budget_exceeded_total", "Functions of rules that ran over their budget.", FW_COUNT_OVER_BUDGET, 1, NULL, NULL },
	{ "rules_set_aside_total", "Times that a rule was set aside.", FW_COUNT_SET_ASIDE, 1, NULL, NULL },
	{ "events_total", "Events that came in, by what became of them.", FW_COUNT_EVENTS_STORED, 3, "outcome", outcomes },
	{ "events_large_total", "Events over 32 KiB.", FW_COUNT_EVENTS_LARGE, 1, NULL, NULL },
	{ "spooled_total", "Events accepted into the spool, while the store was out of reach.", FW_COUNT_SPOOLED, 1, NULL, NULL },
	{ "spool_refused_total", "Events for which the spool had no room.", FW_COUNT_SPOOL_REFUSED, 1, NULL, NULL },
	{ "identity_blocked_total", "Ids of events that are placeholders and name nobody.", FW_COUNT_IDS_BLOCKED, 1, NULL, NULL },
	{ "identity_merged_total", "People who turned out to be one.", FW_COUNT_MERGED, 1, NULL, NULL },
	{ "identity_refused_total", "Ids that were not added to a person, and people who were not made one.", FW_COUNT_MERGES_REFUSED, 1,
		NULL, NULL },
	{ "restock_requests_answered_total", "People who had asked for a product and met that it is back.", FW_COUNT_RESTOCKED, 1, NULL,
		NULL },
	{ "messages_judged_total", "Messages that were due and looked at.", FW_COUNT_MESSAGES, 1, NULL, NULL },
	{ "messages_sent_total", "Messages that a channel delivered or took over.", FW_COUNT_MESSAGES + 1, 1, NULL, NULL },
	{ "messages_deferred_total", "Messages put off by a guard or a cap.", FW_COUNT_MESSAGES + 2, 1, NULL, NULL },
	{ "messages_refused_total", "Messages that were due and not sent, or to be sent no more.", FW_COUNT_MESSAGES + 3, 1, NULL, NULL },
	{ "messages_retried_total", "Deliveries that are to be tried again.", FW_COUNT_MESSAGES + 4, 1, NULL, NULL },
	{ "messages_failed_total", "Deliveries that failed for good.", FW_COUNT_MESSAGES + 5, 1, NULL, NULL },
	{ "messages_lost_total", "Deliveries of which nothing was heard.", FW_COUNT_MESSAGES + 6, 1, NULL, NULL },
	{ "messages_poison_total", "Messages that are dead since nothing was heard of them three times.", FW_COUNT_MESSAGES + 7, 1,
		NULL, NULL },
	{ "messages_heard_total", "Things heard of messages later.", FW_COUNT_MESSAGES + 8, 1, NULL, NULL },
	{ "streams_total", "Streams of server-sent events that began.", FW_COUNT_STREAMS, 1, NULL, NULL },
	{ "streams_full_total", "Streams that were refused or put off, for there were too many.", FW_COUNT_STREAMS_FULL, 1, NULL, NULL },
	{ "streams_ended_total", "Streams that ended, by what ended them.", FW_COUNT_STREAMS_ENDED, FW_STREAM_ENDS, "by", ended },
	{ "stream_events_total", "Answers and notices that streams were sent.", FW_COUNT_STREAM_EVENTS, 1, NULL, NULL },
	{ "stream_looks_total", "Times that a stream's slots were decided to see whether its answer is another.", FW_COUNT_STREAM_LOOKS, 1,
		NULL, NULL },
	{ "identity_delivered_total", "Entries of outboxes delivered to other buckets.", FW_COUNT_DELIVERED, 1, NULL, NULL },
	{ "dead_letters_total", "Refused events that were kept.", FW_COUNT_LETTERS, 1, NULL, NULL },
	{ "dead_letters_dropped_total", "Refused events that were not kept, for there were too many.", FW_COUNT_LETTERS_DROPPED, 1,
		NULL, NULL },
	{ "swept_total", "What had had its time and was dropped, by kind.", FW_COUNT_SWEPT_PEOPLE, 3, "kind", swept },
	{ "http_asked_total", "Requests of plugins to other servers, by what became of them.", FW_COUNT_ASKED, 2, "outcome", asked },
	{ "store_operations_total", "What was asked of the store, and how it went.", FW_COUNT_STORE, FW_STORE_COUNTS, "operation",
		operations },
};

void fw_metrics_head(struct fw_buf *out, const char *name, const char *type, const char *help)
{
	fw_buf_printf(out, "# HELP floorwalker_%s %s\n# TYPE floorwalker_%s %s\n", name, help, name, type);
}

void fw_metrics_one(struct fw_buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	fw_metrics_head(out, name, type, help);
	fw_buf_printf(out, "floorwalker_%s %" PRIu64 "\n", name, value);
}

static void write_family(const struct fw_shared *shared, const struct family *f, struct fw_buf *out)
{
	fw_metrics_head(out, f->name, "counter", f->help);
	for (unsigned i = 0; i < f->n; i++) {
		uint64_t sum = fw_shared_sum(shared, f->first + i);
		if (f->label)
			fw_buf_printf(out, "floorwalker_%s{%s=\"%s\"} %" PRIu64 "\n", f->name, f->label, f->values[i], sum);
		else
			fw_buf_printf(out, "floorwalker_%s %" PRIu64 "\n", f->name, sum);
	}
}

static void write_refusals(const struct fw_shared *shared, struct fw_buf *out)
{
	fw_metrics_head(out, "http_requests_refused_total", "counter", "Requests turned away before they were handled, by reason.");
	for (unsigned i = 0; i < FW_HTTP_REASONS; i++)
		fw_buf_printf(out, "floorwalker_http_requests_refused_total{reason=\"%s\"} %" PRIu64 "\n",
			fw_http_reason_name((enum fw_http_reason)i), fw_shared_sum(shared, FW_COUNT_REFUSED + i));
}

static void write_logged(const struct fw_shared *shared, struct fw_buf *out)
{
	static const char *const dropped[] = { "disk", "ring", "key", "size" };
	fw_metrics_one(out, "decisions_logged_total", "counter", "Decisions written to the decision log.",
		fw_shared_logged(shared, FW_DECISIONS_WRITTEN));
	fw_metrics_one(out, "decisions_logged_bytes_total", "counter", "Bytes written to the decision log.",
		fw_shared_logged(shared, FW_DECISIONS_BYTES));
	fw_metrics_head(out, "decisions_log_dropped_total", "counter",
		"Decisions of visitors in the sample that are not in the log, by what it was.");
	for (unsigned i = 0; i < sizeof dropped / sizeof *dropped; i++)
		fw_buf_printf(out, "floorwalker_decisions_log_dropped_total{reason=\"%s\"} %" PRIu64 "\n", dropped[i],
			fw_shared_logged(shared, (enum fw_decisions_count)(FW_DECISIONS_FAILED + i)));
}

static void write_durations(const struct fw_shared *shared, struct fw_buf *out)
{
	uint64_t sum = 0;
	fw_metrics_head(out, "decision_duration_seconds", "histogram", "Time that the engine took for one request.");
	for (unsigned i = 0; i < FW_DURATIONS; i++) {
		sum += fw_shared_sum(shared, FW_COUNT_DURATION + i);
		if (fw_durations_ns[i])
			fw_buf_printf(out, "floorwalker_decision_duration_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
				(double)fw_durations_ns[i] / 1e9, sum);
	}
	fw_buf_printf(out, "floorwalker_decision_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
	fw_buf_printf(out, "floorwalker_decision_duration_seconds_sum %.9f\n",
		(double)fw_shared_sum(shared, FW_COUNT_DECISION_NS) / 1e9);
	fw_buf_printf(out, "floorwalker_decision_duration_seconds_count %" PRIu64 "\n", sum);
}

static void write_gauges(const struct fw_made *made, struct fw_buf *out)
{
	const struct fw_shared *s = made->shared;
	uint64_t open = 0, inflight = 0, streams = 0, workers = 0;
	for (unsigned bank = 0; bank < FW_BANKS; bank++) {
		for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++) {
			open += atomic_load(&s->slots[bank][i].open);
			inflight += atomic_load(&s->slots[bank][i].inflight);
			streams += atomic_load(&s->slots[bank][i].streams);
			workers += atomic_load(&s->slots[bank][i].pid) != 0;
		}
	}
	fw_metrics_one(out, "http_connections", "gauge", "Open connections.", open);
	fw_metrics_one(out, "http_requests_in_flight", "gauge", "Requests being answered.", inflight);
	fw_metrics_one(out, "streams", "gauge", "Open streams of server-sent events.", streams);
	fw_metrics_one(out, "workers", "gauge", "Workers, those of a generation that ends included.", workers);
	fw_metrics_one(out, "generation", "gauge", "Number of the generation in service.", atomic_load(&s->generation));
	fw_metrics_one(out, "generation_start_time_seconds", "gauge", "Since when it serves.",
		(uint64_t)(atomic_load(&s->generation_us) / 1000000));
	fw_metrics_one(out, "serving_kept_copy", "gauge",
		"1: a copy is served, not the files: they do not load, or somebody went back.", atomic_load(&s->kept));
	fw_metrics_head(out, "loads_total", "counter", "Rule sets loaded, by result.");
	fw_buf_printf(out, "floorwalker_loads_total{result=\"ok\"} %" PRIu64 "\n", (uint64_t)atomic_load(&s->reloads_ok));
	fw_buf_printf(out, "floorwalker_loads_total{result=\"refused\"} %" PRIu64 "\n", (uint64_t)atomic_load(&s->reloads_failed));
	fw_metrics_head(out, "load_steps_failed_total", "counter", "Loads that were refused, by the step that failed.");
	for (unsigned i = 0; i < FW_LOAD_STEPS; i++)
		fw_metrics_series(out, "load_steps_failed_total", "step", fw_load_step_name((enum fw_load_step)i),
			(uint64_t)atomic_load(&s->steps_failed[i]));
	fw_metrics_one(out, "workers_lost_total", "counter", "Workers that died or were killed for silence.",
		atomic_load(&s->workers_lost));
	fw_metrics_one(out, "loaders_lost_total", "counter", "Loaders that died.", atomic_load(&s->loaders_lost));
	fw_metrics_one(out, "keepers_lost_total", "counter", "Keepers that died or were killed for silence.",
		atomic_load(&s->keepers_lost));
	fw_metrics_head(out, "build_info", "gauge", "The version.");
	fw_buf_printf(out, "floorwalker_build_info{version=\"%s\"} 1\n", FW_VERSION);
	fw_metrics_head(out, "rule_set_info", "gauge", "The rule set in service.");
	fw_buf_printf(out, "floorwalker_rule_set_info{hash=\"%s\"} 1\n", fw_engine_hash(made->engine));
}

void fw_metrics_series(struct fw_buf *out, const char *name, const char *label, const char *value, uint64_t n)
{
	fw_buf_printf(out, "floorwalker_%s{%s=\"", name, label);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fw_buf_putc(out, '\\');
		fw_buf_puts(out, *value == '\n' ? "\\n" : (char[2]){ *value, 0 });
	}
	fw_buf_printf(out, "\"} %" PRIu64 "\n", n);
}

static void write_escaped(struct fw_buf *out, const char *help)
{
	for (; *help; help++) {
		if (*help == '\\' || *help == '\n')
			fw_buf_puts(out, *help == '\n' ? "\\n" : "\\\\");
		else
			fw_buf_putc(out, *help);
	}
}

static void write_plugins(const struct fw_shared *s, struct fw_buf *out)
{
	uint32_t n = atomic_load(&s->n_metrics);
	for (uint32_t m = 0; m < n; m++) {
		int64_t sum = 0;
		for (unsigned bank = 0; bank < FW_BANKS; bank++)
			for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
				sum += atomic_load_explicit(&s->slots[bank][i].metrics[m], memory_order_relaxed);
		fw_buf_printf(out, "# HELP %s ", s->metrics[m].name);
		write_escaped(out, s->metrics[m].help);
		fw_buf_printf(out, "\n# TYPE %s %s\n", s->metrics[m].name, s->metrics[m].gauge ? "gauge" : "counter");
		fw_buf_printf(out, "%s %" PRId64 "\n", s->metrics[m].name, sum);
	}
}

struct usage {
	double cpu_s;
	uint64_t resident_bytes, virtual_bytes, fds;
};

static unsigned count_fds(int pid)
{
	char path[64];
	unsigned n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *folder = opendir(path);
	while (folder && readdir(folder))
		n++;
	if (folder)
		closedir(folder);
	return n > 2 ? n - 2 : 0;
}

/* Waited-for children are in their parent's figure, so that the sum over all processes does not go back. */
static void add_process(struct usage *u, int pid)
{
	char path[64], line[1024];
	unsigned long long user, system, virtual;
	long long child_user, child_system, pages;
	if (pid <= 0)
		return;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	const char *rest = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
	if (f)
		fclose(f);
	if (!rest || sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %*d %*d %*u %llu %lld",
			&user, &system, &child_user, &child_system, &virtual, &pages) != 6)
		return;
	u->cpu_s += (double)(user + system + (unsigned long long)child_user + (unsigned long long)child_system)
		/ (double)sysconf(_SC_CLK_TCK);
	u->resident_bytes += (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	u->virtual_bytes += virtual;
	u->fds += count_fds(pid);
}

static void write_processes(const struct fw_shared *s, struct fw_buf *out)
{
	struct usage u = { 0 };
	struct rlimit files = { 0 };
	add_process(&u, atomic_load(&s->master_pid));
	add_process(&u, atomic_load(&s->keeper_pid));
	for (unsigned bank = 0; bank < FW_BANKS; bank++) {
		add_process(&u, atomic_load(&s->loader_pid[bank]));
		for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
			add_process(&u, atomic_load(&s->slots[bank][i].pid));
	}
	getrlimit(RLIMIT_NOFILE, &files);
	fw_buf_printf(out, "# HELP process_cpu_seconds_total CPU time of all processes.\n# TYPE process_cpu_seconds_total counter\n"
		"process_cpu_seconds_total %.2f\n", u.cpu_s);
	fw_buf_printf(out, "# HELP process_resident_memory_bytes Resident memory of all processes; pages they share count for each.\n"
		"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %" PRIu64 "\n", u.resident_bytes);
	fw_buf_printf(out, "# HELP process_virtual_memory_bytes Virtual memory of all processes.\n"
		"# TYPE process_virtual_memory_bytes gauge\nprocess_virtual_memory_bytes %" PRIu64 "\n", u.virtual_bytes);
	fw_buf_printf(out, "# HELP process_open_fds Open descriptors of all processes.\n# TYPE process_open_fds gauge\n"
		"process_open_fds %" PRIu64 "\n", u.fds);
	fw_buf_printf(out, "# HELP process_max_fds Descriptors that each process may open.\n# TYPE process_max_fds gauge\n"
		"process_max_fds %" PRIu64 "\n", (uint64_t)files.rlim_cur);
	fw_buf_printf(out, "# HELP process_start_time_seconds When the master was started.\n"
		"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n", (double)s->started_us / 1e6);
}

void fw_metrics_write(const struct fw_made *made, struct fw_buf *out)
{
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		write_family(made->shared, &families[i], out);
	write_refusals(made->shared, out);
	write_logged(made->shared, out);
	write_durations(made->shared, out);
	write_gauges(made, out);
	fw_engine_metrics(made->engine, out);
	fw_shadow_metrics(&made->shared->shadow[made->bank], out);
	write_plugins(made->shared, out);
	write_processes(made->shared, out);
}

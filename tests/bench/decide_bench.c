/* What a decision costs in process: a rule set, a thousand visitors, all slots asked together, each decision timed alone
 * with the same clock as the yardstick (../shared/bench/workload/linear.c). Prints one JSON object.
 *
 *   decide_bench RULES FACTS EXPECTED|- ROUNDS
 *
 * RULES is a rule folder, FACTS has a visitor a line, EXPECTED an object a line, slot to winner (or list of winners):
 * exit status 1 when a decision says otherwise. What is on in a daemon is on here: ids, counts, and with `both` the full
 * evaluation of one decision in FW_SAMPLE_EVERY.
 *
 *   look_up  facts become the index's bit sets and lists ("interned")
 *   decide   a decision over all slots, facts looked up before
 *   both     the two together, as a request has them
 *   scan     the same rules one by one in rank order, without the index, by the same code: one round, some visitors */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decide/judge.h"
#include "profile/given.h"
#include "signal/signal.h"

struct visitor {
	struct fw_facts facts;
	const struct fw_json *expected;
};

struct bench {
	struct fw_zone_set *zones;
	struct fw_ruleset *set;
	struct fw_errors errors;
	struct fw_decider decider;
	void *counts, *set_aside;
	struct fw_arena arena; /* facts, probes, results */
	struct visitor *visitors;
	size_t n_visitors;
	uint32_t *slots;
	uint32_t *by_rank, n_ranked, *room; /* for scanning */
	double load_ms;
	unsigned long wrong, winners;
};

/* Of all timings the median, the 99th percentile and the mean; and the lowest median of a round, which takes milliseconds: the
 * one that what else runs on the machine disturbed least. */
struct spread {
	double p50, p99, mean, calm;
};

enum { FEW_VISITORS = 100 };
static char first_block[64 << 10];

static double since_us(const struct timespec *from)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) * 1e6 + (double)(now.tv_nsec - from->tv_nsec) / 1e3;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static struct spread spread_of(double *us, size_t n)
{
	struct spread s = { 0 };
	for (size_t i = 0; i < n; i++)
		s.mean += us[i] / (double)n;
	qsort(us, n, sizeof *us, by_value);
	s.p50 = us[n / 2];
	s.p99 = us[n * 99 / 100];
	return s;
}

/* `us` has n_visitors timings a round; `room` for one round. */
static double calmest(const double *us, size_t n_visitors, size_t rounds, double *room)
{
	double least = 0;
	for (size_t r = 0; r < rounds; r++) {
		memcpy(room, us + r * n_visitors, n_visitors * sizeof *us);
		qsort(room, n_visitors, sizeof *room, by_value);
		least = r == 0 || room[n_visitors / 2] < least ? room[n_visitors / 2] : least;
	}
	return least;
}

static int load(struct bench *b, const char *rules)
{
	struct timespec begin;
	char text[1200];
	fw_errors_init(&b->errors);
	fw_arena_init(&b->arena, NULL, 0, 0);
	b->zones = fw_zone_set_create();
	struct fw_ruleset_options options = { .rules = rules, .zones = b->zones };
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (!b->zones || fw_ruleset_load(&options, &b->set, &b->errors) < 0) {
		for (uint32_t i = 0; i < b->errors.n; i++)
			fprintf(stderr, "%s\n", fw_error_text(&b->errors.items[i], text, sizeof text));
		return -1;
	}
	b->load_ms = since_us(&begin) / 1e3;
	fw_ruleset_forget_files(b->set);
	b->counts = calloc(1, fw_counts_bytes(b->set));
	b->set_aside = calloc(1, fw_set_aside_bytes(b->set->n_rules));
	b->slots = calloc(b->set->n_slots + 1, sizeof *b->slots);
	b->room = calloc(b->set->n_slots + 1, sizeof *b->room);
	b->by_rank = malloc((b->set->n_rules + 1) * sizeof *b->by_rank);
	if (b->by_rank)
		memset(b->by_rank, 0xff, (b->set->n_rules + 1) * sizeof *b->by_rank); /* FW_NONE */
	bool memory = b->counts && b->set_aside && b->slots && b->room && b->by_rank;
	if (!memory || fw_decider_init(&b->decider, b->set, b->counts, b->set_aside) < 0)
		return -1;
	for (uint32_t i = 0; i < b->set->n_slots; i++)
		b->slots[i] = i;
	for (uint32_t i = 0; i < b->set->n_rules; i++)
		if (b->set->rules[i].slot != FW_NONE && b->set->rules[i].enabled)
			b->by_rank[b->set->rules[i].rank] = i;
	for (uint32_t i = 0; i < b->set->n_rules; i++) /* ranks of disabled rules are left out */
		if (b->by_rank[i] != FW_NONE)
			b->by_rank[b->n_ranked++] = b->by_rank[i];
	return 0;
}

static int read_json(struct bench *b, FILE *f, char **line, size_t *size, struct fw_json **ret)
{
	struct fw_error err = { .message = "it ends too early" };
	ssize_t n = getline(line, size, f);
	if (n > 0 && fw_json_parse(&b->arena, *line, (size_t)n, ret, &err) == 0)
		return 0;
	if (n > 0 || !feof(f))
		fprintf(stderr, "decide_bench: %s\n", err.message);
	return -1;
}

static int read_visitors(struct bench *b, const char *facts, const char *expected)
{
	struct fw_error err;
	struct fw_json *json;
	char *line = NULL;
	size_t size = 0, room = 0;
	FILE *f = fopen(facts, "r"), *e = expected ? fopen(expected, "r") : NULL;
	int ret = f && (e || !expected) ? 0 : -1;
	if (ret < 0)
		perror(f ? expected : facts);
	while (ret == 0 && read_json(b, f, &line, &size, &json) == 0) {
		if (b->n_visitors == room) {
			room = room ? room * 2 : 1024;
			struct visitor *more = realloc(b->visitors, room * sizeof *more);
			if (!more) {
				ret = -1;
				break;
			}
			b->visitors = more;
		}
		struct visitor *v = &b->visitors[b->n_visitors++];
		*v = (struct visitor){ 0 };
		if ((ret = fw_profile_given(&v->facts, &b->arena, json, b->set->zone, b->set->currency, &err)) < 0)
			fprintf(stderr, "%s:%zu: %s\n", facts, b->n_visitors, err.message);
		else if (fw_signal_derive(b->zones, &v->facts) < 0)
			ret = -1;
		else if (e && read_json(b, e, &line, &size, &json) < 0)
			ret = -1;
		v->expected = e && ret == 0 ? json : NULL;
	}
	free(line);
	if (f)
		fclose(f);
	if (e)
		fclose(e);
	return b->n_visitors ? ret : -1;
}

static bool is_winner(const struct bench *b, const struct fw_slot_answer *a, uint32_t place, const struct fw_json *wanted)
{
	return place < a->n && wanted->type == FW_JSON_STRING && fw_str_is(wanted->string, b->set->rules[a->winners[place].rule].id);
}

/* Counts the slots whose winners are not those expected. */
static void hold_against(struct bench *b, size_t number, const struct fw_decision *d)
{
	for (uint32_t i = 0; i < d->n_slots; i++) {
		const struct fw_slot_answer *a = &d->slots[i];
		const struct fw_json *wanted = fw_json_get(b->visitors[number].expected, b->set->slots[a->slot].id);
		uint32_t n = 0;
		bool right = true;
		if (wanted && wanted->type == FW_JSON_ARRAY)
			for (const struct fw_json *w = wanted->child; w; w = w->next)
				right &= is_winner(b, a, n++, w);
		else if (wanted)
			right = is_winner(b, a, n++, wanted);
		if (right && n == a->n)
			continue;
		if (b->wrong++ == 0)
			fprintf(stderr, "decide_bench: visitor %zu, %s: %s won\n", number + 1, b->set->slots[a->slot].id,
				a->n ? b->set->rules[a->winners[0].rule].id : "nothing");
	}
}

static int check(struct bench *b, struct fw_arena *arena)
{
	struct fw_decision decision;
	for (size_t i = 0; i < b->n_visitors; i++) {
		struct visitor *v = &b->visitors[i];
		if (fw_decide(&b->decider, &v->facts, b->slots, b->set->n_slots, arena, &decision) < 0)
			return -1;
		for (uint32_t s = 0; s < decision.n_slots; s++)
			b->winners += decision.slots[s].n;
		if (v->expected)
			hold_against(b, i, &decision);
		fw_arena_reset(arena);
	}
	return 0;
}

enum part { PART_LOOK_UP, PART_DECIDE, PART_BOTH, PART_SCAN };

/* All rules of slots in the order in which they are tried, until every slot is full. */
static void scan(struct bench *b, struct visitor *v, struct fw_arena *arena)
{
	const struct fw_ruleset *set = b->set;
	struct fw_verdict verdict;
	uint32_t open = set->n_slots;
	for (uint32_t i = 0; i < set->n_slots; i++)
		b->room[i] = set->slots[i].show_up_to;
	fw_eval_begin(&b->decider.eval, &v->facts, arena);
	for (uint32_t i = 0; i < b->n_ranked && open; i++) {
		uint32_t *room = &b->room[set->rules[b->by_rank[i]].slot];
		if (!*room)
			continue;
		fw_judge(&b->decider, b->by_rank[i], true, true, &verdict);
		if (verdict.reason == FW_REASON_WON && fw_judge_take_group(&b->decider, b->by_rank[i]) == FW_NONE && --*room == 0)
			open--;
	}
	fw_eval_end(&b->decider.eval);
}

static double timed(struct bench *b, struct visitor *v, enum part part, struct fw_arena *arena, bool sample)
{
	struct fw_decision decision;
	struct timespec begin;
	if (part == PART_DECIDE)
		fw_probe_set(&b->decider.probe, b->set->index, &v->facts);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (part == PART_LOOK_UP)
		fw_probe_set(&b->decider.probe, b->set->index, &v->facts);
	else if (part == PART_DECIDE)
		fw_decide_probed(&b->decider, &v->facts, &b->decider.probe, b->slots, b->set->n_slots, arena, &decision);
	else if (part == PART_SCAN)
		scan(b, v, arena);
	else
		fw_decide(&b->decider, &v->facts, b->slots, b->set->n_slots, arena, &decision);
	if (sample)
		fw_decide_sample(&b->decider, &v->facts, &decision, arena);
	fw_arena_reset(arena);
	return since_us(&begin);
}

static struct spread measure(struct bench *b, enum part part, size_t n_visitors, size_t rounds, double *us, struct fw_arena *arena)
{
	size_t n = 0;
	for (size_t r = 0; r < rounds; r++)
		for (size_t i = 0; i < n_visitors; i++, n++)
			us[n] = timed(b, &b->visitors[i], part, arena, part == PART_BOTH && n % FW_SAMPLE_EVERY == 0);
	double calm = calmest(us, n_visitors, rounds, us + n);
	struct spread s = spread_of(us, n);
	s.calm = calm;
	return s;
}

static void print(const char *name, struct spread s)
{
	printf(",\"%s\":{\"p50_us\":%.3f,\"p99_us\":%.3f,\"mean_us\":%.3f,\"calm_us\":%.3f}", name, s.p50, s.p99, s.mean, s.calm);
}

static int run(struct bench *b, size_t rounds)
{
	struct fw_arena arena;
	size_t few = b->n_visitors < FEW_VISITORS ? b->n_visitors : FEW_VISITORS;
	fw_arena_init(&arena, first_block, sizeof first_block, 0);
	double *us = calloc(b->n_visitors * (rounds + 1), sizeof *us);
	if (!us || check(b, &arena) < 0) {
		free(us);
		return -1;
	}
	printf("{\"rules\":%u,\"slots\":%u,\"visitors\":%zu,\"winners\":%lu,\"wrong\":%lu,\"load_ms\":%.1f,\"index_bytes\":%zu",
		b->set->n_rules, b->set->n_slots, b->n_visitors, b->winners, b->wrong, b->load_ms, fw_index_bytes(b->set->index));
	print("decide", measure(b, PART_DECIDE, b->n_visitors, rounds, us, &arena));
	print("look_up", measure(b, PART_LOOK_UP, b->n_visitors, rounds, us, &arena));
	print("both", measure(b, PART_BOTH, b->n_visitors, rounds, us, &arena));
	print("scan", measure(b, PART_SCAN, few, 1, us, &arena));
	puts("}");
	free(us);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	size_t rounds = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
	if (!rounds) {
		fprintf(stderr, "usage: decide_bench RULES FACTS EXPECTED|- ROUNDS\n");
		return 2;
	}
	int ret = load(&b, argv[1]);
	if (ret == 0)
		ret = read_visitors(&b, argv[2], strcmp(argv[3], "-") == 0 ? NULL : argv[3]);
	if (ret == 0)
		ret = run(&b, rounds);
	fw_decider_finish(&b.decider);
	fw_ruleset_destroy(b.set);
	fw_zone_set_destroy(b.zones);
	fw_errors_finish(&b.errors);
	fw_arena_finish(&b.arena);
	free(b.visitors);
	free(b.counts);
	free(b.set_aside);
	free(b.slots);
	free(b.room);
	free(b.by_rank);
	return ret < 0 || b.wrong ? 1 : 0;
}

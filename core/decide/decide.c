#include "decide/decide.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decide/judge.h"

const char *fw_reason_name(enum fw_reason reason)
{
	static const char *const names[FW_REASONS] = { "won", "not_matched", "unknown", "disabled", "not_started", "ended",
		"not_in_rollout", "holdout", "vetoed", "capped", "beaten", "excluded", "failed", "set_aside" };
	return names[reason];
}

const char *fw_slot_reason_name(enum fw_slot_reason reason)
{
	static const char *const names[] = { "rule", "default", "none", "holdout" };
	return names[reason];
}

double fw_rollout_point(const char *rule, struct fw_str key)
{
	char small[512];
	size_t n = strlen(rule), size = n + 1 + key.n;
	uint64_t h;
	if (size <= sizeof small) {
		memcpy(small, rule, n + 1);
		if (key.n)
			memcpy(small + n + 1, key.p, key.n);
		h = fw_hash(small, size);
	} else {
		XXH64_state_t state;
		XXH64_reset(&state, 0);
		XXH64_update(&state, rule, n + 1);
		XXH64_update(&state, key.p, key.n);
		h = XXH64_digest(&state);
	}
	return (double)(h >> 11) * 0x1p-53 * 100;
}

int fw_decider_init(struct fw_decider *d, const struct fw_ruleset *set, void *counts, void *set_aside)
{
	*d = (struct fw_decider){ .set = set, .set_aside = set_aside };
	d->counts = fw_counts_in(set, counts);
	d->guards = calloc(set->n_guards + 1, sizeof *d->guards);
	d->group_epoch = calloc(set->n_groups + 1, sizeof *d->group_epoch);
	d->group_winner = calloc(set->n_groups + 1, sizeof *d->group_winner);
	if (getrandom(d->random, sizeof d->random, 0) != sizeof d->random)
		d->random[0] = (uint64_t)fw_monotonic_us();
	d->random[0] |= 1;
	bool memory = d->guards && d->group_epoch && d->group_winner;
	if (!memory || fw_eval_init(&d->eval, set) < 0 || fw_probe_init(&d->probe, set->index) < 0) {
		fw_decider_finish(d);
		return FW_ENOMEM;
	}
	return 0;
}

void fw_decider_finish(struct fw_decider *d)
{
	fw_probe_finish(&d->probe);
	fw_eval_finish(&d->eval);
	free(d->guards);
	free(d->group_epoch);
	free(d->group_winner);
	*d = (struct fw_decider){ 0 };
}

/* xorshift128+ (S. Vigna, 2014): ids need to differ, not to be secret. */
static uint64_t next_random(struct fw_decider *d)
{
	uint64_t a = d->random[0], b = d->random[1];
	d->random[0] = b;
	a ^= a << 23;
	d->random[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return d->random[1] + b;
}

/* The 16 hexadecimal digits of v, eight at a time: each half's nibbles spread over the bytes of a word, then each byte
 * made a digit. */
static void put_hex(char out[16], uint64_t v)
{
	for (int half = 0; half < 2; half++, v <<= 32) {
		uint64_t x = v >> 32;
		x = (x | x << 16) & 0x0000ffff0000ffff;
		x = (x | x << 8) & 0x00ff00ff00ff00ff;
		x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
		uint64_t letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;
		x += 0x3030303030303030 + letters * ('a' - '0' - 10);
		x = htobe64(x);
		memcpy(out + half * 8, &x, 8);
	}
}

void fw_decide_make_id(struct fw_decider *d, int64_t at_us, char id[37])
{
	char digits[32];
	uint64_t ms = (uint64_t)(at_us / 1000), a = next_random(d), b = next_random(d);
	put_hex(digits, ms << 16 | 0x7000 | (a & 0xfff));
	put_hex(digits + 16, (uint64_t)1 << 63 | b >> 2);
	memcpy(id, digits, 8);
	memcpy(id + 9, digits + 8, 4);
	memcpy(id + 14, digits + 12, 4);
	memcpy(id + 19, digits + 16, 4);
	memcpy(id + 24, digits + 20, 12);
	id[8] = id[13] = id[18] = id[23] = '-';
	id[36] = '\0';
}

bool fw_decide_in_holdout(const struct fw_decider *d, const struct fw_facts *f)
{
	if (d->holdout <= 0)
		return false;
	if (f->has_point)
		return f->point >= 0 && f->point < d->holdout;
	return d->holdout >= 100 || (f->key.n && fw_rollout_point("", f->key) < d->holdout);
}

/* A slot while winners are being found. */
struct contest {
	struct fw_cursor cursor;
	uint32_t next; /* the candidate that is next, or FW_NONE */
	bool verify;
	uint32_t room;
	uint32_t waits; /* the rank of a next candidate that other slots have a say in, or FW_NONE */
	struct fw_slot_answer *answer;
};

/* All slots of a decision. */
struct run {
	struct fw_decider *d;
	const struct fw_probe *probe;
	struct contest *contests;
	uint32_t n;
};

static void advance(struct run *r, struct contest *c)
{
	struct fw_decider *d = r->d;
	c->next = fw_cursor_next(&c->cursor, d->set->index, r->probe, &c->verify);
	if (c->next == FW_NONE)
		return;
	const char *rule = (const char *)&d->set->rules[c->next];
	__builtin_prefetch(rule); /* by the time all slots have their candidate, its rule and its counts are here */
	__builtin_prefetch(rule + 64);
	__builtin_prefetch(&d->counts.rules[c->next], 1);
}

/* Tries the slot's next candidate; it wins or is passed over. */
static void try_next(struct run *r, struct contest *c)
{
	struct fw_verdict v;
	uint32_t rule = c->next;
	fw_judge(r->d, rule, c->verify, true, &v);
	if (v.reason == FW_REASON_WON && fw_judge_take_group(r->d, rule) != FW_NONE)
		v.reason = FW_REASON_EXCLUDED;
	fw_judge_count(r->d, rule, &v);
	if (v.reason == FW_REASON_WON) {
		c->answer->winners[c->answer->n++] = (struct fw_winner){ rule, v.content };
		c->room--;
	}
	c->next = FW_NONE;
	if (c->room)
		advance(r, c);
}

/* Tries a slot's candidates up to the first that is in a group: until there, no other slot has a say. */
static void run_alone(struct run *r, struct contest *c)
{
	const struct fw_rule *rules = r->d->set->rules;
	while (c->next != FW_NONE && rules[c->next].group == FW_NONE)
		try_next(r, c);
	c->waits = c->next == FW_NONE ? FW_NONE : rules[c->next].rank;
}

/* Finds the winners of all slots. Those of a group (at most one may win on the whole page) are taken in one order. */
static void run_all(struct run *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		run_alone(r, &r->contests[i]);
	while (r->d->set->n_groups) {
		uint64_t first = UINT64_MAX; /* the strongest that waits, and its place: without a branch, which nobody could predict */
		for (uint32_t i = 0; i < r->n; i++) {
			uint64_t waits = (uint64_t)r->contests[i].waits << 32 | i;
			first = waits < first ? waits : first;
		}
		if (first >> 32 == FW_NONE)
			return;
		struct contest *c = &r->contests[(uint32_t)first];
		try_next(r, c);
		run_alone(r, c);
	}
}

static void run_begin(struct run *r, struct fw_slot_answer *answers)
{
	for (uint32_t i = 0; i < r->n; i++) {
		struct contest *c = &r->contests[i];
		c->answer = &answers[i];
		c->room = r->d->set->slots[answers[i].slot].show_up_to;
		fw_cursor_init(&c->cursor, r->d->set->index, answers[i].slot);
		advance(r, c);
	}
}

static uint32_t room_of(const struct fw_slot *slot)
{
	return slot->show_up_to < slot->n_ranked ? slot->show_up_to : slot->n_ranked;
}

/* Places for the answers and all winners that there can be. */
static int make_room(const struct fw_ruleset *set, const uint32_t *slots, uint32_t n, struct fw_arena *arena, struct fw_decision *ret)
{
	uint32_t most = 0;
	ret->slots = FW_NEW_ARRAY(arena, n, struct fw_slot_answer);
	if (!ret->slots)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		most += room_of(&set->slots[slots[i]]);
	struct fw_winner *winners = fw_arena_alloc(arena, most * sizeof *winners);
	if (!winners)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		ret->slots[i].slot = slots[i];
		ret->slots[i].winners = winners;
		winners += room_of(&set->slots[slots[i]]);
	}
	ret->n_slots = n;
	return 0;
}

static void settle(struct fw_decider *d, struct fw_slot_answer *a, bool holdout)
{
	const struct fw_slot *slot = &d->set->slots[a->slot];
	if (a->n) {
		a->reason = FW_SLOT_RULE;
		a->content = a->winners[0].content;
	} else {
		a->content = slot->fallback.json;
		a->reason = holdout ? FW_SLOT_HOLDOUT : slot->fallback.given ? FW_SLOT_DEFAULT : FW_SLOT_NONE;
	}
	d->counts.all->slots_by_reason[a->reason]++;
}

int fw_decide(struct fw_decider *d, const struct fw_facts *facts, const uint32_t *slots, uint32_t n_slots, struct fw_arena *arena,
	struct fw_decision *ret)
{
	fw_probe_set(&d->probe, d->set->index, facts);
	return fw_decide_probed(d, facts, &d->probe, slots, n_slots, arena, ret);
}

int fw_decide_probed(struct fw_decider *d, const struct fw_facts *facts, const struct fw_probe *probe, const uint32_t *slots,
	uint32_t n_slots, struct fw_arena *arena, struct fw_decision *ret)
{
	struct run r = { .d = d, .probe = probe, .n = n_slots };
	memset(ret, 0, sizeof *ret);
	ret->at_us = facts->has_clock ? facts->now_us : fw_now_us();
	ret->degraded = !facts->profile_in_reach;
	ret->holdout = fw_decide_in_holdout(d, facts);
	fw_decide_make_id(d, ret->at_us, ret->id);
	r.contests = fw_arena_alloc(arena, n_slots * sizeof *r.contests);
	if (!r.contests || make_room(d->set, slots, n_slots, arena, ret) < 0)
		return FW_ENOMEM;
	fw_eval_begin(&d->eval, facts, arena);
	if (!ret->holdout) {
		run_begin(&r, ret->slots);
		run_all(&r);
	}
	for (uint32_t i = 0; i < n_slots; i++)
		settle(d, &ret->slots[i], ret->holdout);
	d->counts.all->decisions++;
	d->counts.all->degraded += ret->degraded;
	fw_eval_end(&d->eval);
	return 0;
}

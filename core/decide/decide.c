#include "decide/decide.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/hash.h"
#include "decide/judge.h"
#include "decide/stock.h"

const char *fw_reason_name(enum fw_reason reason)
{
	static const char *const names[FW_REASONS] = { "won", "not_matched", "unknown", "disabled", "not_started", "ended",
		"not_in_rollout", "holdout", "vetoed", "capped", "beaten", "excluded", "failed", "set_aside", "deferred", "suppressed",
		"no_address", "cancelled", "expired", "out_of_stock" };
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
	*d = (struct fw_decider){ .set = set, .set_aside = set_aside, .as_if = FW_NONE };
	d->counts = fw_counts_in(set, counts);
	d->guards = calloc(set->n_guards + 1, sizeof *d->guards);
	d->caps = calloc(set->n_caps + 1, sizeof *d->caps);
	d->group_epoch = calloc(set->n_groups + 1, sizeof *d->group_epoch);
	d->group_winner = calloc(set->n_groups + 1, sizeof *d->group_winner);
	if (getrandom(d->random, sizeof d->random, 0) != sizeof d->random)
		d->random[0] = (uint64_t)fw_monotonic_us();
	d->random[0] |= 1;
	bool memory = d->guards && d->caps && d->group_epoch && d->group_winner;
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
	free(d->caps);
	free(d->refused);
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
	int64_t at_us;
	bool capped; /* a winner is under a cap */
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

enum { COUNTED = 1 << FW_REASON_VETOED | 1 << FW_REASON_CAPPED | 1 << FW_REASON_FAILED };

static void count_refusal(struct fw_decider *d, const struct fw_refused *x)
{
	struct fw_rule_counts *c = &d->counts.rules[x->rule];
	switch (x->reason) {
	case FW_REASON_VETOED:
		c->vetoed++;
		d->counts.vetoes[x->by]++;
		break;
	case FW_REASON_CAPPED:
		c->capped++;
		d->counts.refusals[x->by]++;
		break;
	default:
		c->failed++;
		d->counts.all->failed++;
		break;
	}
}

/* Where a winner may be under a cap, what is refused waits to be counted: the decision may not come to be shown. */
static void note_refusal(struct fw_decider *d, uint32_t rule, const struct fw_verdict *v)
{
	struct fw_refused refused = { rule, v->reason, v->guard };
	if (d->set->slots_have_caps && d->n_refused == d->refused_size) {
		uint32_t size = d->refused_size ? d->refused_size * 2 : 64;
		struct fw_refused *more = realloc(d->refused, size * sizeof *more);
		if (more) {
			d->refused = more;
			d->refused_size = size;
		}
	}
	if (d->n_refused < d->refused_size)
		d->refused[d->n_refused++] = refused;
	else
		count_refusal(d, &refused);
}

static void count_winner(struct fw_decider *d, uint32_t rule, int64_t at_us)
{
	d->counts.rules[rule].won++;
	d->counts.rules[rule].last_us = at_us;
}

void fw_decide_count_one(struct fw_decider *d, uint32_t rule, enum fw_reason reason, uint32_t by, int64_t at_us)
{
	if (reason == FW_REASON_WON)
		count_winner(d, rule, at_us);
	else if (1u << reason & COUNTED)
		count_refusal(d, &(struct fw_refused){ rule, reason, by });
}

static void take(struct run *r, struct contest *c, uint32_t rule, const struct fw_verdict *v)
{
	c->answer->winners[c->answer->n++] = (struct fw_winner){ rule, v->uses, v->content };
	c->room--;
	if (!r->d->set->slots_have_caps) {
		count_winner(r->d, rule, r->at_us);
	} else if (r->d->set->rules[rule].has_caps) {
		fw_judge_take_caps(r->d, rule, v->uses);
		r->capped = true;
	}
}

/* Tries the slot's next candidate; it wins or is passed over. */
static void try_next(struct run *r, struct contest *c)
{
	struct fw_verdict v;
	uint32_t rule = c->next;
	fw_judge(r->d, rule, c->verify, true, &v);
	if (v.reason == FW_REASON_WON && fw_judge_take_group(r->d, rule) == FW_NONE)
		take(r, c, rule, &v);
	else if (1u << v.reason & COUNTED)
		note_refusal(r->d, rule, &v);
	else if (v.reason == FW_REASON_OUT_OF_STOCK)
		r->d->counts.all->out_of_stock++;
	c->next = FW_NONE;
	if (c->room)
		advance(r, c);
}

/* Tries a slot's candidates up to the first that is in a group or under a cap: until there, no other slot has a say. */
static void run_alone(struct run *r, struct contest *c)
{
	const struct fw_rule *rules = r->d->set->rules;
	while (c->next != FW_NONE && !rules[c->next].shares)
		try_next(r, c);
	c->waits = c->next == FW_NONE ? FW_NONE : rules[c->next].rank;
}

/* Finds the winners of all slots. Those that share a group (at most one may win on the whole page) or a cap are taken in
 * one order. */
static void run_all(struct run *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		run_alone(r, &r->contests[i]);
	while (r->d->set->slots_share) {
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

/* What the slot shows where nothing wins, without what is sold out. */
bool fw_decide_default(const struct fw_slot *slot, const struct fw_facts *facts, struct fw_arena *arena, struct fw_str *ret)
{
	const struct fw_content *c = &slot->fallback;
	enum fw_stock stock;
	*ret = c->json;
	if (c->given && (!c->may_name_products || (fw_stock_look(facts, *ret, arena, &stock, ret) == 0 && stock != FW_STOCK_SOLD_OUT)))
		return true;
	*ret = (struct fw_str){ NULL, 0 };
	return false;
}

static void settle(const struct fw_ruleset *set, const struct fw_facts *facts, struct fw_arena *arena, bool holdout,
	struct fw_slot_answer *a)
{
	if (a->n) {
		a->reason = FW_SLOT_RULE;
		a->content = a->winners[0].content;
	} else {
		bool given = fw_decide_default(&set->slots[a->slot], facts, arena, &a->content);
		a->reason = holdout ? FW_SLOT_HOLDOUT : given ? FW_SLOT_DEFAULT : FW_SLOT_NONE;
	}
}

bool fw_decide_still_fine(const struct fw_facts *facts, const struct fw_decision *x, struct fw_arena *arena)
{
	for (uint32_t s = 0; s < x->n_slots; s++)
		for (uint32_t i = 0; i < x->slots[s].n; i++)
			if (!fw_stock_still_fine(facts, x->slots[s].winners[i].content, arena))
				return false;
	return true;
}

/* What the winners under caps take, into `to` (NULL: only how many). */
static uint32_t list_reservations(const struct fw_ruleset *set, const struct fw_facts *f, const struct fw_decision *x,
	struct fw_reservation *to)
{
	uint32_t n = 0;
	for (uint32_t s = 0; s < x->n_slots; s++)
		for (uint32_t i = 0; i < x->slots[s].n; i++) {
			const struct fw_winner *w = &x->slots[s].winners[i];
			const struct fw_rule *r = &set->rules[w->rule];
			uint32_t at = 0;
			for (uint32_t number; r->has_caps && (number = fw_judge_next_cap(set, r, w->uses, &at)) != FW_NONE;) {
				const struct fw_cap *c = &set->caps[number];
				if (fw_judge_own_place(f, c, r))
					continue;
				if (to)
					to[n] = (struct fw_reservation){ .cap = c->hash, .rule = fw_hash(r->id, strlen(r->id)),
						.at_us = x->at_us,
						.per_s = c->per_s, .limit = c->limit };
				n++;
			}
		}
	return n;
}

/* Keeps what must outlast the decider's next decision. */
static int keep_reservations(struct fw_decider *d, const struct fw_facts *f, struct fw_arena *arena, struct fw_decision *x)
{
	struct fw_refused *refused = fw_arena_alloc(arena, d->n_refused * sizeof *refused);
	x->n_reservations = list_reservations(d->set, f, x, NULL);
	x->reservations = FW_NEW_ARRAY(arena, x->n_reservations, struct fw_reservation);
	if (!refused || !x->reservations)
		return FW_ENOMEM;
	list_reservations(d->set, f, x, x->reservations);
	if (d->n_refused)
		memcpy(refused, d->refused, d->n_refused * sizeof *refused);
	x->refused = refused;
	return 0;
}

void fw_decide_count(struct fw_decider *d, const struct fw_decision *x)
{
	struct fw_decision_counts *all = d->counts.all;
	for (uint32_t s = 0; s < x->n_slots; s++) {
		const struct fw_slot_answer *a = &x->slots[s];
		all->slots_by_reason[a->reason]++;
		for (uint32_t i = 0; i < a->n; i++)
			count_winner(d, a->winners[i].rule, x->at_us);
	}
	for (uint32_t i = 0; i < x->n_refused; i++)
		count_refusal(d, &x->refused[i]);
	all->decisions++;
	all->degraded += x->degraded;
}

/* In a set with caps on slots: counts the decision, unless it has to be written down before it is shown. */
static int count_later(struct fw_decider *d, const struct fw_facts *f, struct fw_arena *arena, struct fw_decision *x, bool capped)
{
	x->refused = d->refused;
	x->n_refused = d->n_refused;
	int rc = capped ? keep_reservations(d, f, arena, x) : 0;
	if (rc == 0 && !x->n_reservations)
		fw_decide_count(d, x);
	return rc;
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
	uint64_t not_yet[4] = { 0 }, *by_reason = d->set->slots_have_caps ? not_yet : d->counts.all->slots_by_reason;
	memset(ret, 0, sizeof *ret);
	ret->at_us = r.at_us = facts->has_clock ? facts->now_us : fw_now_us();
	ret->degraded = facts->profile_lost;
	ret->holdout = fw_decide_in_holdout(d, facts);
	fw_decide_make_id(d, ret->at_us, ret->id);
	r.contests = fw_arena_alloc(arena, n_slots * sizeof *r.contests);
	if (!r.contests || make_room(d->set, slots, n_slots, arena, ret) < 0)
		return FW_ENOMEM;
	d->n_refused = 0;
	fw_eval_begin(&d->eval, facts, arena);
	if (!ret->holdout) {
		run_begin(&r, ret->slots);
		run_all(&r);
	}
	for (uint32_t i = 0; i < n_slots; i++) {
		settle(d->set, facts, arena, ret->holdout, &ret->slots[i]);
		by_reason[ret->slots[i].reason]++;
	}
	fw_eval_end(&d->eval);
	if (d->set->slots_have_caps)
		return count_later(d, facts, arena, ret, r.capped);
	d->counts.all->decisions++;
	d->counts.all->degraded += ret->degraded;
	return 0;
}

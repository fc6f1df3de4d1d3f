#include "decide/set_aside.h"

#include <stdatomic.h>

#include "base/limits.h"

enum { MINUTE_US = 60000000 };

/* Workers race here without a lock: the worst that a lost update does is to count one failure less. */
struct record {
	_Atomic int64_t until_us;
	struct {
		_Atomic uint64_t visitor;
		_Atomic int64_t at_us;
	} failures[FW_LIMIT_SET_ASIDE_VISITORS];
};

struct fw_set_aside {
	_Atomic int64_t latest_us; /* no rule is set aside for longer */
	struct record rules[1];
};

size_t fw_set_aside_bytes(uint32_t n_rules)
{
	return sizeof(struct fw_set_aside) + (size_t)n_rules * sizeof(struct record);
}

int64_t fw_set_aside_until(const struct fw_set_aside *s, uint32_t rule, int64_t now_us)
{
	int64_t until = atomic_load_explicit(&s->rules[rule].until_us, memory_order_relaxed);
	return until > now_us ? until : 0;
}

bool fw_set_aside_is(const struct fw_set_aside *s, uint32_t rule, int64_t now_us)
{
	return fw_set_aside_until(s, rule, now_us) != 0;
}

bool fw_set_aside_any(const struct fw_set_aside *s, int64_t now_us)
{
	return atomic_load_explicit(&s->latest_us, memory_order_relaxed) > now_us;
}

void fw_set_aside_put(struct fw_set_aside *s, uint32_t rule, int64_t until_us)
{
	if (until_us > atomic_load_explicit(&s->rules[rule].until_us, memory_order_relaxed))
		atomic_store_explicit(&s->rules[rule].until_us, until_us, memory_order_relaxed);
	if (until_us > atomic_load_explicit(&s->latest_us, memory_order_relaxed))
		atomic_store_explicit(&s->latest_us, until_us, memory_order_relaxed);
}

bool fw_set_aside_note(struct fw_set_aside *s, uint32_t rule, uint64_t visitor, int64_t now_us)
{
	struct record *r = &s->rules[rule];
	int oldest = 0, recent = 0, own = -1;
	for (int i = 0; i < FW_LIMIT_SET_ASIDE_VISITORS; i++) {
		int64_t at = atomic_load_explicit(&r->failures[i].at_us, memory_order_relaxed);
		bool fresh = at && now_us - at < MINUTE_US;
		if (fresh && atomic_load_explicit(&r->failures[i].visitor, memory_order_relaxed) == visitor)
			own = i;
		recent += fresh;
		if (at < atomic_load_explicit(&r->failures[oldest].at_us, memory_order_relaxed))
			oldest = i;
	}
	int place = own >= 0 ? own : oldest;
	atomic_store_explicit(&r->failures[place].visitor, visitor, memory_order_relaxed);
	atomic_store_explicit(&r->failures[place].at_us, now_us, memory_order_relaxed);
	if (recent + (own < 0) < FW_LIMIT_SET_ASIDE_VISITORS)
		return false;
	bool before = fw_set_aside_is(s, rule, now_us);
	fw_set_aside_put(s, rule, now_us + MINUTE_US);
	for (int i = 0; i < FW_LIMIT_SET_ASIDE_VISITORS; i++)
		atomic_store_explicit(&r->failures[i].at_us, 0, memory_order_relaxed);
	return !before;
}

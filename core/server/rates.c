#include "server/rates.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/limits.h"

enum { WAYS = 4, SETS = FW_LIMIT_RATES_KEPT / WAYS, FILTERS = 2, FILTER_BITS = 1 << 20, PROBES = 4, SECOND_US = 1000000, MINUTE_S = 60 };
/* Of ten bits each a filter with four probes is wrong of 1.2 %. */
enum { FILTER_MOST = FILTER_BITS / 10 };

struct client {
	uint64_t tag;
	int64_t empty_us; /* when nothing is left of what it took; before now: it has taken nothing */
};

struct limit {
	int64_t each_us;  /* a place comes back after it; 0: no limit */
	int64_t most_us;  /* so much may be taken at once */
};

struct filter {
	unsigned n;
	uint8_t bits[FILTER_BITS / 8];
};

struct fw_rates {
	uint64_t seed[2]; /* or somebody who knows the hash could choose whom to push out */
	struct limit limits[FW_RATES];
	struct client sets[SETS][WAYS];
	unsigned newer;   /* filter */
	struct filter filters[FILTERS];
};

static struct limit share(unsigned most, int64_t of_us, int64_t at_once_us, unsigned workers)
{
	if (most == 0)
		return (struct limit){ 0, 0 };
	int64_t each_us = of_us * workers / most;
	if (each_us < 1)
		each_us = 1;
	return (struct limit){ each_us, at_once_us > each_us ? at_once_us : each_us };
}

struct fw_rates *fw_rates_create(const struct fw_rate_limits *l, unsigned workers)
{
	struct fw_rates *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	if (getrandom(r->seed, sizeof r->seed, 0) != sizeof r->seed) {
		free(r);
		return NULL;
	}
	r->limits[FW_RATE_ADDRESS] = share(l->per_address_s, SECOND_US, FW_LIMIT_BURST_S * (int64_t)SECOND_US, workers);
	r->limits[FW_RATE_KEY] = share(l->per_key_s, SECOND_US, FW_LIMIT_BURST_S * (int64_t)SECOND_US, workers);
	r->limits[FW_RATE_NEW] = share(l->new_per_address_min, MINUTE_S * (int64_t)SECOND_US, MINUTE_S * (int64_t)SECOND_US, workers);
	return r;
}

void fw_rates_destroy(struct fw_rates *r)
{
	free(r);
}

/* The client's place, or the place of whom it takes it over. */
static struct client *find(struct fw_rates *r, uint64_t tag)
{
	struct client *set = r->sets[tag % SETS], *least = set;
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (set[i].empty_us < least->empty_us)
			least = &set[i];
	}
	*least = (struct client){ .tag = tag };
	return least;
}

unsigned fw_rates_take(struct fw_rates *r, enum fw_rate rate, struct fw_str who, int64_t now_us)
{
	const struct limit *l = &r->limits[rate];
	if (l->each_us == 0)
		return 0;
	uint64_t tag = XXH64(who.p, who.n, r->seed[0] + rate);
	struct client *c = find(r, tag + (tag == 0));
	int64_t from = c->empty_us > now_us ? c->empty_us : now_us, over = from + l->each_us - now_us - l->most_us;
	if (over > 0)
		return (unsigned)((over + SECOND_US - 1) / SECOND_US);
	c->empty_us = from + l->each_us;
	return 0;
}

static bool has(const struct filter *f, uint64_t hash)
{
	for (unsigned i = 0; i < PROBES; i++) {
		uint32_t bit = ((uint32_t)hash + i * (uint32_t)(hash >> 32 | 1)) % FILTER_BITS;
		if (!(f->bits[bit / 8] >> bit % 8 & 1))
			return false;
	}
	return true;
}

static uint64_t hash_of(const struct fw_rates *r, struct fw_str id)
{
	return XXH64(id.p, id.n, r->seed[1]);
}

bool fw_rates_knows(const struct fw_rates *r, struct fw_str id)
{
	uint64_t hash = hash_of(r, id);
	return has(&r->filters[0], hash) || has(&r->filters[1], hash);
}

void fw_rates_learn(struct fw_rates *r, struct fw_str id)
{
	uint64_t hash = hash_of(r, id);
	struct filter *f = &r->filters[r->newer];
	if (has(f, hash))
		return;
	if (f->n == FILTER_MOST) {
		r->newer = !r->newer;
		f = &r->filters[r->newer];
		memset(f, 0, sizeof *f);
	}
	for (unsigned i = 0; i < PROBES; i++) {
		uint32_t bit = ((uint32_t)hash + i * (uint32_t)(hash >> 32 | 1)) % FILTER_BITS;
		f->bits[bit / 8] = (uint8_t)(f->bits[bit / 8] | 1u << bit % 8);
	}
	f->n++;
}

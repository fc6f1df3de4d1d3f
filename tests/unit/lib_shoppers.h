/* Random shoppers of a made-up store of 200 categories, 200 brands and 5,000 products: for sizes and for properties. */
#ifndef FW_TEST_LIB_SHOPPERS_H
#define FW_TEST_LIB_SHOPPERS_H

#include <math.h>

#include "lib_profile.h"

/* SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014). */
struct dice {
	uint64_t state;
};

static inline uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline unsigned below(struct dice *d, unsigned n)
{
	return (unsigned)(roll(d) % n);
}

/* The first are drawn most: about as 1/rank. */
static inline unsigned skewed(struct dice *d, unsigned n)
{
	double x = (double)(roll(d) >> 11) / 9007199254740992.0;
	unsigned i = (unsigned)(exp(x * log(n + 1.0)) - 1);
	return i < n ? i : n - 1;
}

/* Names as stores have them: one of twenty things, of ten kinds. */
static inline const char *category_name(unsigned i, char buf[40])
{
	static const char *const things[] = { "boots", "jackets", "trousers", "shirts", "dresses", "sneakers", "bags", "belts",
		"hats", "scarves",
		"gloves", "socks", "tents", "backpacks", "lamps", "stoves", "bottles", "bikes", "helmets", "watches" };
	static const char *const kinds[] = { "", "winter ", "kids ", "outdoor ", "running ", "leather ", "sale ", "women's ",
		"men's ", "vintage " };
	snprintf(buf, 40, "%s%s", kinds[i / 20 % 10], things[i % 20]);
	return buf;
}

static inline const char *brand_name(unsigned i, char buf[40])
{
	static const char *const first[] = { "Nor", "Al", "Ter", "Mon", "Vel", "Kas", "Bri", "Sol", "Han", "Ori" };
	static const char *const middle[] = { "di", "pi", "ra", "to", "lo" };
	static const char *const last[] = { "ca", "ne", "wear", "sport" };
	snprintf(buf, 40, "%s%s%s", first[i % 10], middle[i / 10 % 5], last[i / 50 % 4]);
	return buf;
}

struct shopper {
	struct dice dice;
	char id[40];
	unsigned favourites[3]; /* categories */
	int64_t at_us;
	unsigned viewed[16], n_viewed; /* lately */
	unsigned cart[8], n_cart;
};

static inline void shopper_begin(struct shopper *s, uint64_t seed)
{
	*s = (struct shopper){ .dice = { seed * 7919 + 1 } };
	uint64_t a = roll(&s->dice), b = roll(&s->dice);
	snprintf(s->id, sizeof s->id, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
		(unsigned)a & 0xfff,
		(unsigned)(b >> 52), (unsigned long long)b & 0xffffffffffffULL);
	for (int i = 0; i < 3; i++)
		s->favourites[i] = skewed(&s->dice, 200);
	s->at_us = NOON - 60 * DAY;
}

/* A product: its number says the rest. */
static inline unsigned draw_product(struct shopper *s)
{
	unsigned category = below(&s->dice, 10) < 8 ? s->favourites[below(&s->dice, 3)] : skewed(&s->dice, 200);
	return category + 200 * skewed(&s->dice, 25);
}

static inline int product_json(unsigned p, unsigned quantity, char *buf, size_t size)
{
	char category[40], brand[40];
	return snprintf(buf, size, "{\"product_id\":\"SKU-%05u\",\"category\":\"%s\",\"brand\":\"%s\",\"price\":%u.%02u,"
		"\"quantity\":%u}", 10000 + p * 7,
		category_name(p % 200, category), brand_name(p % 200 * 7 % 200 + p / 200 % 6, brand), 5 + p % 200, p % 100, quantity);
}

/* What is viewed was often viewed before; what is added was viewed, what is removed or bought was added. */
static inline unsigned choose_product(struct shopper *s, unsigned kind)
{
	unsigned p = draw_product(s), lately = s->n_viewed < 16 ? s->n_viewed : 16;
	if (kind == 2 && lately && below(&s->dice, 4) == 0)
		p = s->viewed[below(&s->dice, lately)];
	else if (kind == 4 && lately)
		p = s->viewed[(s->n_viewed - 1) % 16];
	else if (kind >= 5 && kind <= 7 && s->n_cart)
		p = s->cart[s->n_cart - 1];
	if (kind == 2)
		s->viewed[s->n_viewed++ % 16] = p;
	if (kind == 4 && s->n_cart < 8)
		s->cart[s->n_cart++] = p;
	if (kind == 6)
		s->n_cart = 0;
	return p;
}

/* The next event as JSON; `kind` 0 page, 1 list, 2 viewed, 3 searched, 4 added, 5 cart viewed, 6 order, 7 removed, 8 identify,
 * 9 promotion viewed. */
static inline void shopper_event(struct shopper *s, unsigned kind, char *buf, size_t size)
{
	char product[400], other[400], category[40];
	unsigned n = 1 + (below(&s->dice, 4) == 0), p = choose_product(s, kind), q = kind == 6 && s->n_cart > 1 ? s->cart[0] : p;
	product_json(p, n, product, sizeof product);
	product_json(q, 1, other, sizeof other);
	static const char *const names[] = { "", "Product List Viewed", "Product Viewed", "Products Searched", "Product Added",
		"Cart Viewed",
		"Order Completed", "Product Removed", "", "Promotion Viewed" };
	char properties[1200];
	switch (kind) {
	case 1: snprintf(properties, sizeof properties, "{\"category\":\"%s\"}", category_name(p % 200, category)); break;
	case 3: snprintf(properties, sizeof properties, "{\"query\":\"%s\"}", category_name(p % 200, category)); break;
	case 5: snprintf(properties, sizeof properties, "{\"products\":[%s]}", product); break;
	case 6: snprintf(properties, sizeof properties, "{\"order_id\":\"%u\",\"revenue\":%u.5,\"currency\":\"EUR\","
		"\"products\":[%s,%s]}", 1000000 + below(&s->dice, 9000000),
		20 + p % 200, product, other); break;
	case 9: snprintf(properties, sizeof properties, "{\"promotion_id\":\"rule-%u\"}", p % 20); break;
	default: snprintf(properties, sizeof properties, "%s", product); break;
	}
	if (kind == 0)
		snprintf(buf, size, "{\"type\":\"page\",\"anonymousId\":\"%s\",\"properties\":{\"path\":\"/%s\"},"
			"\"context\":{\"page\":{\"path\":\"/%s\","
			"\"url\":\"https://shop.example/%u\",\"referrer\":\"https://shop.example/\"}}}", s->id, p % 3 ? "" : "sale",
				p % 3 ? "" : "sale", p % 3);
	else if (kind == 8)
		snprintf(buf, size, "{\"type\":\"identify\",\"anonymousId\":\"%s\",\"userId\":\"u-%u\","
			"\"traits\":{\"email\":\"jo.%u@mail.example\","
			"\"first_name\":\"Jo\",\"plan\":\"plus\"}}", s->id, 100000 + p, 100000 + p);
	else
		snprintf(buf, size, "{\"type\":\"track\",\"anonymousId\":\"%s\",\"event\":\"%s\",\"properties\":%s}", s->id,
			names[kind], properties);
}

#endif

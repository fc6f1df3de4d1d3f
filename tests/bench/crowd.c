#include "crowd.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

uint64_t crowd_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void uuid(uint64_t a, uint64_t b, char out[CROWD_UUID_BYTES])
{
	static const char hex[] = "0123456789abcdef", form[] = "xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx";
	for (unsigned i = 0; i < CROWD_UUID_BYTES; i++) {
		uint64_t *from = i < CROWD_UUID_BYTES / 2 ? &a : &b;
		out[i] = form[i];
		if (form[i] == 'x') {
			out[i] = hex[*from & 15];
			*from >>= 4;
		}
	}
}

void crowd_person_id(uint64_t person, char out[CROWD_UUID_BYTES])
{
	uuid(crowd_mix(person), crowd_mix(person ^ UINT64_C(0xa5a5a5a500000000)), out);
}

void crowd_message_id(uint64_t seed, uint64_t number, char out[CROWD_UUID_BYTES])
{
	uuid(crowd_mix(seed ^ number << 20), crowd_mix(number ^ crowd_mix(seed)), out);
}

static void digits(uint64_t v, unsigned n, char *out)
{
	while (n--) {
		out[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void crowd_time(int64_t at_us, char out[CROWD_TIME_BYTES])
{
	int year, month, day;
	int64_t days = at_us / 86400000000, ms = at_us / 1000 % 86400000;
	fw_civil_from_days(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000Z", CROWD_TIME_BYTES);
	digits((uint64_t)year, 4, out);
	digits((uint64_t)month, 2, out + 5);
	digits((uint64_t)day, 2, out + 8);
	digits((uint64_t)(ms / 3600000), 2, out + 11);
	digits((uint64_t)(ms / 60000 % 60), 2, out + 14);
	digits((uint64_t)(ms / 1000 % 60), 2, out + 17);
	digits((uint64_t)(ms % 1000), 3, out + 20);
}

/* --- what they do */

enum step { PAGE, SEARCHED, LISTED, VIEWED, CLICKED, ADDED, CART, CHECKOUT, ORDERED, TOLD };

/* And with which of the products of that session: what is clicked is viewed next, what is viewed may be added. */
static const struct {
	enum step step;
	unsigned product;
} script[CROWD_SESSIONS][CROWD_SESSION_EVENTS] = {
	{ { PAGE, 0 }, { SEARCHED, 0 }, { LISTED, 0 }, { VIEWED, 0 }, { VIEWED, 1 }, { CLICKED, 2 }, { VIEWED, 2 }, { PAGE, 0 } },
	{ { PAGE, 0 }, { LISTED, 0 }, { VIEWED, 0 }, { VIEWED, 1 }, { CLICKED, 2 }, { VIEWED, 2 }, { VIEWED, 3 }, { PAGE, 0 } },
	{ { PAGE, 0 }, { VIEWED, 0 }, { ADDED, 0 }, { VIEWED, 1 }, { ADDED, 1 }, { CART, 0 }, { CHECKOUT, 0 }, { ORDERED, 0 } },
	{ { PAGE, 0 }, { TOLD, 0 }, { SEARCHED, 1 }, { VIEWED, 0 }, { VIEWED, 1 }, { CLICKED, 2 }, { VIEWED, 2 }, { PAGE, 0 } },
	{ { PAGE, 0 }, { LISTED, 0 }, { VIEWED, 0 }, { VIEWED, 1 }, { CLICKED, 2 }, { VIEWED, 2 }, { ADDED, 1 }, { ADDED, 2 } },
};

/* Texts one after the other; NULL ends them. Millions of events are made while something is measured, so not by printf. */
static void put(struct fw_buf *out, const char *text, ...)
{
	va_list more;
	va_start(more, text);
	for (; text; text = va_arg(more, const char *))
		fw_buf_puts(out, text);
	va_end(more);
}

static void put_number(struct fw_buf *out, uint64_t v, unsigned n)
{
	char text[20];
	digits(v, n, text);
	fw_buf_add(out, text, n);
}

static void put_category(struct fw_buf *out, uint32_t category)
{
	static const char *const things[] = { "boots", "shoes", "jackets", "sleeping-bags", "tents", "trousers", "gloves", "lamps", "packs",
		"stoves" };
	static const char *const kinds[] = { "", "winter-", "trail-", "running-", "kids-", "alpine-", "rain-", "light-", "city-",
		"work-", "bike-",
		"climbing-", "ski-", "summer-", "travel-", "camp-", "water-", "down-", "wool-", "used-" };
	put(out, kinds[category / 10 % 20], things[category % 10], NULL);
}

static void put_brand(struct fw_buf *out, uint32_t brand)
{
	static const char *const heads[] = { "Nord", "Sol", "Berg", "Fjell", "Skog", "Hav", "Vind", "Is", "Elv", "Stein" };
	static const char *const tails[] = { "lys", "ane", "ver", "mark", "vik", "rud", "heim", "land", "dal", "nes", "sund", "holm",
		"berg",
		"foss", "strand", "lund", "tind", "myr", "aas", "bu" };
	put(out, heads[brand % 10], tails[brand / 10 % 20], NULL);
}

/* A person keeps to three categories and, in them, to what many like. */
static uint32_t any_product(uint64_t person, uint64_t chance)
{
	unsigned of_ten = (unsigned)(chance % 10);
	uint64_t favourite = crowd_mix(person * 3 + (of_ten < 5 ? 0 : of_ten < 8 ? 1 : 2));
	uint32_t category = (uint32_t)(favourite % CROWD_CATEGORIES);
	uint32_t place = (uint32_t)((chance >> 8) % 25), other = (uint32_t)((chance >> 16) % 25);
	return category + CROWD_CATEGORIES * (place < other ? place : other);
}

/* The first of a session is what the one before looked at last. */
static uint32_t product_of(uint64_t person, unsigned session, unsigned which)
{
	if (which == 0 && session > 0)
		return product_of(person, session - 1, session - 1 == 2 ? 1 : 2);
	return any_product(person, crowd_mix(person << 16 ^ session << 8 ^ which));
}

static void put_product(uint32_t product, struct fw_buf *out)
{
	uint32_t category = product % CROWD_CATEGORIES, place = product / CROWD_CATEGORIES;
	uint32_t brand = category * 7 + place % 6; /* a category has six */
	put(out, "\"product_id\":\"sku-", NULL);
	put_number(out, product * 13 + 10007, 5);
	put(out, "\",\"category\":\"", NULL);
	put_category(out, category);
	put(out, "\",\"brand\":\"", NULL);
	put_brand(out, brand);
	put(out, "\",\"name\":\"", NULL);
	put_brand(out, brand);
	put(out, " ", NULL);
	put_number(out, product, 4);
	put(out, "\",\"price\":", NULL);
	put_number(out, 100 + product % 190, 3);
	put(out, ".9", NULL);
}

static void put_products(uint64_t person, unsigned session, struct fw_buf *out)
{
	put(out, "\"products\":[{", NULL);
	put_product(product_of(person, session, 0), out);
	put(out, ",\"quantity\":1},{", NULL);
	put_product(product_of(person, session, 1), out);
	put(out, ",\"quantity\":2}]", NULL);
}

/* From the type to the end of the properties. */
static void put_step(uint64_t person, unsigned session, enum step step, uint32_t product, struct fw_buf *out)
{
	static const char *const names[] = { "Anna", "Jonas", "Maria", "Lars", "Ingrid", "Paul", "Sofia", "Erik" };
	static const char *const events[] = { [SEARCHED] = "Products Searched", [LISTED] = "Product List Viewed", [VIEWED] =
		"Product Viewed",
		[CLICKED] = "Product Clicked", [ADDED] = "Product Added", [CART] = "Cart Viewed", [CHECKOUT] = "Checkout Started",
		[ORDERED] = "Order Completed" };
	if (step == PAGE)
		put(out, "\"type\":\"page\",\"name\":\"Home\",\"properties\":{", NULL);
	else if (step == TOLD)
		put(out, "\"type\":\"identify\",\"traits\":{\"first_name\":\"", names[crowd_mix(person) % 8],
			"\",\"plan\":\"club\",\"newsletter\":true", NULL);
	else
		put(out, "\"type\":\"track\",\"event\":\"", events[step], "\",\"properties\":{", NULL);
	if (step == SEARCHED || step == LISTED) {
		put(out, step == SEARCHED ? "\"query\":\"" : "\"list_id\":\"all\",\"category\":\"", NULL);
		put_category(out, product % CROWD_CATEGORIES);
		put(out, "\"", NULL);
	} else if (step == VIEWED || step == CLICKED || step == ADDED) {
		put_product(product, out);
		put(out, ",\"currency\":\"EUR\"", step == ADDED ? ",\"quantity\":1" : NULL, NULL);
	} else if (step == CART || step == CHECKOUT || step == ORDERED) {
		if (step == ORDERED) {
			put(out, "\"order_id\":\"o-", NULL);
			put_number(out, crowd_mix(person), 10);
			put(out, "\",\"total\":189.7,\"revenue\":179.8,\"currency\":\"EUR\",", NULL);
		}
		put_products(person, session, out);
	}
	put(out, "}", NULL);
}

static void put_path(enum step step, uint32_t product, struct fw_buf *out)
{
	put(out, step == PAGE ? "/" : "/c/", NULL);
	if (step != PAGE)
		put_category(out, product % CROWD_CATEGORIES);
}

static void put_context(uint64_t person, unsigned nth, enum step step, uint32_t product, struct fw_buf *out)
{
	static const char *const referrers[] = { "https://www.google.com/", "https://www.instagram.com/", "https://news.example/", "" };
	static const char *const campaigns[] = { "{\"source\":\"google\",\"medium\":\"cpc\",\"name\":\"winter-search\"}",
		"{\"source\":\"newsletter\",\"medium\":\"email\",\"name\":\"november-2\"}",
		"{\"source\":\"instagram\",\"medium\":\"paid_social\",\"name\":\"first-snow\"}" };
	uint64_t chance = crowd_mix(person << 8 ^ nth);
	put(out, ",\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.84.3\"},\"locale\":\"en-US\","
		"\"page\":{\"path\":\"", NULL);
	put_path(step, product, out);
	put(out, "\",\"url\":\"https://shop.example", NULL);
	put_path(step, product, out);
	put(out, "\"", NULL);
	bool begins = nth % CROWD_SESSION_EVENTS == 0;
	if (begins)
		put(out, ",\"referrer\":\"", referrers[chance % 4], "\"", NULL);
	put(out, "}", NULL);
	if (begins && chance >> 8 & 1)
		put(out, ",\"campaign\":", campaigns[(chance >> 16) % 3], NULL);
	put(out, "}}", NULL);
}

static void put_head(uint64_t person, uint64_t message, int64_t at_us, struct fw_buf *out)
{
	static const char form[] = "{\"anonymousId\":\"------------------------------------\","
		"\"messageId\":\"------------------------------------\",\"timestamp\":\"------------------------\",";
	char *to = fw_buf_reserve(out, sizeof form - 1);
	if (!to)
		return;
	memcpy(to, form, sizeof form - 1);
	crowd_person_id(person, to + CROWD_ANONYMOUS_ID_AT);
	crowd_message_id(person, message, to + CROWD_MESSAGE_ID_AT);
	crowd_time(at_us, to + CROWD_TIMESTAMP_AT);
	out->n += sizeof form - 1;
}

void crowd_event(uint64_t person, unsigned nth, uint64_t message, int64_t at_us, struct fw_buf *out)
{
	unsigned session = nth / CROWD_SESSION_EVENTS % CROWD_SESSIONS, at = nth % CROWD_SESSION_EVENTS;
	enum step step = script[session][at].step;
	uint32_t product = product_of(person, session, script[session][at].product);
	put_head(person, message, at_us, out);
	put_step(person, session, step, product, out);
	put_context(person, nth, step, product, out);
}

/* --- whom it is about */

int crowd_draw_init(struct crowd_draw *d, const char *how, uint32_t n, uint64_t seed)
{
	*d = (struct crowd_draw){ .state = crowd_mix(seed), .n = n };
	if (strcmp(how, "even") == 0)
		return n ? 0 : -1;
	if (strcmp(how, "zipf") != 0 || !n || !(d->harmonic = malloc(n * sizeof *d->harmonic)))
		return -1;
	double sum = 0;
	for (uint32_t k = 0; k < n; k++)
		d->harmonic[k] = sum += 1.0 / (k + 1.0);
	return 0;
}

void crowd_draw_finish(struct crowd_draw *d)
{
	free(d->harmonic);
	d->harmonic = NULL;
}

uint32_t crowd_draw_next(struct crowd_draw *d)
{
	uint64_t chance = crowd_mix(d->state++);
	if (!d->harmonic)
		return (uint32_t)(chance % d->n);
	double point = (double)(chance >> 11) / 9007199254740992.0 * d->harmonic[d->n - 1];
	uint32_t low = 0, high = d->n - 1;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (d->harmonic[middle] <= point)
			low = middle + 1;
		else
			high = middle;
	}
	return crowd_scatter(low, d->n);
}

/* The multiplier is a prime beyond every size in use, so that it is a bijection. */
uint32_t crowd_scatter(uint64_t i, uint32_t n)
{
	return (uint32_t)((i * UINT64_C(2654435761) + 7) % n);
}

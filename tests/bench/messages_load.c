/* People with an address and consent who leave a cart behind, so that a message to each is due; as many as are stored (batches.h).
 *
 *   messages_load PORT FIRST PEOPLE DUE_US SPREAD_US AFTER_S CONNECTIONS EVENTS_A_BATCH
 *
 * Person k of FIRST … FIRST + PEOPLE - 1 identifies with an address and consents to e-mail, and adds a product to the cart AFTER_S before
 * a message of a rule with that `after` is to be due: at DUE_US, or as late after it as SPREAD_US allows, evenly drawn. Addresses lie in
 * 100 domains. Prints one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batches.h"
#include "crowd.h"

enum { DOMAINS = 100 };

struct load {
	struct batches batches;
	uint64_t first, people, made; /* two events a person */
	int64_t due_us, spread_us, after_us;
};

static size_t put_identify(uint64_t k, const char *message, const char *at, char *to)
{
	static const char *const names[] = { "Anna", "Jonas", "Maria", "Lars", "Ingrid", "Paul", "Sofia", "Erik" };
	unsigned long long user = k;
	return (size_t)snprintf(to, BATCHES_EVENT_BYTES, "{\"type\":\"identify\",\"userId\":\"user-%llu\",\"messageId\":\"%.36s\","
		"\"timestamp\":\"%.24s\",\"traits\":{\"first_name\":\"%s\",\"email\":\"user-%llu@mail-%llu.example\"},"
		"\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"2.2.1\"},"
		"\"consent\":{\"categoryPreferences\":{\"email\":true,\"analytics\":true,\"personalization\":true}}}}",
		user, message, at, names[crowd_mix(k) % 8], user, user % DOMAINS);
}

static size_t put_added(uint64_t k, const char *message, const char *at, char *to)
{
	return (size_t)snprintf(to, BATCHES_EVENT_BYTES, "{\"type\":\"track\",\"event\":\"Product Added\",\"userId\":\"user-%llu\","
		"\"messageId\":\"%.36s\",\"timestamp\":\"%.24s\",\"properties\":{\"product_id\":\"sku-%05llu\",\"name\":\"Winter boot\","
		"\"variant\":\"size 42\",\"category\":\"boots\",\"brand\":\"Nordlys\",\"price\":129.9,\"quantity\":1,\"currency\":\"EUR\","
		"\"image_url\":\"https://shop.example/i/boot.jpg\"},\"context\":{\"library\":{\"name\":\"@segment/analytics-node\","
		"\"version\":\"2.2.1\"},\"locale\":\"en-US\"}}", (unsigned long long)k, message, at,
		(unsigned long long)(crowd_mix(k ^ UINT64_C(0x5c00000000)) % 90000));
}

/* A person's two events are in one batch: it holds an even number of them. */
static size_t put_event(void *ctx, const char *now, char *to)
{
	struct load *l = ctx;
	uint64_t k = l->first + l->made / 2;
	char message[CROWD_UUID_BYTES], at[CROWD_TIME_BYTES];
	int64_t later_us = l->spread_us ? (int64_t)(crowd_mix(k) % (uint64_t)l->spread_us) : 0;
	(void)now;
	if (l->made == 2 * l->people)
		return 0;
	crowd_message_id((uint64_t)l->due_us, 2 * k + l->made % 2, message);
	crowd_time(l->due_us + later_us - l->after_us, at);
	return l->made++ % 2 == 0 ? put_identify(k, message, at, to) : put_added(k, message, at, to);
}

static int start(struct load *l, char **argv)
{
	l->batches = (struct batches){ .put = put_event, .ctx = l, .headers = "", .events_a_batch = (unsigned)atoi(argv[8]),
		.unsent = true };
	l->first = strtoull(argv[2], NULL, 10);
	l->people = strtoull(argv[3], NULL, 10);
	l->due_us = strtoll(argv[4], NULL, 10);
	l->spread_us = strtoll(argv[5], NULL, 10);
	l->after_us = strtoll(argv[6], NULL, 10) * 1000000;
	if (l->batches.events_a_batch % 2 != 0)
		return -1;
	return batches_init(&l->batches, (uint16_t)atoi(argv[1]), (unsigned)atoi(argv[7]));
}

int main(int argc, char **argv)
{
	struct load l = { .made = 0 };
	if (argc != 9 || start(&l, argv) < 0) {
		fputs("usage: messages_load PORT FIRST PEOPLE DUE_US SPREAD_US AFTER_S CONNECTIONS EVENTS_A_BATCH\n", stderr);
		return 2;
	}
	batches_run(&l.batches, 3600);
	putchar('{');
	batches_print(&l.batches);
	puts("}");
	int rc = l.batches.wrong || l.batches.stored != 2 * l.people ? 1 : 0;
	batches_finish(&l.batches);
	return rc;
}

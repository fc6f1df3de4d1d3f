/* Users of a crowd who identify, as many as are stored (batches.h); then the outboxes become empty.
 *
 *   identify_load PORT FOLDER SOCKET KEY USERS JOINED DEVICES ONE_IN CONNECTIONS EVENTS_A_BATCH SECONDS SEED
 *
 * The crowd's people are devices: device k is that of user k % USERS. Of the DEVICES those below JOINED have identified before. One in
 * ONE_IN identifies is the first of the next device, the others are repeated ones of joined devices, evenly drawn; it ends early when no
 * device is left. One user in three tells an address. FOLDER and SOCKET are the daemon's data and its keeper's socket: to see
 * when everything that follows from the identifies has been delivered. Prints one JSON object; exit status 1 when a batch was answered
 * with anything else than it should be, or the outboxes do not become empty. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batches.h"
#include "bench_store.h"
#include "crowd.h"

enum { DRAIN_US = 300000000, LOOK_MS = 2, LOOKS = 3 };

struct load {
	struct batches batches;
	struct bench_store store;
	uint64_t users, joined, devices, one_in;
	uint64_t next, made, seed, chance; /* the next device that has not identified */
};

static size_t put_identify(const struct load *l, uint64_t device, const char *now, char *to)
{
	static const char *const names[] = { "Anna", "Jonas", "Maria", "Lars", "Ingrid", "Paul", "Sofia", "Erik" };
	char id[CROWD_UUID_BYTES], message[CROWD_UUID_BYTES], email[64] = "";
	unsigned long long user = device % l->users;
	crowd_person_id(device, id);
	crowd_message_id(l->seed, l->made, message);
	if (user % 3 == 0)
		snprintf(email, sizeof email, ",\"email\":\"user-%llu@shop.example\"", user);
	return (size_t)snprintf(to, BATCHES_EVENT_BYTES, "{\"type\":\"identify\",\"anonymousId\":\"%.36s\",\"userId\":\"user-%llu\","
		"\"messageId\":\"%.36s\",\"timestamp\":\"%.24s\",\"traits\":{\"first_name\":\"%s\",\"plan\":\"club\"%s},"
		"\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"2.2.1\"}}}",
		id, user, message, now, names[crowd_mix(user) % 8], email);
}

static size_t put_event(void *ctx, const char *now, char *to)
{
	struct load *l = ctx;
	bool first = l->made % l->one_in == 0;
	if (first && l->next == l->devices)
		return 0;
	uint64_t device = first ? l->next++ : crowd_mix(l->chance++) % l->joined;
	size_t n = put_identify(l, device, now, to);
	l->made++;
	return n;
}

/* When the outboxes were empty, of client_now_us; -1: they were not in time. What is passed on from one bucket to another while they are
 * looked at could be missed, so they have to be seen empty several times. */
static int64_t drained_us(struct load *l)
{
	int64_t since = -1, end = client_now_us() + DRAIN_US;
	const struct timespec pause = { 0, LOOK_MS * 1000000 };
	for (unsigned empty = 0; empty < LOOKS;) {
		int64_t now = client_now_us();
		int entries = bench_store_outbox(&l->store, 1);
		if (entries < 0 || now > end)
			return -1;
		empty = entries ? 0 : empty + 1;
		since = empty == 1 ? now : since;
		nanosleep(&pause, NULL);
	}
	return since;
}

static int start(struct load *l, char **argv, char *headers, size_t size)
{
	snprintf(headers, size, "Authorization: Bearer %s\r\n", argv[4]);
	l->users = strtoull(argv[5], NULL, 10);
	l->next = l->joined = strtoull(argv[6], NULL, 10);
	l->devices = strtoull(argv[7], NULL, 10);
	l->one_in = strtoull(argv[8], NULL, 10);
	l->batches = (struct batches){ .put = put_event, .ctx = l, .headers = headers, .events_a_batch = (unsigned)atoi(argv[10]) };
	l->seed = strtoull(argv[12], NULL, 10);
	l->chance = crowd_mix(l->seed);
	if (!l->users || !l->one_in || (l->one_in > 1 && !l->joined) || l->joined > l->devices)
		return -1;
	return bench_store_join(&l->store, argv[2], argv[3]) < 0 ? -1
		: batches_init(&l->batches, (uint16_t)atoi(argv[1]), (unsigned)atoi(argv[9]));
}

int main(int argc, char **argv)
{
	struct load l = { .made = 0 };
	char headers[256];
	if (argc != 13 || start(&l, argv, headers, sizeof headers) < 0) {
		fputs("usage: identify_load PORT FOLDER SOCKET KEY USERS JOINED DEVICES ONE_IN CONNECTIONS EVENTS_A_BATCH SECONDS SEED\n",
			stderr);
		return 2;
	}
	batches_run(&l.batches, strtod(argv[11], NULL));
	int64_t drained = drained_us(&l);
	double whole = (double)((drained > l.batches.last_us ? drained : l.batches.last_us) - l.batches.begin_us) / 1e6;
	putchar('{');
	batches_print(&l.batches);
	printf(",\"firsts\":%llu,\"joined\":%llu,\"drained\":%s,\"drainedSeconds\":%.3f,\"perSecondDrained\":%.0f}\n",
		(unsigned long long)(l.next - l.joined), (unsigned long long)l.next, drained < 0 ? "false" : "true", whole,
		(double)l.batches.stored / whole);
	bench_store_close(&l.store);
	batches_finish(&l.batches);
	return l.batches.wrong || drained < 0 ? 1 : 0;
}

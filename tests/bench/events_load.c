/* Events of a crowd, as many as are stored (batches.h).
 *
 *   events_load PORT PEOPLE even|zipf CONNECTIONS EVENTS_A_BATCH SECONDS SEED
 *
 * Every event has a messageId of its own; whose it is is drawn anew for each. Prints one JSON object; exit status 1 when a batch was
 * answered with anything else than it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batches.h"
#include "crowd.h"

enum { TEMPLATES = 512 };

struct load {
	struct batches batches;
	struct crowd_draw draw;
	struct fw_buf templates[TEMPLATES];
	uint64_t seed, made;
};

static void make_templates(struct load *l)
{
	for (unsigned i = 0; i < TEMPLATES; i++) {
		fw_buf_init(&l->templates[i], 0);
		crowd_event(i * 77, i % CROWD_EVENTS, i, 0, &l->templates[i]);
		if (l->templates[i].failed || l->templates[i].n > BATCHES_EVENT_BYTES)
			abort();
	}
}

static size_t put_event(void *ctx, const char *now, char *to)
{
	struct load *l = ctx;
	const struct fw_buf *t = &l->templates[l->made % TEMPLATES];
	memcpy(to, t->data, t->n);
	crowd_person_id(crowd_draw_next(&l->draw), to + CROWD_ANONYMOUS_ID_AT);
	crowd_message_id(l->seed, l->made++, to + CROWD_MESSAGE_ID_AT);
	memcpy(to + CROWD_TIMESTAMP_AT, now, CROWD_TIME_BYTES);
	return t->n;
}

static int start(struct load *l, char **argv)
{
	l->batches = (struct batches){ .put = put_event, .ctx = l, .headers = "", .events_a_batch = (unsigned)atoi(argv[5]) };
	l->seed = strtoull(argv[7], NULL, 10);
	if (crowd_draw_init(&l->draw, argv[3], (uint32_t)strtoul(argv[2], NULL, 10), l->seed) < 0)
		return -1;
	make_templates(l);
	return batches_init(&l->batches, (uint16_t)atoi(argv[1]), (unsigned)atoi(argv[4]));
}

int main(int argc, char **argv)
{
	struct load l = { .made = 0 };
	if (argc != 8 || start(&l, argv) < 0) {
		fprintf(stderr, "usage: events_load PORT PEOPLE even|zipf CONNECTIONS EVENTS_A_BATCH SECONDS SEED\n");
		return 2;
	}
	batches_run(&l.batches, strtod(argv[6], NULL));
	putchar('{');
	batches_print(&l.batches);
	puts("}");
	for (unsigned i = 0; i < TEMPLATES; i++)
		fw_buf_finish(&l.templates[i]);
	crowd_draw_finish(&l.draw);
	batches_finish(&l.batches);
	return l.batches.wrong ? 1 : 0;
}

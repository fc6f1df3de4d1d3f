/* An element that was refused, on its way to the dead letters. */
#include <string.h>

#include "server/ingest.h"
#include "server/signed.h"

/* A letter on its way. */
struct letter {
	struct fw_ingest *in;
	struct fw_dead dead;
	const struct fw_json *element;
};

static void on_letter(void *ctx, int rc, uint64_t version)
{
	struct letter *l = ctx;
	(void)version;
	if (rc == FW_EAWAY && l->in->worker->spool) {
		fw_ingest_hold_letter(l->in, &l->dead, l->element);
		rc = 0;
	}
	fw_ingest_leave(l->in, rc);
}

/* Somebody who sends nonsense must not fill the disk. */
static bool may_write(struct fw_ingester *g, int64_t now_us)
{
	if (g->letters_second != now_us / 1000000) {
		g->letters_second = now_us / 1000000;
		g->letters = 0;
	}
	return g->letters++ < FW_LIMIT_DEAD_LETTERS_A_SECOND;
}

void fw_ingest_unsign(const struct fw_json *element, const struct fw_json *context)
{
	const struct fw_json *places[2 * FW_HASH_PLACES];
	fw_event_hash_places(element, fw_json_get(element, "context"), places);
	fw_event_hash_places(NULL, context, places + FW_HASH_PLACES);
	for (int i = 0; i < 2 * FW_HASH_PLACES; i++) {
		struct fw_json *kept = fw_json_get(places[i], "userHash");
		if (kept)
			kept->type = FW_JSON_NULL;
	}
}

/* Who sent it: a letter is judged as the event was. */
static const char *find_sender(const struct fw_ingest *in, const struct fw_json *element)
{
	struct fw_str user = fw_json_text(element, "userId"), hash = fw_event_user_hash(element, fw_json_get(element, "context"));
	bool signs = user.n && fw_signed_verify(in->reader.identity_key, user, hash);
	return in->reader.secret ? "secret" : signs ? "signed" : "write";
}

static void put(struct fw_ingest *in, struct letter *l, struct fw_str json)
{
	l->dead.event = (struct fw_str){ json.p, json.n <= FW_LIMIT_EVENT_BYTES ? json.n : 0 };
	l->dead.bytes = json.n;
	in->left++;
	fw_count(in->worker->page, FW_COUNT_LETTERS, 1);
	if (in->worker->spool && fw_spool_is_away(in->worker->spool)) {
		on_letter(l, FW_EAWAY, 0);
		return;
	}
	int rc = fw_dead_put(fw_people_store(in->worker->people), &l->dead, on_letter, l);
	if (rc < 0)
		on_letter(l, rc, 0);
}

void fw_ingest_keep_letter(struct fw_ingest *in, const struct fw_json *element, const struct fw_refusal *why)
{
	if (strcmp(why->code, "crawler") == 0)
		return;
	if (!may_write(in->worker->ingester, in->reader.frame.received_us)) {
		fw_count(in->worker->page, FW_COUNT_LETTERS_DROPPED, 1);
		return;
	}
	const char *sender = find_sender(in, element);
	struct letter *l = FW_NEW(&in->arena, struct letter);
	struct fw_buf b;
	struct fw_json_out o;
	fw_ingest_unsign(element, NULL);
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_tree(&o, element);
	if (l && !b.failed) {
		*l = (struct letter){ in, { .at_us = in->reader.frame.received_us, .code = fw_str(why->code),
			.message = fw_str(why->message), .sender = fw_str(sender) }, element };
		put(in, l, (struct fw_str){ b.data, b.n });
	} else {
		in->left++;
		fw_ingest_leave(in, FW_ENOMEM);
	}
	fw_buf_finish(&b);
}

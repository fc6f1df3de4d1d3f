/* What is heard of a message later, in whichever process or node: from its id to its person, and there an event. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "message/own.h"

struct hearing {
	struct fw_messages *m;
	struct fw_arena arena;
	struct fw_message_id id;
	struct fw_str text, name, json;
	struct fw_sent sent;
	struct fw_record *record;
	bool suppressed;          /* it was not before */
	struct fw_people_event event;
	struct fw_people_group group;
	struct fw_consent_said said;
	struct fw_consent_change consent;
	fw_messages_heard done;
	void *ctx;
};

static void end(struct hearing *h, int rc, bool changed)
{
	fw_messages_heard done = h->done;
	void *ctx = h->ctx;
	h->m->counters.heard += rc == 0 && changed;
	fw_arena_finish(&h->arena);
	free(h);
	done(ctx, rc, changed);
}

static bool is_name(const struct hearing *h, const char *name)
{
	return fw_str_is(h->name, name);
}

static void on_applied(void *ctx, int rc)
{
	struct hearing *h = ctx;
	end(h, rc, rc == 0 && (!h->event.repeated || h->suppressed));
}

/* That of the record's ids whose row has the hash. */
static bool find_id(const struct hearing *h, uint64_t hash, struct fw_person_id *ret)
{
	struct fw_id id;
	for (unsigned i = 0; fw_record_id(h->record, i, &id); i++) {
		const struct fw_person_id plain = { (enum fw_person_kind)id.kind, id.text };
		char text[FW_KEYED_HASH_TEXT];
		struct fw_person_id row;
		fw_secret_row_id(&h->m->options.people->secret, &plain, text, &row);
		if (fw_people_row_hash(&row) != hash)
			continue;
		*ret = plain;
		return true;
	}
	return false;
}

/* The event always comes by the row that the message was made at, wherever that leads by now: by another it would count again, if the two
 * became one in between. It claims no ids, so it is nobody else's who goes by one of them. */
static int choose_id(struct hearing *h, const struct fw_person_id *row)
{
	if (find_id(h, h->id.person, &h->event.id) || find_id(h, fw_people_row_hash(row), &h->event.id))
		return 0;
	h->event.id = *row; /* a guest */
	return fw_secret_hides(row->kind) ? FW_EIO : 0;
}

static void apply(struct hearing *h)
{
	int64_t now_us = fw_now_us();
	char text[FW_MESSAGE_ID + 1];
	memcpy(text, h->text.p, FW_MESSAGE_ID);
	text[FW_MESSAGE_ID] = '\0';
	int rc = fw_message_event(&h->arena, h->sent.channel, h->name, text, h->sent.rule, h->json, now_us, &h->event.event);
	if (rc < 0) {
		end(h, rc, false);
		return;
	}
	h->event.proven = true;
	h->event.behaviour = h->m->options.profile->behaviour;
	if (is_name(h, "unsubscribed")) {
		h->said = (struct fw_consent_said){ h->sent.channel, FW_CONSENT_WITHDRAWN };
		h->consent = (struct fw_consent_change){ .said = &h->said, .n = 1, .source = h->sent.channel };
		h->event.event.consent = &h->consent;
	}
	h->group = (struct fw_people_group){ .done = on_applied, .ctx = h };
	fw_people_apply(h->m->options.people, &h->event, 1, &h->group);
}

static void on_suppressed(void *ctx, int rc, enum fw_suppression_outcome outcome)
{
	struct hearing *h = ctx;
	h->suppressed = outcome == FW_SUPPRESSION_CHANGED;
	if (rc < 0)
		end(h, rc, false);
	else
		apply(h);
}

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct hearing *h = ctx;
	if (rc == 0 && !person->record.n)
		rc = FW_ENOENT;
	if (rc == 0)
		rc = fw_record_read(&h->arena, person->record, &h->record, NULL);
	if (rc == 0)
		rc = choose_id(h, &person->row);
	if (rc < 0)
		end(h, rc == FW_EINVAL ? FW_EIO : rc, false);
	else if (is_name(h, "bounced") || is_name(h, "complained"))
		fw_suppression_say(h->m->options.people, &h->sent.suppression,
			&(struct fw_suppression_said){ FW_SUPPRESSION_PUT, h->name, 0, fw_now_us() }, on_suppressed, h);
	else
		apply(h);
}

/* What is kept of the message. */
static void on_sent(void *ctx, int rc, const struct fw_row *row)
{
	struct hearing *h = ctx;
	if (rc == 0)
		rc = row->value.p ? fw_sent_read(&h->arena, row->value, &h->sent) : FW_ENOENT;
	if (rc < 0)
		end(h, rc == FW_EINVAL ? FW_EIO : rc, false);
	else
		fw_people_load_hash(h->m->options.people, h->id.person, &h->arena, on_loaded, h);
}

static void on_ready(void *ctx, int rc)
{
	struct hearing *h = ctx;
	uint32_t bucket;
	struct fw_key key;
	if (rc == 0)
		rc = fw_message_id_read(&h->m->options.people->secret, h->text, &h->id);
	if (rc < 0) {
		end(h, rc == FW_EINVAL ? FW_ENOENT : rc, false);
		return;
	}
	bucket = fw_store_bucket(h->id.person);
	fw_sent_key(bucket, h->id, &key);
	fw_store_get(fw_people_store(h->m->options.people), bucket, fw_key_str(&key), &h->arena, on_sent, h);
}

void fw_messages_hear(struct fw_messages *m, struct fw_str id, struct fw_str name, struct fw_str json, fw_messages_heard done, void *ctx)
{
	struct hearing *h = fw_message_event_name(FW_STR("email"), name) ? calloc(1, sizeof *h) : NULL;
	if (!h) {
		done(ctx, fw_message_event_name(FW_STR("email"), name) ? FW_ENOMEM : FW_EINVAL, false);
		return;
	}
	h->m = m;
	h->text = id;
	h->name = name;
	h->json = json;
	h->done = done;
	h->ctx = ctx;
	fw_arena_init(&h->arena, NULL, 0, 0);
	fw_people_ready(m->options.people, on_ready, h);
}

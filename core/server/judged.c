#include "server/judged.h"

#include <stdlib.h>
#include <string.h>

#include "people/seal_key.h"
#include "server/engine_own.h"
#include "trace/decision_log.h"
#include "trace/logged.h"

/* What is to be written, while its key is looked up. */
struct keeping {
	struct fw_judged_log *log;
	struct fw_arena arena;
	struct fw_person_id row;
	struct fw_str record, body;
	int64_t at_us;
	char id[37];
};

static void end(struct keeping *k)
{
	k->log->under_way--;
	fw_arena_finish(&k->arena);
	free(k);
}

static bool copy(struct fw_arena *a, struct fw_str text, struct fw_str *ret)
{
	*ret = (struct fw_str){ fw_arena_strndup(a, text.n ? text.p : "", text.n), text.n };
	return ret->p;
}

/* What was known of it before the record was read, packed. 0 or FW_ENOMEM. */
static int pack_told(struct keeping *k, const struct fw_due_item *x, struct fw_str *ret)
{
	struct fw_engine_worker *w = k->log->worker;
	struct fw_facts told;
	int rc = fw_due_facts_told(w->decider.set, k->log->due, x->due.facts, &k->arena, &told);
	if (rc < 0)
		return rc;
	struct fw_buf *b = fw_engine_log_scratch(w);
	fw_facts_pack(&told, b);
	return !b->failed && copy(&k->arena, (struct fw_str){ b->data, b->n }, ret) ? 0 : FW_ENOMEM;
}

/* A message can be set aside by its rule alone. */
static int list(struct keeping *k, const struct fw_judged *decision, struct fw_logged *l)
{
	int rc = 0;
	l->messages = FW_NEW_ARRAY(&k->arena, decision->n, struct fw_logged_message);
	l->set_aside = FW_NEW_ARRAY(&k->arena, decision->n, uint32_t);
	if (!l->messages || !l->set_aside)
		return FW_ENOMEM;
	for (; l->n_messages < decision->n && rc == 0; l->n_messages++) {
		const struct fw_due_item *x = &decision->items[l->n_messages];
		struct fw_logged_message *m = &l->messages[l->n_messages];
		*m = (struct fw_logged_message){ .number = x->due.number, .rule = x->rule, .reason = x->reason, .suppressed = x->suppressed,
			.until_us = x->reason == FW_REASON_DEFERRED ? x->until_us : 0, .by = x->by };
		rc = pack_told(k, x, &m->told);
		if (x->reason == FW_REASON_SET_ASIDE)
			l->set_aside[l->n_set_aside++] = x->rule;
	}
	return rc;
}

static int write_body(struct keeping *k, const struct fw_judged *decision)
{
	struct fw_logged l = { .is_messages = true, .reading = { .read = FW_PROFILE_READ } };
	int rc = list(k, decision, &l);
	if (rc < 0)
		return rc;
	if (decision->then && decision->then->lost)
		return FW_ELIMIT;
	l.then = (struct fw_products_then *)(uintptr_t)decision->then;
	struct fw_buf *b = fw_engine_log_scratch(k->log->worker);
	fw_logged_write(&l, b);
	return !b->failed && copy(&k->arena, (struct fw_str){ b->data, b->n }, &k->body) ? 0 : FW_ENOMEM;
}

static void on_key(void *ctx, int rc, const struct fw_seal_key *key)
{
	struct keeping *k = ctx;
	struct fw_engine_worker *w = k->log->worker;
	const struct fw_decision_log_item item = { .id = k->id, .at_us = k->at_us, .key = key, .store_key = w->log_key, .record = k->record,
		.body = k->body };
	if (rc < 0)
		fw_engine_log_count(w, FW_DECISIONS_NO_KEY);
	else if (!fw_decision_log_put(w->log, &item))
		fw_engine_log_count(w, FW_DECISIONS_NO_ROOM);
	end(k);
}

void fw_judged_keep(void *ctx, const struct fw_judged *decision)
{
	struct fw_judged_log *log = ctx;
	struct fw_engine_worker *w = log->worker;
	struct keeping *k = log->under_way < FW_LIMIT_JUDGED_LOGGED ? calloc(1, sizeof *k) : NULL;
	if (!k) {
		fw_engine_log_count(w, FW_DECISIONS_NO_ROOM);
		return;
	}
	log->under_way++;
	k->log = log;
	k->at_us = decision->at_us;
	k->row.kind = decision->person->row.kind;
	memcpy(k->id, decision->id.p, sizeof k->id - 1);
	fw_arena_init(&k->arena, NULL, 0, 0);
	if (!copy(&k->arena, decision->person->row.id, &k->row.id) || !copy(&k->arena, decision->person->record, &k->record) ||
			write_body(k, decision) < 0) {
		fw_engine_log_count(w, FW_DECISIONS_TOO_LARGE);
		end(k);
	} else if (!fw_engine_log_learn(w)) {
		on_key(k, FW_EAWAY, NULL);
	} else {
		fw_seal_key_take(w->people, &k->row, k->at_us, &k->arena, on_key, k);
	}
}

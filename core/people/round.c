/* Applying the events of a round to the record in hand: those that are for it (claims.c) and were not applied before. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "people/flight.h"

int fw_people_event_send(struct fw_people_event *e, const struct fw_person_id *to)
{
	char *text = to->id.p == e->id.id.p ? NULL : malloc(to->id.n + 1);
	if (text)
		memcpy(text, to->id.p, to->id.n);
	else if (to->id.p != e->id.id.p)
		return FW_ENOMEM;
	free(e->row_text);
	e->row_text = text;
	e->row = (struct fw_person_id){ to->kind, { text ? text : to->id.p, to->id.n } };
	return 0;
}

/* Whether the message moved out of the record within this very round. */
static bool is_spilled_now(const struct fw_flight *f, uint64_t hash)
{
	for (unsigned i = 0; i < f->n_spills; i++)
		if (f->spills[i].hash == hash)
			return true;
	return false;
}

static void spill(struct fw_flight *f, uint64_t hash, int64_t received_us)
{
	uint64_t spilled[FW_SPILL_MOST];
	int32_t day = 0;
	unsigned n = fw_record_remember(f->record, hash, received_us, spilled, &day);
	for (unsigned i = 0; i < n; i++)
		f->spills[f->n_spills++] = (struct fw_flight_spill){ spilled[i], day };
}

/* Progress is by id: a person who was several when the file was written has come a different way by each. */
static uint64_t import_of(const struct fw_people_event *e)
{
	struct fw_key key;
	char bytes[16];
	fw_key_person(&e->id, &key);
	fw_key_number(bytes, e->import_file, 8);
	fw_key_number(bytes + 8, fw_key_read(key.bytes + 1, 8), 8);
	return fw_hash(bytes, sizeof bytes);
}

static struct fw_str name_of(const struct fw_event *event)
{
	return event->type == FW_EVENT_TRACK ? event->name : (struct fw_str){ NULL, 0 };
}

/* Tells apart what was asked for, whoever went by which id then. */
static uint64_t hash_of_ask(const struct fw_ask *ask)
{
	const uint64_t parts[2] = { fw_hash(ask->product.p, ask->product.n), (uint64_t)ask->at_us };
	return fw_hash(parts, sizeof parts);
}

/* What the event sets off, in the same batch. `before`: the record without it. */
static int trigger(struct fw_flight *f, const struct fw_people_event *e, struct fw_str before)
{
	const struct fw_people *p = f->people;
	const struct fw_event *event = &e->event;
	const struct fw_trigger_event t = { .at_us = event->at_us, .received_us = event->received_us, .facts = e->facts,
		.name = name_of(event),
		.hash = e->restocked ? hash_of_ask(e->restocked) : event->message_hash ? event->message_hash : (uint64_t)event->at_us,
		.imported = event->imported };
	return fw_trigger(p->triggers, p->decider, p->due, &t, before, f->record);
}

/* The person asks for it no more, and is told: once, as both are in one batch. It is nothing that the person did, so it is no event. */
static int apply_restocked(struct fw_flight *f, struct fw_people_event *e)
{
	const struct fw_people *p = f->people;
	struct fw_ask ask;
	bool asks = fw_record_find_ask(f->record, e->restocked->product, &ask) && ask.at_us == e->restocked->at_us;
	e->repeated = !asks;
	e->waits = asks && (!p->triggers || !fw_triggers_has_room(p->triggers, e->event.name, f->record));
	if (!asks || e->waits)
		return 0;
#ifndef FW_BREAK_ASKED
	fw_record_drop_ask(f->record, e->restocked->product);
#endif
	f->changed = true;
	return trigger(f, e, (struct fw_str){ NULL, 0 });
}

/* Where the person is as somebody asks, for the message that comes long after. */
static int place_ask(struct fw_flight *f, const struct fw_people_event *e, struct fw_str product)
{
	struct fw_ask ask;
	int rc = 0;
	if (product.n && e->facts.n && fw_record_find_ask(f->record, product, &ask) && !ask.place.n) {
		rc = fw_due_place(e->facts, &f->arena, &ask.place);
		fw_record_drop_ask(f->record, product);
		if (rc == 0)
			rc = fw_record_put_ask(f->record, &ask);
	}
	return rc;
}

static int apply(struct fw_flight *f, struct fw_people_event *e)
{
	const struct fw_people_options *o = &f->people->options;
	struct fw_profile_options options = { o->currency, e->behaviour, o->own_hosts, o->n_own_hosts };
	struct fw_str before = { NULL, 0 };
	struct fw_effects effects = { .asked = { NULL, 0 } };
	const struct fw_triggers *t = e->event.only_consent || e->event.imported ? NULL : f->people->triggers;
	bool triggers = t && fw_triggers_concern(t, name_of(&e->event));
	int rc = triggers && fw_triggers_segments(t) ? fw_record_bytes(f->record, &f->arena, &before) : 0;
	if (rc == 0)
		rc = fw_claims_take(f, e);
	if (rc == 0)
		rc = fw_profile_apply(f->record, &e->event, &options, &effects);
	if (rc == 0)
		rc = place_ask(f, e, effects.asked);
	if (rc == 0 && triggers)
		rc = trigger(f, e, before);
	if (rc < 0)
		return rc;
	if (e->event.imported)
		fw_record_set_import_offset(f->record, import_of(e), e->import_offset);
	else
		spill(f, e->event.message_hash, e->event.received_us);
	f->changed = true;
	return 0;
}

/* Of who is restricted nothing is added but what that person says of consent. */
static int apply_restricted(struct fw_flight *f, struct fw_people_event *e)
{
	const struct fw_profile_options options = { .currency = f->people->options.currency };
	struct fw_event said = e->event;
	if (said.only_consent)
		return apply(f, e);
	e->restricted = true;
	if (!said.consent || said.imported || e->restocked)
		return 0;
	said.only_consent = true;
	f->changed = true;
	return fw_profile_apply(f->record, &said, &options, NULL);
}

static int apply_fresh(struct fw_flight *f, struct fw_people_event *e)
{
	bool restricted = fw_record_is_restricted(f->record);
#ifdef FW_BREAK_RESTRICTION
	restricted = false;
#endif
	e->restricted = false;
	return restricted ? apply_restricted(f, e) : e->restocked ? apply_restocked(f, e) : apply(f, e);
}

static void on_day(void *ctx, int rc, const struct fw_row *row)
{
	struct fw_flight *f = ctx;
	f->answered = true;
	f->asked_rc = rc;
	f->found |= rc == 0 && row->version != FW_VERSION_NONE;
	f->day++;
	if (f->resumes) {
		f->resumes = false;
		fw_round_step(f);
	}
}

/* The rows that may have the message: of this person's days, and of those who became part of this person since. */
static int list_days(struct fw_flight *f, const struct fw_people_event *e)
{
	int32_t days[4];
	unsigned n = fw_record_spilled_days(f->record, e->event.received_us, days);
	struct fw_merge m;
	f->n_days = f->day = 0;
	if (!f->days && !(f->days = FW_NEW_ARRAY(&f->arena, 4 + 4 * FW_LIMIT_MERGES, struct fw_key)))
		return FW_ENOMEM;
	for (unsigned i = 0; i < n; i++)
		fw_key_message(&f->key, days[i], e->event.message_hash, &f->days[f->n_days++]);
	for (unsigned i = 0; fw_record_merge_at(f->record, i, &m); i++) {
		const struct fw_person_id id = { (enum fw_person_kind)m.kind, m.id };
		struct fw_key key;
		fw_key_person(&id, &key);
		n = fw_merge_spilled_days(&m, e->event.received_us, days);
		for (unsigned k = 0; k < n; k++)
			fw_key_message(&key, days[k], e->event.message_hash, &f->days[f->n_days++]);
	}
	return 0;
}

enum answer { FRESH, REPEATED, LATER, FAILED };

/* Asks for the rows of the message, day by day. */
static enum answer ask_days(struct fw_flight *f, const struct fw_people_event *e)
{
	if (!f->asked) {
		f->asked = true;
		f->found = false;
		f->asked_rc = list_days(f, e);
	}
	while (f->asked_rc == 0 && f->day < f->n_days && !f->found) {
		const struct fw_key *key = &f->days[f->day];
		f->answered = f->resumes = false;
		fw_store_get_for_batch(f->people->store, key->bucket, fw_key_str(key), &f->arena, on_day, f);
		if (!f->answered) {
			f->resumes = true;
			return LATER;
		}
	}
	f->asked = false;
	return f->asked_rc < 0 ? FAILED : f->found ? REPEATED : FRESH;
}

static enum answer look(struct fw_flight *f, const struct fw_people_event *e)
{
	uint64_t hash = e->event.message_hash;
#ifdef FW_BREAK_IMPORT
	if (e->event.imported)
		return FRESH;
#endif
	if (e->event.imported)
		return e->import_offset <= fw_record_import_offset(f->record, import_of(e)) ? REPEATED : FRESH;
	enum fw_message_seen seen = hash ? fw_record_seen(f->record, hash) : FW_SEEN_NO;
	if (seen != FW_SEEN_ASK)
		return seen == FW_SEEN_YES ? REPEATED : FRESH;
	return is_spilled_now(f, hash) ? REPEATED : ask_days(f, e);
}

/* What no longer fits into this batch goes first in the next. */
static void put_back(struct fw_flight *f)
{
	struct fw_people_event **link = &f->round, *rest = f->at;
	while (*link != rest)
		link = &(*link)->next;
	*link = NULL;
	struct fw_people_event **tail = &rest->next;
	while (*tail)
		tail = &(*tail)->next;
	*tail = f->first;
	if (!f->first)
		f->last = tail;
	f->first = rest;
}

static bool is_full(const struct fw_flight *f)
{
	return f->n_spills + FW_SPILL_MOST > FW_FLIGHT_SPILLS || f->n_entries + FW_CLAIMS_MOST > FW_FLIGHT_ENTRIES;
}

/* One event. False: a row is awaited, which brings the round on, or the round has ended. */
static bool take(struct fw_flight *f, struct fw_people_event *e)
{
	int again = f->asked ? 0 : fw_claims_begin_again(f, e);
	if (again < 0)
		fw_flight_end(f, again);
	if (again)
		return again == 1;
	if (!f->asked)
		e->erased |= e->event.at_us <= fw_record_erased_us(f->record);
	if (e->erased) {
		e->repeated = false;
		f->at = e->next;
		return true;
	}
	enum answer a = look(f, e);
	if (a == LATER)
		return false;
	int rc = a == FAILED ? f->asked_rc : a == FRESH ? fw_claims_elsewhere(f, e) : 0;
	if (rc == 1)
		return true;
	e->repeated = a == REPEATED;
	if (rc == 0 && a == FRESH)
		rc = apply_fresh(f, e);
	if (rc < 0)
		fw_flight_end(f, rc);
	else
		f->at = e->next;
	return rc == 0;
}

void fw_round_step(struct fw_flight *f)
{
	while (f->at) {
		if (is_full(f) && !f->asked) {
			put_back(f);
			break;
		}
		if (!take(f, f->at))
			return;
	}
	fw_flight_applied(f);
}

int fw_flight_new_record(struct fw_flight *f)
{
	bool listed = f->id.kind == FW_PERSON_ANONYMOUS || f->id.kind == FW_PERSON_USER || f->id.kind == FW_PERSON_GUEST;
	if (!(f->record = fw_record_new(&f->arena, f->id.id)))
		return FW_ENOMEM;
	return listed ? fw_record_add_id(f->record, f->id.kind == FW_PERSON_USER ? FW_ID_USER : FW_ID_ANONYMOUS, f->id.id) : 0;
}

void fw_round_run(struct fw_flight *f, const struct fw_row *row)
{
	struct fw_error err;
	f->at = f->round;
	f->claim = f->looked = 0;
	f->record = NULL;
	if (!row->value.p) {
		fw_claims_find_known(f);
		return;
	}
	int rc = fw_record_read(&f->arena, row->value, &f->record, &err);
	if (rc < 0)
		fw_flight_end(f, rc == FW_EINVAL ? FW_EIO : rc);
	else
		fw_round_step(f);
}

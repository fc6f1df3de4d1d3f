/* What whoever asks shows already: his places under caps are not taken again, and one who watches is told what is new alone. */
#include <stdlib.h>

#include "base/hash.h"
#include "server/engine_own.h"

/* Which of the places it is that he has: of one that is confirmed the record does not tell the rule any more. */
static const struct fw_cap_place *find_place(const struct fw_shown *s, const struct fw_cap_use *use)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->places[i].at_ms == use->at_us / 1000 && (!s->places[i].rule || !use->rule || s->places[i].rule == use->rule))
			return &s->places[i];
	return NULL;
}

int fw_engine_mark_own(struct fw_engine_run *run)
{
	struct fw_facts *f = &run->facts;
	const struct fw_shown *shown = &run->q.shown;
	if (!shown->n || !f->n_cap_uses)
		return 0;
	struct fw_cap_use *uses = FW_NEW_ARRAY(&run->arena, f->n_cap_uses, struct fw_cap_use);
	if (!uses)
		return FW_ENOMEM;
	for (unsigned i = 0; i < f->n_cap_uses; i++) {
		const struct fw_cap_place *own = find_place(shown, &f->cap_uses[i]);
		uses[i] = f->cap_uses[i];
		uses[i].own = own != NULL;
		if (own && !uses[i].rule)
			uses[i].rule = own->rule;
	}
	f->cap_uses = uses;
	return 0;
}

/* What is shown once the decision is: the hash is of all that its text says but for its own id. */
static struct fw_shown shown_by(const struct fw_engine_run *run)
{
	enum { AFTER_ID = sizeof "{\"decisionId\":\"\"" - 1 + sizeof run->decision.id - 1 };
	struct fw_shown s = { .hash = run->out.n > AFTER_ID ? fw_hash(run->out.data + AFTER_ID, run->out.n - AFTER_ID) : 1 };
	s.n = fw_decide_places(run->worker->engine->set, &run->facts, &run->decision, s.places, FW_LIMIT_SHOWN);
	if (!s.hash)
		s.hash = 1;
	return s;
}

static void watched(struct fw_engine_run *run, const struct fw_shown *now)
{
	struct fw_engine_watch *watch = run->ask->watch;
	const struct fw_shown *before = &run->q.shown;
	watch->knew = before->hash != 0;
	watch->same = now->hash == before->hash;
	watch->moved = now->n != before->n || memcmp(now->places, before->places, now->n * sizeof *now->places) != 0;
	watch->shown = *now;
}

static void write_plain(struct fw_engine_run *run)
{
	struct fw_json_out o;
	fw_buf_clear(&run->out);
	fw_json_out_init(&o, &run->out);
	fw_trace_answer(&o, run->worker->engine->set, &run->decision, run->q.refused, run->q.n_refused, run->q.details);
}

void fw_engine_write(struct fw_engine_run *run)
{
	char tag[FW_SHOWN_TEXT];
	write_plain(run);
	if (!run->q.details || run->ask->watch || run->out.failed)
		return;
	const struct fw_shown s = shown_by(run);
	fw_shown_write(&s, tag);
	run->out.n--;
	fw_buf_printf(&run->out, ",\"tag\":\"%s\"}", tag);
}

static int quiet_counts(struct fw_engine_worker *w)
{
	if (w->quiet_memory)
		return 0;
	if (!(w->quiet_memory = calloc(1, fw_counts_bytes(w->engine->set))))
		return FW_ENOMEM;
	w->quiet = fw_counts_in(w->engine->set, w->quiet_memory);
	return 0;
}

int fw_engine_look(struct fw_engine_run *run, bool *ret_same)
{
	struct fw_engine_worker *w = run->worker;
	if (quiet_counts(w) < 0)
		return FW_ENOMEM;
	const struct fw_counts counts = w->decider.counts;
	w->decider.counts = w->quiet;
	int rc = fw_decide(&w->decider, &run->facts, run->q.slots, run->q.n, &run->arena, &run->decision);
	w->decider.counts = counts;
	if (rc < 0)
		return rc;
	write_plain(run);
	/* While the record is out of reach, what is shown stays. */
	bool waits = run->decision.degraded && run->q.shown.hash;
	const struct fw_shown s = waits ? run->q.shown : shown_by(run);
	*ret_same = s.hash == run->q.shown.hash;
	if (run->ask->watch->only_notice) {
		struct fw_shown kept = run->q.shown;
		kept.hash = s.hash;
		watched(run, &kept);
		*ret_same = true;
		return 0;
	}
	*ret_same = *ret_same && (waits || !run->decision.n_reservations);
	if (*ret_same)
		watched(run, &s);
	return 0;
}

void fw_engine_watched(struct fw_engine_run *run)
{
	const struct fw_shown s = shown_by(run);
	watched(run, &s);
}

static void note_row(struct fw_engine_watch *watch, const struct fw_person_id *id)
{
	uint64_t row = fw_people_row_hash(id);
	for (unsigned i = 0; i < watch->n_rows; i++)
		if (watch->rows[i] == row)
			return;
	if (watch->n_rows < FW_ENGINE_ROWS)
		watch->rows[watch->n_rows++] = row;
}

void fw_engine_note_rows(struct fw_engine_run *run)
{
	struct fw_engine_watch *watch = run->ask->watch;
	const struct fw_engine_question *q = &run->q;
	watch->n_rows = 0;
	if (run->person.row.id.n)
		note_row(watch, &run->person.row);
	note_row(watch, &q->person);
	if (q->user.n)
		note_row(watch, &(struct fw_person_id){ FW_PERSON_USER, q->user });
}

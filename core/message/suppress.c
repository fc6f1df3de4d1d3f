/* What is said of an address: the list of those to which nothing goes, and the consent of who goes by it, each in a batch of its own.
 * Whoever dies in between is told again, and must then find that something is left to do: so the list is written first and lifted last.
 * What is told again after the contrary was said changes nothing, if it has an id by which it is known. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "message/own.h"

struct suppressing {
	struct fw_messages *m;
	struct fw_arena arena;
	struct fw_address_said said;
	struct fw_key key;
	bool changed;
	char text[FW_EMAIL_BYTES]; /* of `claim` */
	struct fw_consent_said consent;
	struct fw_consent_change change;
	struct fw_claim claim;
	struct fw_people_event event;
	struct fw_people_group group;
	fw_messages_heard done;
	void *ctx;
};

static void end(struct suppressing *s, int rc)
{
	fw_messages_heard done = s->done;
	void *ctx = s->ctx;
	bool changed = rc == 0 && s->changed;
	fw_arena_finish(&s->arena);
	free(s);
	done(ctx, rc, changed);
}

static void say(struct suppressing *s, enum fw_suppression_what what, fw_suppression_done then)
{
	struct fw_people *p = s->m->options.people;
	const struct fw_suppression_said said = { what, s->said.reason.n ? s->said.reason : FW_STR("suppressed"),
		fw_suppression_id(&p->secret, s->said.id), fw_now_us() };
	fw_suppression_say(p, &s->key, &said, then, s);
}

static void on_lifted(void *ctx, int rc, enum fw_suppression_outcome outcome)
{
	struct suppressing *s = ctx;
	s->changed = outcome == FW_SUPPRESSION_CHANGED;
	end(s, rc);
}

/* Who goes by the address has said so. */
static void on_told(void *ctx, int rc)
{
	struct suppressing *s = ctx;
	if (rc == 0 && s->said.lift)
		say(s, FW_SUPPRESSION_LIFTED, on_lifted);
	else
		end(s, rc);
}

static void tell(struct suppressing *s)
{
	int64_t now_us = fw_now_us();
	s->consent = (struct fw_consent_said){ s->said.channel, s->said.lift ? FW_CONSENT_GRANTED : FW_CONSENT_WITHDRAWN };
	s->change = (struct fw_consent_change){ .said = &s->consent, .n = 1, .source = s->said.source };
	s->event.event = (struct fw_event){ .type = FW_EVENT_IDENTIFY, .at_us = now_us, .received_us = now_us, .consent = &s->change,
		.only_consent = true };
	s->event.claims = &s->claim;
	s->event.n_claims = 1;
	s->event.proven = true;
	s->group = (struct fw_people_group){ .done = on_told, .ctx = s };
	fw_people_apply(s->m->options.people, &s->event, 1, &s->group);
}

static void on_person(void *ctx, int rc, const struct fw_person *person)
{
	struct suppressing *s = ctx;
	if (rc == 0 && person->record.n)
		tell(s);
	else
		on_told(s, rc); /* of an address that nobody goes by there is the list alone */
}

static void find_person(struct suppressing *s)
{
	if (!fw_normal_address(s->said.channel, s->said.address, s->text, &s->claim)) {
		on_told(s, 0); /* nobody is found by such an address */
		return;
	}
	s->event.id = (struct fw_person_id){ (enum fw_person_kind)s->claim.kind, s->claim.text };
	fw_people_load(s->m->options.people, &s->event.id, (struct fw_str){ NULL, 0 }, true, &s->arena, on_person, s);
}

static void on_put(void *ctx, int rc, enum fw_suppression_outcome outcome)
{
	struct suppressing *s = ctx;
	s->changed = outcome == FW_SUPPRESSION_CHANGED;
#ifdef FW_BREAK_SUPPRESS /* whose address is on the list has said so */
	if (rc == 0 && !s->changed)
		outcome = FW_SUPPRESSION_OVER;
#endif
	if (rc < 0 || outcome == FW_SUPPRESSION_OVER)
		end(s, rc);
	else
		find_person(s); /* in any case: the last time it may be that the list alone was written */
}

static void on_lifting(void *ctx, int rc, enum fw_suppression_outcome outcome)
{
	if (rc < 0 || outcome == FW_SUPPRESSION_OVER)
		end(ctx, rc);
	else
		find_person(ctx);
}

static void on_ready(void *ctx, int rc)
{
	struct suppressing *s = ctx;
	if (rc < 0) {
		end(s, rc);
		return;
	}
	fw_suppression_key(&s->m->options.people->secret, s->said.channel, s->said.address, &s->key);
	if (s->said.lift)
		say(s, FW_SUPPRESSION_LIFTING, on_lifting);
	else
		say(s, FW_SUPPRESSION_PUT, on_put);
}

void fw_messages_suppress(struct fw_messages *m, const struct fw_address_said *said, fw_messages_heard done, void *ctx)
{
	struct suppressing *s = calloc(1, sizeof *s);
	if (!s) {
		done(ctx, FW_ENOMEM, false);
		return;
	}
	s->m = m;
	s->said = *said;
	s->done = done;
	s->ctx = ctx;
	fw_arena_init(&s->arena, NULL, 0, 0);
	fw_people_ready(m->options.people, on_ready, s);
}

/* One element of a request: whose it is, whether it is let in, what the visitor lets be kept. */
#include "server/ingest.h"

#include <stdio.h>

#include "server/request.h"
#include "server/signed.h"

static int refuse(struct fw_refusal *r, const char *code, const char *message)
{
	r->code = code;
	snprintf(r->message, sizeof r->message, "%s", message);
	return FW_EINVAL;
}

bool fw_ingest_refused(const struct fw_people_event *e, struct fw_refusal *ret)
{
	if (e->erased)
		refuse(ret, "erased", "it happened before the person was erased");
	else if (e->restricted)
		refuse(ret, "restricted", "the person is restricted: nothing is added to what is kept");
	return e->erased || e->restricted;
}

static int refuse_blocked(const struct fw_event *told, struct fw_refusal *r)
{
	bool user = told->user_id.n > 0;
	struct fw_str id = user ? told->user_id : told->anonymous_id;
	r->code = "blocked_id";
	snprintf(r->message, sizeof r->message,
		"the %s \"%.*s\" is what programs write where there is none: send a random anonymousId until the "
		"visitor is known", user ? "userId" : "anonymousId", id.n < 40 ? (int)id.n : 40, id.p);
	return FW_EINVAL;
}

static int check_public(const struct fw_event *event, struct fw_refusal *refusal)
{
	if (event->anonymous_id.n && event->anonymous_id.n < FW_LIMIT_PUBLIC_ID_BYTES)
		return refuse(refusal, "bad_anonymous_id", "with a write key an anonymousId is a secret of at least 16 bytes: "
			"make a random one");
	if (event->type == FW_EVENT_ALIAS && event->previous_id.n && event->previous_id.n < FW_LIMIT_PUBLIC_ID_BYTES)
		return refuse(refusal, "bad_anonymous_id", "with a write key a previousId is an anonymousId of at least 16 bytes");
	return 0;
}

static int find_claims(const struct fw_ingest_reader *in, struct fw_people_event *e, bool signs)
{
	struct fw_claim claims[FW_CLAIMS_MOST];
	unsigned n = 0, blocked = 0;
	int rc = fw_identify(in->arena, &e->event, signs, in->secret, claims, &n, &blocked);
	struct fw_claim *copy = rc == 0 ? FW_NEW_ARRAY(in->arena, n, struct fw_claim) : NULL;
	if (!copy)
		return FW_ENOMEM;
	memcpy(copy, claims, n * sizeof *claims);
	e->claims = copy;
	e->n_claims = n;
	if (in->page)
		fw_count(in->page, FW_COUNT_IDS_BLOCKED, blocked);
	return 0;
}

/* An id that is not proven is a claim: it finds nobody and changes nobody but the one who makes it. */
static int find_person(const struct fw_ingest_reader *in, struct fw_people_event *e, struct fw_refusal *refusal)
{
	struct fw_event *event = &e->event;
	const struct fw_event told = *event;
	bool signs = event->user_id.n && (in->vouched || fw_signed_verify(in->identity_key, event->user_id, event->user_hash));
#ifdef FW_BREAK_CLAIMS /* anybody is who he says he is */
	signs = event->user_id.n > 0;
#endif
	e->proven = in->secret || signs;
	event->trusted = in->secret;
	int rc = find_claims(in, e, signs);
	if (rc < 0)
		return rc;
	event->anonymous_id = fw_id_or_none(event->anonymous_id);
	event->user_id = fw_id_or_none(event->user_id);
	event->previous_id = fw_id_or_none(event->previous_id);
	if (!event->anonymous_id.n && !event->user_id.n)
		return refuse_blocked(&told, refusal);
	if (!e->proven)
		event->previous_id = event->group_id = (struct fw_str){ NULL, 0 };
	if (!in->secret && (rc = check_public(event, refusal)) < 0)
		return rc;
	if (event->anonymous_id.n)
		e->id = (struct fw_person_id){ FW_PERSON_ANONYMOUS, event->anonymous_id };
	else
		e->id = (struct fw_person_id){ e->proven ? FW_PERSON_USER : FW_PERSON_UNVERIFIED, event->user_id };
	if (!e->proven && event->anonymous_id.n)
		event->user_id = (struct fw_str){ NULL, 0 };
	return 0;
}

static struct fw_str header(const struct fw_ingest_reader *in, const char *name)
{
	return in->request && !in->secret ? fw_http_header(in->request->http, name) : (struct fw_str){ NULL, 0 };
}

static bool grants_analytics(const struct fw_value *set)
{
	for (unsigned i = 0; i < set->n_items; i++)
		if (fw_str_is(set->items[i].folded, FW_CONSENT_ANALYTICS))
			return true;
	return false;
}

/* A message that the event sets off is judged with what it tells; or, of what somebody asks for, long after. */
static int pack(const struct fw_ingest_reader *in, struct fw_people_event *e, const struct fw_facts *f)
{
	bool asks = fw_str_equal_fold(e->event.name, FW_STR(FW_ASK_REQUESTED));
	if (e->event.type != FW_EVENT_TRACK || !(asks || (in->triggers && fw_triggers_concern(in->triggers, e->event.name))))
		return 0;
	return fw_due_pack(f, e->event.properties, in->arena, &e->facts);
}

/* The same signals as a decision's: a crawler leaves no trace, and it is known what holds of a visitor who says nothing of
 * consent. What one says is read apart, and what he said before his record has. */
static int read_signals(const struct fw_ingest_reader *in, struct fw_people_event *e, struct fw_refusal *refusal)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct fw_facts f;
	struct fw_json context = e->event.context ? *e->event.context : (struct fw_json){ .type = FW_JSON_OBJECT };
	const struct fw_json body = { .type = FW_JSON_OBJECT, .child = &context, .count = 1 };
	context.key = FW_STR("context");
	context.next = NULL;
	struct fw_signal_request request = {
		.body = &body,
		.user_agent = header(in, "User-Agent"), /* with a secret key it is a server's library */
		.sec_gpc = header(in, "Sec-GPC"),
		.peer = in->request ? fw_http_peer(in->request->http) : &nobody,
		.secret = in->secret,
		.now_us = in->frame.received_us,
	};
	if (in->request)
		request.forwarded = in->request->forwarded;
	fw_arena_reset(in->scratch);
	fw_facts_init(&f, in->scratch, true);
	if (fw_signal_read(in->signals, &request, &f) < 0)
		return FW_ENOMEM;
	const struct fw_value *device = &f.single[FW_FACT_DEVICE], *consent = &f.single[FW_FACT_CONSENT];
	if (device->state == FW_KNOWN && fw_str_is(device->folded, "bot"))
		return refuse(refusal, "crawler", "crawlers get no profile");
	e->behaviour = f.consent_basis == FW_CONSENT_BASIS_NONE || grants_analytics(consent);
	return pack(in, e, &f);
}

/* Of an event that was held its request is not known any more. */
static int pack_held(const struct fw_ingest_reader *in, struct fw_people_event *e)
{
	struct fw_facts none;
	fw_arena_reset(in->scratch);
	fw_facts_init(&none, in->scratch, true);
	return pack(in, e, &none);
}

int fw_ingest_read(const struct fw_ingest_reader *in, const struct fw_json *element, struct fw_people_event *ret,
	struct fw_refusal *refusal)
{
	int rc = fw_event_read(in->arena, element, &in->frame, &ret->event, refusal);
	if (rc == 0)
		rc = find_person(in, ret, refusal);
#ifndef FW_BREAK_TOO_LATE
	if (rc == 0 && !ret->event.imported && ret->event.received_us - ret->event.at_us > FW_LIMIT_DEDUPE_HOURS * INT64_C(3600000000))
		rc = refuse(refusal, "too_late", "the event is older than 48 hours; bring history in with `floorwalker import`");
#endif
	if (rc == 0)
		rc = fw_event_read_consent(in->arena, in->consent, in->secret, &ret->event);
	ret->behaviour = in->behaviour;
	if (rc < 0)
		return rc;
	return in->again ? pack_held(in, ret) : read_signals(in, ret, refusal);
}

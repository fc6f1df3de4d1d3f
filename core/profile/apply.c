#include "profile/own.h"

#include <math.h>

#include "base/hash.h"
#include "signal/source.h"

static uint32_t channel_number(const struct fw_value *source)
{
	const char *const *channels = fw_fact_info(FW_FACT_SOURCE)->values;
	for (uint32_t i = 0; source->state == FW_KNOWN && channels[i]; i++)
		if (fw_str_is(source->text, channels[i]))
			return i + 1;
	return 0;
}

static struct fw_str known_text(const struct fw_facts *f, enum fw_fact fact)
{
	const struct fw_value *v = &f->single[fact];
	return v->state == FW_KNOWN ? v->text : (struct fw_str){ 0 };
}

/* Of the same campaign are events with the same name and medium. */
static uint32_t campaign_hash(const struct fw_facts *f)
{
	const struct fw_value *name = &f->single[FW_FACT_CAMPAIGN], *medium = &f->single[FW_FACT_MEDIUM];
	if (name->state != FW_KNOWN)
		return 0;
	uint32_t hash = fw_text_hash(name->folded);
	if (medium->state == FW_KNOWN)
		hash = hash * 31 + fw_text_hash(medium->folded);
	hash = (hash ^ hash >> 16) & UINT16_MAX;
	return hash ? hash : 1;
}

static struct fw_str trimmed(const struct fw_json *object, const char *member)
{
	return fw_str_trim(fw_json_text(object, member));
}

/* Where the event says that the visitor came from. Going from page to page within the store tells nothing. */
static int read_touch(struct fw_record *r, struct happening *h)
{
	const struct fw_json *page = fw_json_get(h->e->context, "page"), *campaign = fw_json_get(h->e->context, "campaign");
	struct fw_str address = fw_json_text(page, "url").n ? fw_json_text(page, "url") : fw_json_text(page, "path");
	struct fw_url url;
	struct fw_facts f;
	if ((h->e->type != FW_EVENT_PAGE && h->e->type != FW_EVENT_SCREEN && h->e->type != FW_EVENT_TRACK) || (!page && !campaign))
		return 0;
	const struct fw_source_input input = {
		.page = fw_url_parse(address, &url) ? &url : NULL,
		.referrer = fw_json_text(page, "referrer"),
		.page_told = fw_json_get(page, "url") || fw_json_get(page, "path") || fw_json_get(page, "referrer"),
		.source = trimmed(campaign, "source"), .medium = trimmed(campaign, "medium"), .campaign = trimmed(campaign, "name"),
		.term = trimmed(campaign, "term"), .content = trimmed(campaign, "content"),
		.own_hosts = h->o->own_hosts, .n_own_hosts = h->o->n_own_hosts,
	};
	fw_facts_init(&f, r->arena, true);
	if (fw_source_fill(&f, &input) < 0)
		return FW_ENOMEM;
	uint32_t channel = channel_number(&f.single[FW_FACT_SOURCE]);
	if (channel == 0)
		return 0;
	h->touch = (struct touch){ h->at_ms, channel, known_text(&f, FW_FACT_MEDIUM), known_text(&f, FW_FACT_CAMPAIGN) };
	if (h->touch.medium.n > FW_LIMIT_KEY_BYTES)
		h->touch.medium.n = 0;
	if (h->touch.campaign.n > FW_LIMIT_KEY_BYTES)
		h->touch.campaign.n = 0;
	h->campaign = campaign_hash(&f);
	return 0;
}

/* The first is the earliest; the last is the latest that is more than a direct visit, if there is one. */
int fw_apply_touches(struct fw_record *r, const struct happening *h)
{
	const struct touch *t = &h->touch, *last = &r->last_touch;
	if (t->at_ms == 0)
		return 0;
	if (r->first_touch.at_ms == 0 || t->at_ms < r->first_touch.at_ms)
		r->first_touch = *t;
	bool direct = t->channel == 1, last_direct = last->channel == 1;
	if (last->at_ms == 0 || (direct == last_direct ? t->at_ms > last->at_ms : last_direct))
		r->last_touch = *t;
	return 0;
}

static uint32_t read_object(struct fw_record *r, const struct happening *h)
{
	char number[32];
	if (h->e->type == FW_EVENT_PAGE || h->e->type == FW_EVENT_SCREEN) {
		struct fw_str path = fw_json_text(h->e->properties, "path");
		return h->e->name.n ? 0 : fw_record_text(r, path.n ? path : fw_json_text(fw_json_get(h->e->context, "page"), "path"));
	}
	if (!h->b || !h->b->object)
		return 0;
	if (strcmp(h->b->object, "product_id") == 0) {
		struct product product;
		fw_read_product(r, h->e->properties, true, &product);
		return product.labels[FW_KEY_PRODUCT - 1];
	}
	const struct fw_json *v = fw_json_get(h->e->properties, h->b->object);
	if (v && v->type == FW_JSON_NUMBER)
		return fw_record_text(r, (struct fw_str){ number, fw_number_text(v->number, number) });
	return h->b->did == FW_DID_SEARCH ? fw_record_text_folded(r, fw_str_trim(fw_json_text(h->e->properties, "query")))
		: fw_record_text(r, v && v->type == FW_JSON_STRING ? v->string : (struct fw_str){ 0 });
}

int fw_apply_recent(struct fw_record *r, const struct happening *h)
{
	struct recent new = { .at_s = h->at_ms / 1000, .type = h->e->type };
	if (r->recent.n >= FW_LIMIT_RECENT_EVENTS && new.at_s < r->recent.items[0].at_s)
		return 0;
	new.known = h->b ? fw_behaviour_number(fw_str(h->b->name)) : 0;
	if (!new.known)
		new.name = fw_record_text(r, h->e->name);
	new.object = read_object(r, h);
	if (!FW_LIST_ROOM(r, r->recent))
		return FW_ENOMEM;
	uint32_t i = r->recent.n;
	while (i > 0 && r->recent.items[i - 1].at_s > new.at_s)
		i--;
	FW_LIST_OPEN(r->recent, i);
	r->recent.items[i] = new;
	if (r->recent.n > FW_LIMIT_RECENT_EVENTS)
		FW_LIST_TAKE(r->recent, 0);
	return 0;
}

double fw_engagement_share(const struct engagement *e)
{
	return e->sent > 0 ? e->engaged / e->sent : -1;
}

void fw_engagement_decay(struct engagement *e, int64_t at_ms)
{
	double kept = exp2(-(double)(at_ms - e->at_ms) / (ENGAGEMENT_DAYS * 86400e3));
	e->sent *= kept;
	e->engaged *= kept;
	e->at_ms = at_ms;
}

/* Both sums decay lazily, to the latest message or engagement; what comes late is added as it would have decayed. */
int fw_apply_engagement(struct fw_record *r, const struct happening *h)
{
	const double day_ms = 86400e3;
	struct engagement *e = NULL;
	const struct fw_json *machine = fw_json_get(h->e->properties, "machine_open");
	if (h->b->message == FW_MESSAGE_SAME || (machine && machine->type == FW_JSON_BOOL && machine->boolean))
		return 0;
	for (uint32_t i = 0; i < r->engagements.n && !e; i++)
		if (fw_str_is(r->engagements.items[i].channel, h->b->channel))
			e = &r->engagements.items[i];
	if (!e) {
		if (!FW_LIST_ROOM(r, r->engagements))
			return FW_ENOMEM;
		e = &r->engagements.items[r->engagements.n++];
		*e = (struct engagement){ .channel = fw_str(h->b->channel), .at_ms = h->at_ms };
	}
	double weight = 1;
	if (h->at_ms > e->at_ms) {
		fw_engagement_decay(e, h->at_ms);
	} else {
		weight = exp2(-(double)(e->at_ms - h->at_ms) / (ENGAGEMENT_DAYS * day_ms));
	}
	if (h->b->message == FW_MESSAGE_SENT)
		e->sent += weight;
	else
		e->engaged += weight;
	return 0;
}

/* What the store needs to serve the visitor at all. */
static int apply_necessary(struct fw_record *r, const struct happening *h, struct fw_effects *ret, bool *ret_bought)
{
	bool visits = h->e->type == FW_EVENT_PAGE || h->e->type == FW_EVENT_SCREEN ||
		(h->e->type == FW_EVENT_TRACK && !(h->b && h->b->away));
	int code = 0;
	if (h->e->type == FW_EVENT_IDENTIFY)
		code = fw_apply_traits(r, h);
	else if (h->e->type == FW_EVENT_GROUP)
		code = fw_apply_group(r, h);
	if (code == 0 && visits)
		code = fw_apply_session(r, h, &ret->new_session);
	if (code < 0 || !h->b)
		return code;
	if (h->b->order != FW_ORDER_SAME)
		code = fw_apply_order(r, h, ret_bought);
	if (code == 0 && h->b->cart != FW_CART_SAME)
		code = fw_apply_cart(r, h);
	if (code == 0 && h->b->ask != FW_ASK_SAME)
		code = fw_apply_ask(r, h, &ret->asked);
	if (code == 0 && strcmp(h->b->name, "Promotion Viewed") == 0)
		ret->confirmed = fw_confirm_reservations(r, h);
	return code;
}

static int apply_behaviour(struct fw_record *r, const struct happening *h, bool bought)
{
	int code = fw_apply_touches(r, h);
	if (code == 0 && h->b && (h->b->did != FW_DID_BUY || bought))
		code = fw_apply_series(r, h);
	if (code == 0 && h->b)
		code = fw_apply_engagement(r, h);
	return code < 0 ? code : fw_apply_recent(r, h);
}

int fw_profile_apply(struct fw_record *r, const struct fw_event *e, const struct fw_profile_options *o, struct fw_effects *ret)
{
	struct happening h = { .e = e, .o = o, .at_ms = e->at_us / 1000 };
	struct fw_effects effects = { 0 };
	bool bought = false;
	if (h.at_ms < 1)
		h.at_ms = 1; /* 0 says never */
	if (e->type == FW_EVENT_TRACK)
		h.b = fw_behaviour_find(e->name);
	if (r->last_ms == 0 || h.at_ms / 1000 < r->first_s)
		r->first_s = h.at_ms / 1000;
	if (h.at_ms > r->last_ms)
		r->last_ms = h.at_ms;
	int code = fw_apply_consent(r, &h);
	if (code < 0 || e->only_consent)
		return code;
	h.behaviour = fw_consent_keeps(r, &h);
	if (h.behaviour)
		code = read_touch(r, &h);
	if (code == 0)
		code = apply_necessary(r, &h, &effects, &bought);
	if (code == 0 && h.behaviour)
		code = apply_behaviour(r, &h, bought);
	if (code == 0 && ret)
		*ret = effects;
	return code;
}

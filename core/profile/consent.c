/* What a person lets be done: as it is now, and how it came about. What was told later holds, whenever it is heard of; of two
 * answers at one moment the stricter. */
#include "profile/layout.h"

#include "signal/consent.h"

static struct fw_consent_said *say(struct fw_arena *a, struct fw_consent_said *s, struct fw_str what, bool granted)
{
	char *folded = fw_arena_strndup(a, what.p, what.n);
	if (!folded)
		return NULL;
	fw_fold(what, folded);
	*s = (struct fw_consent_said){ { folded, what.n }, granted ? FW_CONSENT_GRANTED : FW_CONSENT_DENIED };
	return s + 1;
}

static bool has_said(const struct fw_consent_said *said, size_t n, struct fw_str what)
{
	for (size_t i = 0; i < n; i++)
		if (fw_str_equal_fold(said[i].what, what))
			return true;
	return false;
}

/* Nothing is granted: not what the store has a default of, nor what the product itself asks for. */
static struct fw_consent_said *deny_all(struct fw_arena *a, const struct fw_consent_config *config, struct fw_consent_said *said,
	struct fw_consent_said *end)
{
	static const struct fw_str own[] = { FW_STR_ENTRY(FW_CONSENT_ANALYTICS), FW_STR_ENTRY(FW_CONSENT_PERSONALIZATION) };
	for (size_t i = 0; end && i < sizeof own / sizeof *own; i++)
		end = say(a, end, own[i], false);
	for (size_t i = 0; config && i < config->n; i++)
		for (size_t k = 0; end && k < config->defaults[i].n; k++) {
			struct fw_str purpose = config->defaults[i].purposes[k].purpose;
			if (!has_said(said, (size_t)(end - said), purpose))
				end = say(a, end, purpose, false);
		}
	return end;
}

static size_t count_defaults(const struct fw_consent_config *config)
{
	size_t n = 0;
	for (size_t i = 0; config && i < config->n; i++)
		n += config->defaults[i].n;
	return n;
}

int fw_event_read_consent(struct fw_arena *a, const struct fw_consent_config *config, bool channels, struct fw_event *e)
{
	enum { OWN = 2 };
	struct fw_consent_told told;
	if (fw_consent_read(a, e->context, &told) < 0)
		return FW_ENOMEM;
	if (!told.categories)
		return 0;
	bool nothing = told.categories->count == 0, asked = fw_str_is(e->name, "Segment Consent Preference Updated");
	struct fw_consent_change *change = FW_NEW(a, struct fw_consent_change);
	struct fw_consent_said *said = FW_NEW_ARRAY(a, told.categories->count + OWN + count_defaults(config), struct fw_consent_said);
	struct fw_consent_said *end = said;
	if (!change || !said)
		return FW_ENOMEM;
	for (const struct fw_json *c = told.categories->child; end && c; c = c->next)
		if (c->type == FW_JSON_BOOL && c->key.n && c->key.n <= FW_LIMIT_CONSENT_NAME_BYTES &&
				(channels || !fw_consent_is_channel(c->key)))
			end = say(a, end, c->key, c->boolean);
	if (nothing)
		end = deny_all(a, config, said, end);
	if (!end)
		return FW_ENOMEM;
	*change = (struct fw_consent_change){ .said = said, .n = (unsigned)(end - said), .categories = true, .nothing = nothing,
		.source = told.tcf ? FW_STR("tcf") : asked ? FW_STR("preferences") : FW_STR("event") };
	e->consent = change;
	return 0;
}

struct consent *fw_consent_find(const struct fw_record *r, struct fw_str what)
{
	for (uint32_t i = 0; i < r->consents.n; i++)
		if (fw_str_equal(r->consents.items[i].what, what))
			return &r->consents.items[i];
	return NULL;
}

bool fw_consent_refuses(const struct fw_record *r)
{
	const struct consent *c = fw_consent_find(r, FW_STR(FW_CONSENT_ANALYTICS));
#ifdef FW_BREAK_CONSENT
	return false;
#endif
	return c && c->state != FW_CONSENT_GRANTED;
}

/* Where there are too many, those that the product knows push out the others, those told longest ago first. */
static bool make_room(struct fw_record *r, struct fw_str what)
{
	uint32_t oldest = UINT32_MAX;
	if (r->consents.n < FW_LIMIT_CONSENTS)
		return true;
	for (uint32_t i = 0; fw_consent_is_known(what) && i < r->consents.n; i++)
		if (!fw_consent_is_known(r->consents.items[i].what) &&
				(oldest == UINT32_MAX || r->consents.items[i].at_ms < r->consents.items[oldest].at_ms))
			oldest = i;
	if (oldest == UINT32_MAX)
		return false;
	FW_LIST_TAKE(r->consents, oldest);
	return true;
}

/* A place for what was never told of before, in the order of names. NULL: out of memory. */
static struct consent *add(struct fw_record *r, struct fw_str what)
{
	uint32_t i = 0;
	if (!FW_LIST_ROOM(r, r->consents) || !fw_record_own(r, &what))
		return NULL;
	while (i < r->consents.n && fw_str_compare(r->consents.items[i].what, what) < 0)
		i++;
	FW_LIST_OPEN(r->consents, i);
	r->consents.items[i] = (struct consent){ .what = what, .at_ms = -1 };
	return &r->consents.items[i];
}

static bool is_superseded(const struct fw_record *r, uint32_t at)
{
	for (uint32_t i = at + 1; i < r->consent_log.n; i++)
		if (fw_str_equal(r->consent_log.items[i].what, r->consent_log.items[at].what))
			return true;
	return false;
}

/* The oldest that was superseded, else the oldest. */
static void drop_entry(struct fw_record *r)
{
	uint32_t i = 0;
	while (i < r->consent_log.n && !is_superseded(r, i))
		i++;
	FW_LIST_TAKE(r->consent_log, i < r->consent_log.n ? i : 0);
}

static size_t count_log_bytes(const struct fw_record *r)
{
	size_t bytes = 0;
	for (uint32_t i = 0; i < r->consent_log.n; i++)
		bytes += r->consent_log.items[i].what.n + r->consent_log.items[i].source.n + r->consent_log.items[i].text.n;
	return bytes;
}

static bool is_log_too_large(const struct fw_record *r)
{
	return r->consent_log.n > FW_LIMIT_CONSENT_LOG || count_log_bytes(r) > FW_LIMIT_CONSENT_LOG_BYTES;
}

void fw_consent_bound_log(struct fw_record *r)
{
	while (is_log_too_large(r))
		drop_entry(r);
}

void fw_consent_forget_superseded(struct fw_record *r)
{
	for (uint32_t i = r->consent_log.n; i-- > 0; )
		if (is_superseded(r, i))
			FW_LIST_TAKE(r->consent_log, i);
}

void fw_consent_forget_oldest(struct fw_record *r, size_t most_bytes)
{
	while (count_log_bytes(r) > most_bytes)
		FW_LIST_TAKE(r->consent_log, 0);
}

/* The last entry of something at that time; NULL: none is known. */
static const struct consent_entry *entry_at(const struct fw_record *r, struct fw_str what, int64_t at_ms)
{
	for (uint32_t i = r->consent_log.n; i-- > 0; )
		if (r->consent_log.items[i].at_ms <= at_ms && fw_str_equal(r->consent_log.items[i].what, what))
			return &r->consent_log.items[i];
	return NULL;
}

/* The same told once more (a page tells it with every event) is no entry, unless it is of other words. */
static int write_log(struct fw_record *r, const struct fw_consent_said *s, const struct fw_consent_change *change, int64_t at_ms)
{
	const struct consent_entry *before = entry_at(r, s->what, at_ms);
	struct consent_entry new = { s->what, s->state, at_ms, change->source, change->text };
	if (before && before->state == s->state && (change->text.n == 0 || fw_str_equal(before->text, change->text)))
		return 0;
	if (!FW_LIST_ROOM(r, r->consent_log) || !fw_record_own(r, &new.what) || !fw_record_own(r, &new.source) ||
			!fw_record_own(r, &new.text))
		return FW_ENOMEM;
	uint32_t i = r->consent_log.n;
	while (i > 0 && r->consent_log.items[i - 1].at_ms > at_ms)
		i--;
	FW_LIST_OPEN(r->consent_log, i);
	r->consent_log.items[i] = new;
	fw_consent_bound_log(r);
	return 0;
}

static int tell(struct fw_record *r, const struct fw_consent_said *s, const struct fw_consent_change *change, int64_t at_ms)
{
	struct consent *c = fw_consent_find(r, s->what);
	if (!c && !make_room(r, s->what))
		return 0;
	if (!c && !(c = add(r, s->what)))
		return FW_ENOMEM;
	bool holds = at_ms > c->at_ms || (at_ms == c->at_ms && s->state > c->state);
	if (holds) {
		c->state = s->state;
		c->at_ms = at_ms;
	}
	if (holds && s->state != FW_CONSENT_GRANTED && fw_str_is(s->what, FW_CONSENT_ANALYTICS))
		fw_record_forget_behaviour(r);
	return write_log(r, s, change, at_ms);
}

int fw_apply_consent(struct fw_record *r, const struct happening *h)
{
	const struct fw_consent_change *change = h->e->consent;
	int code = 0;
	for (unsigned i = 0; change && i < change->n && code == 0; i++)
		code = tell(r, &change->said[i], change, h->at_ms);
	for (uint32_t i = 0; change && change->nothing && i < r->consents.n && code == 0; i++) {
		const struct fw_consent_said denied = { r->consents.items[i].what, FW_CONSENT_DENIED };
		if (r->consents.items[i].state == FW_CONSENT_GRANTED && !fw_consent_is_channel(denied.what))
			code = tell(r, &denied, change, h->at_ms);
	}
	return code;
}

static bool grants(const struct fw_consent_change *change, struct fw_str what)
{
	for (unsigned i = 0; i < change->n; i++)
		if (fw_str_equal(change->said[i].what, what))
			return change->said[i].state == FW_CONSENT_GRANTED;
	return false;
}

/* Whether it was granted at that time and ever since: what was told no since then dropped what there was. */
static bool is_granted_since(const struct fw_record *r, struct fw_str what, int64_t at_ms, bool before_all)
{
	for (uint32_t i = r->consent_log.n; i-- > 0; ) {
		const struct consent_entry *e = &r->consent_log.items[i];
		if (!fw_str_equal(e->what, what))
			continue;
		if (e->state != FW_CONSENT_GRANTED)
			return false;
		if (e->at_ms <= at_ms)
			return true;
	}
	return before_all;
}

/* Whether what happened may be kept as behaviour. */
bool fw_consent_keeps(const struct fw_record *r, const struct happening *h)
{
	struct fw_str analytics = FW_STR(FW_CONSENT_ANALYTICS);
	const struct consent *now = fw_consent_find(r, analytics);
	if (h->e->consent && h->e->consent->categories && !grants(h->e->consent, analytics))
		return false;
	if (!now)
		return h->o->behaviour;
	bool kept = now->state == FW_CONSENT_GRANTED && is_granted_since(r, analytics, h->at_ms, now->at_ms <= h->at_ms || h->o->behaviour);
#ifdef FW_BREAK_CONSENT /* what was said before counts for nothing */
	kept = h->o->behaviour;
#endif
	return kept;
}

int fw_profile_granted(struct fw_arena *a, struct fw_str bytes, struct fw_json_out *out)
{
	struct parts parts = { 0 };
	struct fw_record r = { .arena = a };
	int code = bytes.n ? fw_parts_read(a, bytes, &parts, NULL) : 0;
	r.last_ms = parts.last_ms;
	if (code == 0 && parts.of[PART_CONSENT].n && !fw_consents_read(&r, parts.of[PART_CONSENT]))
		code = FW_EINVAL;
	if (code < 0)
		return code;
	fw_json_open_array(out);
	for (uint32_t i = 0; i < r.consents.n; i++)
		if (r.consents.items[i].state == FW_CONSENT_GRANTED)
			fw_json_string(out, r.consents.items[i].what);
	fw_json_close_array(out);
	return 0;
}

#include "profile/layout.h"

#include "signal/consent.h"

enum { DAY_MS = 86400000 };

static bool is_absent(const struct fw_facts *f, enum fw_fact fact)
{
	return f->single[fact].state == FW_ABSENT;
}

static void put_number(struct fw_facts *f, enum fw_fact fact, double x)
{
	if (is_absent(f, fact))
		fw_facts_number(f, fact, x);
}

static int put_text(struct fw_facts *f, enum fw_fact fact, struct fw_str text)
{
	return is_absent(f, fact) ? fw_facts_text(f, fact, text) : 0;
}

static void put_days_since(struct fw_facts *f, enum fw_fact fact, int64_t at_ms, int64_t now_ms)
{
	if (at_ms)
		put_number(f, fact, now_ms > at_ms ? (double)((now_ms - at_ms) / DAY_MS) : 0);
}

/* The visit at hand, unless it ended by being idle; and the one before it. */
static int fill_visits(struct fw_facts *f, const struct fw_record *r, int64_t now_ms)
{
	const struct session *last = r->sessions.n ? &r->sessions.items[r->sessions.n - 1] : NULL;
	bool at_hand = last && now_ms - last->last_s * 1000 <= FW_LIMIT_SESSION_IDLE_MS;
	const struct session *before = !at_hand ? last : r->sessions.n > 1 ? last - 1 : NULL;
	uint64_t visits = r->lifetime.visits + r->sessions.n;
	put_number(f, FW_FACT_PAGES_THIS_VISIT, at_hand ? last->pages : 0);
	if (!f->behaviour_in_reach)
		return 0;
	put_number(f, FW_FACT_VISITS, (double)visits);
	if (is_absent(f, FW_FACT_NEW_VISITOR))
		fw_facts_bool(f, FW_FACT_NEW_VISITOR, visits == 0 || (visits == 1 && at_hand));
	put_days_since(f, FW_FACT_DAYS_SINCE_VISIT, before ? before->last_s * 1000 : 0, now_ms);
	const struct touch *t = &r->session_touch;
	if (!at_hand || t->at_ms / 1000 < last->start_s)
		return 0;
	const char *const *channels = fw_fact_info(FW_FACT_SOURCE)->values;
	if (t->channel == 0 || put_text(f, FW_FACT_SOURCE, fw_str(channels[t->channel - 1])) < 0)
		return t->channel == 0 ? 0 : FW_ENOMEM;
	if (put_text(f, FW_FACT_MEDIUM, t->medium) < 0 || put_text(f, FW_FACT_CAMPAIGN, t->campaign) < 0)
		return FW_ENOMEM;
	return 0;
}

/* The different texts that lines have by one label. */
static int fill_contains(struct fw_facts *f, struct fw_history *h, const struct cart_now *now, enum fw_key_kind kind)
{
	enum fw_fact fact = (enum fw_fact)(FW_FACT_CART_CATEGORY + (kind - FW_KEY_CATEGORY));
	if (!is_absent(f, fact))
		return 0;
	struct fw_value *items = FW_NEW_ARRAY(f->arena, now->n, struct fw_value);
	unsigned n = 0;
	if (!items)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < now->n; i++) {
		uint32_t text = now->lines[i].labels[kind - 1];
		bool told = text == 0;
		for (uint32_t k = 0; k < i && !told; k++)
			told = now->lines[k].labels[kind - 1] == text;
		if (told)
			continue;
		struct fw_str label = fw_history_text(h, text, f->arena); /* folded already */
		if (!label.p)
			return FW_EINVAL;
		items[n++] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = label, .folded = label };
	}
	f->single[fact] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
	return 0;
}

static int fill_cart(struct fw_facts *f, const struct fw_record *r, int64_t now_ms)
{
	struct cart_now now;
	fw_cart_replay(&r->cart, &now);
	put_number(f, FW_FACT_CART_ITEMS, (double)now.items);
	put_number(f, FW_FACT_CART_TOTAL, (double)now.total / 1000);
	if (now.items)
		put_number(f, FW_FACT_CART_AGE, now_ms > now.since_ms ? (double)((now_ms - now.since_ms) / 1000) : 0);
	int ret = fill_contains(f, f->history, &now, FW_KEY_CATEGORY);
	if (ret == 0)
		ret = fill_contains(f, f->history, &now, FW_KEY_PRODUCT);
	return ret < 0 ? ret : fill_contains(f, f->history, &now, FW_KEY_BRAND);
}

static void fill_orders(struct fw_facts *f, const struct fw_record *r, int64_t now_ms)
{
	struct order_sums sums;
	fw_orders_sum(r, &sums);
	put_number(f, FW_FACT_ORDERS, (double)sums.orders);
	put_number(f, FW_FACT_REVENUE, (double)sums.revenue / 1000);
	if (sums.priced)
		put_number(f, FW_FACT_AVERAGE_ORDER, (double)sums.revenue / 1000 / (double)sums.priced);
	put_days_since(f, FW_FACT_DAYS_SINCE_ORDER, sums.last_ms, now_ms);
}

static bool has_member(const struct fw_member *members, unsigned n, struct fw_str name)
{
	for (unsigned i = 0; i < n; i++)
		if (fw_str_equal(members[i].name, name))
			return true;
	return false;
}

/* What the request tells of a person outranks what was told before; claims come last. */
static int fill_traits(struct fw_facts *f, const struct fw_record *r)
{
	unsigned n = f->n_traits, n_proven = 0;
	if (r->traits.n == 0)
		return 0;
	struct fw_member *all = FW_NEW_ARRAY(f->arena, n + r->traits.n, struct fw_member);
	if (!all)
		return FW_ENOMEM;
	if (n)
		memcpy(all, f->traits, n * sizeof *all);
	for (int claimed = 0; claimed <= 1; claimed++) {
		n_proven = n;
		for (uint32_t i = 0; i < r->traits.n; i++) {
			const struct trait *t = &r->traits.items[i];
			if (t->claimed != claimed || has_member(f->traits, f->n_traits, t->name))
				continue;
			int ret = fw_trait_unpack(t->packed, f->arena, &all[n].value);
			if (ret < 0)
				return ret;
			all[n].name = t->name;
			n += all[n].value.state == FW_KNOWN;
		}
	}
	f->traits = all;
	f->n_traits = n;
	f->n_claimed = n - n_proven;
	return 0;
}

static int fill_engagement(struct fw_facts *f, const struct fw_record *r)
{
	unsigned n = f->n_engagement;
	if (r->engagements.n == 0)
		return 0;
	struct fw_member *all = FW_NEW_ARRAY(f->arena, n + r->engagements.n, struct fw_member);
	if (!all)
		return FW_ENOMEM;
	if (n)
		memcpy(all, f->engagement, n * sizeof *all);
	for (uint32_t i = 0; i < r->engagements.n; i++) {
		const struct engagement *e = &r->engagements.items[i];
		double share = fw_engagement_share(e);
		if (share >= 0 && !has_member(f->engagement, f->n_engagement, e->channel))
			all[n++] = (struct fw_member){ e->channel, { .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = share } };
	}
	f->engagement = all;
	f->n_engagement = n;
	return 0;
}

/* Places under caps: those that were confirmed or may still be. */
static int fill_caps(struct fw_facts *f, const struct fw_record *r, int64_t now_ms)
{
	unsigned n = 0, size = 0;
	f->caps_in_reach = true;
	for (uint32_t i = 0; i < r->caps.n; i++)
		size += r->caps.items[i].uses.n;
	if (size == 0)
		return 0;
	struct fw_cap_use *uses = FW_NEW_ARRAY(f->arena, size, struct fw_cap_use);
	if (!uses)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < r->caps.n; i++)
		for (uint32_t k = 0; k < r->caps.items[i].uses.n; k++) {
			const struct cap_use *u = &r->caps.items[i].uses.items[k];
			if (u->rule == 0 || now_ms - u->at_ms <= FW_LIMIT_RESERVATION_MS)
				uses[n++] = (struct fw_cap_use){ .cap = r->caps.items[i].cap, .at_us = u->at_ms * 1000,
					.rule = u->rule, .pending = u->rule != 0 };
		}
	f->cap_uses = uses;
	f->n_cap_uses = n;
	return 0;
}

/* Whether an item of the fact's set, as the request or the place made it, still counts beside what the person said. */
static bool still_counts(const struct fw_facts *f, const struct fw_record *r, const struct fw_value *item)
{
	return f->consent_basis == FW_CONSENT_BASIS_TOLD || !fw_consent_find(r, item->folded);
}

static bool adds(const struct fw_facts *f, const struct consent *c)
{
	if (c->state != FW_CONSENT_GRANTED)
		return false;
	if (fw_consent_is_channel(c->what))
		return true;
	return f->consent_basis != FW_CONSENT_BASIS_TOLD && !(f->objects && fw_consent_is_objected(c->what));
}

/* What the request tells, else what the person said, else the defaults of the place: each purpose for itself, except that a request
 * tells all of them. Channels are the person's alone. */
static int fill_consent(struct fw_facts *f, const struct fw_record *r)
{
	struct fw_value *v = &f->single[FW_FACT_CONSENT], *items;
	bool given = f->consent_basis == FW_CONSENT_BASIS_GIVEN;
	unsigned n = 0;
	if (given ? v->state != FW_ABSENT || r->consents.n == 0 : r->consents.n == 0 && v->state == FW_KNOWN)
		return 0;
	if (!(items = FW_NEW_ARRAY(f->arena, v->n_items + r->consents.n, struct fw_value)))
		return FW_ENOMEM;
	for (unsigned i = 0; i < v->n_items; i++)
		if (still_counts(f, r, &v->items[i]))
			items[n++] = v->items[i];
	for (uint32_t i = 0; i < r->consents.n; i++) {
		struct fw_str what = r->consents.items[i].what; /* folded already */
		if (adds(f, &r->consents.items[i]))
			items[n++] = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT, .text = what, .folded = what };
	}
	*v = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_SET, .items = items, .n_items = n };
	return 0;
}

/* Where nobody says anything of it behaviour is kept, and read. */
static bool is_behaviour_readable(const struct fw_facts *f, const struct fw_record *r)
{
	const struct consent *said = fw_consent_find(r, FW_STR(FW_CONSENT_ANALYTICS));
	const struct fw_value *v = &f->single[FW_FACT_CONSENT];
	if (said && f->consent_basis != FW_CONSENT_BASIS_TOLD)
		return said->state == FW_CONSENT_GRANTED;
	if (f->consent_basis < FW_CONSENT_BASIS_PLACE)
		return true;
	for (unsigned i = 0; i < v->n_items; i++)
		if (fw_str_is(v->items[i].folded, FW_CONSENT_ANALYTICS))
			return true;
	return false;
}

/* The parts that facts come from at once; counts wait to be asked. */
static bool read_parts(struct fw_record *r, const struct parts *p, bool behaviour)
{
	static const enum part needed[] = { PART_SESSION, PART_CART, PART_ORDERS, PART_CAPS, PART_TRAITS,
		PART_VISITS, PART_LIFETIME, PART_ENGAGEMENT }; /* the last three are behaviour */
	size_t n = sizeof needed / sizeof *needed - (behaviour ? 0 : 3);
	for (size_t i = 0; i < n; i++)
		if (p->of[needed[i]].n && !fw_part_read(r, needed[i], p->of[needed[i]]))
			return false;
	return true;
}

/* Nothing is read of who may not be used: nor whether he said no to what the place allows. */
static void restrict_facts(struct fw_facts *f)
{
	fw_facts_lose_profile(f);
	f->restricted = true;
	if (f->consent_basis != FW_CONSENT_BASIS_TOLD)
		f->single[FW_FACT_CONSENT] = (struct fw_value){ .state = FW_OUT_OF_REACH };
}

static int fill(struct fw_str bytes, int64_t now_us, bool use, struct fw_facts *f)
{
	struct parts parts = { 0 };
	struct fw_record r = { .arena = f->arena };
	struct fw_history *h = FW_NEW(f->arena, struct fw_history);
	int64_t now_ms = now_us / 1000;
	if (!h)
		return FW_ENOMEM;
	int ret = bytes.n ? fw_parts_read(f->arena, bytes, &parts, NULL) : 0;
	if (ret < 0)
		return ret;
	r.version = parts.version;
	r.last_ms = parts.last_ms;
	if (parts.of[PART_CONSENT].n && !fw_consents_read(&r, parts.of[PART_CONSENT]))
		return FW_EINVAL;
	bool restricted = r.restricted && use;
#ifdef FW_BREAK_RESTRICTION
	restricted = false;
#endif
	if (restricted) {
		restrict_facts(f);
		return 0;
	}
	if (fill_consent(f, &r) < 0)
		return FW_ENOMEM;
	if (!is_behaviour_readable(f, &r))
		fw_facts_lose_behaviour(f);
	if (!read_parts(&r, &parts, f->behaviour_in_reach))
		return FW_EINVAL;
	*h = (struct fw_history){ .arena = f->arena, .packed_texts = parts.of[PART_TEXTS], .packed_series = parts.of[PART_SERIES],
		.now_us = now_us };
	f->history = h;
	if (f->key.n == 0)
		f->key = parts.first_id;
	ret = fill_visits(f, &r, now_ms);
	if (ret == 0)
		ret = fill_cart(f, &r, now_ms);
	fill_orders(f, &r, now_ms);
	if (ret == 0)
		ret = fill_traits(f, &r);
	if (ret == 0)
		ret = fill_engagement(f, &r);
	return ret < 0 ? ret : fill_caps(f, &r, now_ms);
}

int fw_profile_fill_at(struct fw_str bytes, int64_t now_us, struct fw_facts *f)
{
	return fill(bytes, now_us, true, f);
}

int fw_profile_fill(struct fw_str bytes, struct fw_facts *f)
{
	return fill(bytes, f->now_us, true, f);
}

int fw_profile_fill_shown(struct fw_str bytes, struct fw_facts *f)
{
	return fill(bytes, f->now_us, false, f);
}

/* Into a record that has nothing else. False: the bytes cannot be read. */
static bool read_ids(struct fw_arena *a, struct fw_str bytes, struct fw_record *ret)
{
	struct parts parts = { 0 };
	if (fw_parts_read(a, bytes, &parts, NULL) < 0)
		return false;
	*ret = (struct fw_record){ .arena = a, .version = parts.version, .first_id = parts.first_id };
	return fw_part_read(ret, PART_IDS, parts.of[PART_IDS]);
}

int fw_profile_has_id(struct fw_arena *a, struct fw_str bytes, enum fw_id_kind kind, struct fw_str text)
{
	struct fw_record r;
	return read_ids(a, bytes, &r) ? fw_record_has_id(&r, kind, text) : FW_EINVAL;
}

struct fw_whose fw_profile_whose(struct fw_arena *a, struct fw_str bytes, struct fw_str anonymous_id, struct fw_str user)
{
	static const struct fw_whose nobody;
	struct fw_whose w = { .is_open = true };
	struct fw_record r;
	if (!bytes.n)
		return w;
	if (!read_ids(a, bytes, &r))
		return nobody;
	for (uint32_t i = 0; i < r.ids.n; i++) {
		const struct fw_id *id = &r.ids.items[i];
		w.has_user |= id->kind == FW_ID_USER;
		w.is_user |= id->kind == FW_ID_USER && user.n && fw_str_equal(id->text, user);
		w.is_shared |= id->kind == FW_ID_ANONYMOUS && id->shared && anonymous_id.n && fw_str_equal(id->text, anonymous_id);
		w.is_open &= id->kind == FW_ID_ANONYMOUS;
	}
	w.is_open |= w.is_user;
	return w;
}

#include "signal/consent.h"

#include "fact/truth.h"
#include "signal/tcf.h"

static const char *const channels[] = { "email", "sms", "push" };

bool fw_consent_is_channel(struct fw_str what)
{
	const char *colon = what.n ? memchr(what.p, ':', what.n) : NULL;
	if (colon)
		what.n = (size_t)(colon - what.p);
	for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
		if (fw_str_equal_fold(what, fw_str(channels[i])))
			return true;
	return false;
}

bool fw_consent_is_objected(struct fw_str what)
{
	return fw_str_equal_fold(what, FW_STR(FW_CONSENT_SALE)) || fw_str_equal_fold(what, FW_STR(FW_CONSENT_PERSONALIZATION));
}

bool fw_consent_is_known(struct fw_str what)
{
	return fw_str_equal_fold(what, FW_STR(FW_CONSENT_ANALYTICS)) || fw_consent_is_objected(what) ||
		(fw_consent_is_channel(what) && !memchr(what.p, ':', what.n));
}

enum { TCF_PURPOSES = 3 };

/* Purposes of ours as categories; those of a string that cannot be read are no booleans. */
static void read_tcf(struct fw_str text, struct fw_json members[TCF_PURPOSES])
{
	struct fw_tcf tcf;
	bool reads = fw_tcf_parse(text, &tcf, NULL) == 0;
	const struct fw_tcf_purposes p = reads ? fw_tcf_purposes(&tcf) : (struct fw_tcf_purposes){ 0 };
	const struct {
		struct fw_str name;
		bool granted;
	} purposes[TCF_PURPOSES] = { { FW_STR_ENTRY(FW_CONSENT_ANALYTICS), p.analytics },
		{ FW_STR_ENTRY(FW_CONSENT_PERSONALIZATION), p.personalization }, { FW_STR_ENTRY("advertising"), p.advertising } };
	for (size_t i = 0; i < TCF_PURPOSES; i++)
		members[i] = (struct fw_json){ .type = reads ? FW_JSON_BOOL : FW_JSON_NULL, .boolean = purposes[i].granted,
			.key = purposes[i].name, .next = i + 1 < TCF_PURPOSES ? &members[i + 1] : NULL };
}

/* Where both speak of a purpose either denies it; what the string does not tell of becomes a member of `object`, at `more`. */
static void join(struct fw_json *object, struct fw_json members[TCF_PURPOSES], const struct fw_json *categories, struct fw_json *more)
{
	for (const struct fw_json *c = categories->child; c; c = c->next) {
		size_t i = 0;
		while (i < TCF_PURPOSES && !fw_str_equal_fold(members[i].key, c->key))
			i++;
		if (i == TCF_PURPOSES) {
			*more = *c;
			more->next = object->child;
			object->child = more++;
			object->count++;
		} else if (c->type == FW_JSON_BOOL && !c->boolean) {
			members[i].type = FW_JSON_BOOL;
			members[i].boolean = false;
		}
	}
}

/* An empty list is how PHP writes an empty object. */
int fw_consent_read(struct fw_arena *a, const struct fw_json *context, struct fw_consent_told *ret)
{
	const struct fw_json *consent = fw_json_get(context, "consent"), *v = fw_json_get(consent, "categoryPreferences");
	struct fw_str tcf = fw_json_text(consent, "tcf");
	bool told = v && (v->type == FW_JSON_OBJECT || (v->type == FW_JSON_ARRAY && v->count == 0));
	*ret = (struct fw_consent_told){ .categories = told ? v : NULL };
	/* Categories of which there are none deny all. */
	if (!tcf.n || (told && v->count == 0))
		return 0;
	struct fw_json *object = FW_NEW(a, struct fw_json),
		*members = FW_NEW_ARRAY(a, TCF_PURPOSES + (told ? v->count : 0), struct fw_json);
	if (!object || !members)
		return FW_ENOMEM;
	*object = (struct fw_json){ .type = FW_JSON_OBJECT, .child = members, .count = TCF_PURPOSES };
	read_tcf(tcf, members);
	if (told)
		join(object, members, v, members + TCF_PURPOSES);
	*ret = (struct fw_consent_told){ .categories = object, .tcf = !told };
	return 0;
}

static int read_purposes(struct fw_arena *a, struct fw_str place, const struct fw_json *told, struct fw_consent_defaults *ret)
{
	struct fw_consent_purpose *purposes = FW_NEW_ARRAY(a, told->count, struct fw_consent_purpose);
	if (!purposes)
		return FW_ENOMEM;
	*ret = (struct fw_consent_defaults){ .place = place, .purposes = purposes };
	for (const struct fw_json *p = told->child; p; p = p->next)
		if (p->type == FW_JSON_STRING)
			purposes[ret->n++] = (struct fw_consent_purpose){ p->key, fw_str_is(p->string, "granted") };
	return 0;
}

int fw_consent_configure(struct fw_arena *a, const struct fw_json *told, struct fw_consent_config *ret)
{
	const struct fw_json *everywhere = fw_json_get(told, "default"), *regions = fw_json_get(told, "region"),
		*gpc = fw_json_get(told, "gpc");
	struct fw_consent_defaults *defaults = FW_NEW_ARRAY(a, 1 + (regions ? regions->count : 0), struct fw_consent_defaults);
	*ret = (struct fw_consent_config){ .defaults = defaults, .ignore_gpc = gpc && gpc->type == FW_JSON_BOOL && !gpc->boolean };
	if (!defaults)
		return FW_ENOMEM;
	if (everywhere && everywhere->type == FW_JSON_OBJECT &&
			read_purposes(a, (struct fw_str){ 0 }, everywhere, &defaults[ret->n++]) < 0)
		return FW_ENOMEM;
	for (const struct fw_json *r = regions && regions->type == FW_JSON_OBJECT ? regions->child : NULL; r; r = r->next)
		if (r->type == FW_JSON_OBJECT && read_purposes(a, r->key, r, &defaults[ret->n++]) < 0)
			return FW_ENOMEM;
	return 0;
}

static struct fw_str text_of(const struct fw_facts *f, enum fw_fact fact)
{
	const struct fw_value *v = &f->single[fact];
	return v->state == FW_KNOWN ? v->text : (struct fw_str){ 0 };
}

static bool is_union(struct fw_str place)
{
	return fw_str_equal_fold(place, FW_STR("EU"));
}

/* Whether the visitor is there. */
static enum fw_truth is_there(const struct fw_facts *f, struct fw_str place)
{
	struct fw_str country = text_of(f, FW_FACT_COUNTRY), region = text_of(f, FW_FACT_REGION);
	if (place.n == 0)
		return FW_TRUE;
	if (is_union(place)) {
		const struct fw_value *in_eu = &f->single[FW_FACT_IN_EU];
		return in_eu->state != FW_KNOWN ? FW_UNKNOWN : in_eu->boolean ? FW_TRUE : FW_FALSE;
	}
	if (country.n == 0 || place.n < 2)
		return FW_UNKNOWN;
	if (!fw_str_equal_fold((struct fw_str){ place.p, 2 }, country))
		return FW_FALSE;
	if (place.n == 2)
		return FW_TRUE;
	return region.n == 0 ? FW_UNKNOWN : fw_str_equal_fold(place, region) ? FW_TRUE : FW_FALSE;
}

/* Everywhere, the Union, a country, a part of it. */
static int narrowness(struct fw_str place)
{
	return place.n == 0 ? 0 : is_union(place) ? 1 : place.n == 2 ? 2 : 3;
}

static const struct fw_consent_purpose *find(const struct fw_consent_defaults *d, struct fw_str purpose)
{
	for (size_t i = 0; i < d->n; i++)
		if (fw_str_equal_fold(d->purposes[i].purpose, purpose))
			return &d->purposes[i];
	return NULL;
}

/* From wide to narrow: a place where the visitor is decides, one where he may be can only deny. */
static bool is_granted(const struct fw_facts *f, const struct fw_consent_config *config, struct fw_str purpose)
{
	bool granted = false, denied = true;
	for (int width = 0; width <= 3; width++)
		for (size_t i = 0; i < config->n; i++) {
			const struct fw_consent_defaults *d = &config->defaults[i];
			const struct fw_consent_purpose *p = narrowness(d->place) == width ? find(d, purpose) : NULL;
			enum fw_truth there = p ? is_there(f, d->place) : FW_FALSE;
			if (there == FW_TRUE)
				granted = denied = false;
			if (there != FW_FALSE && p->granted)
				granted = true;
			if (there != FW_FALSE && !p->granted)
				denied = true;
		}
	return granted && !denied;
}

static bool is_taken_away(const struct fw_facts *f, struct fw_str purpose)
{
	return f->objects && fw_consent_is_objected(purpose);
}

static int fill_told(struct fw_facts *f, const struct fw_json *categories)
{
	struct fw_str *items = FW_NEW_ARRAY(f->arena, categories->count, struct fw_str);
	unsigned n = 0;
	if (!items)
		return FW_ENOMEM;
	for (const struct fw_json *c = categories->child; c; c = c->next)
		if (c->type == FW_JSON_BOOL && c->boolean && !fw_consent_is_channel(c->key) && !is_taken_away(f, c->key))
			items[n++] = c->key;
	f->consent_basis = FW_CONSENT_BASIS_TOLD;
	return fw_facts_set(f, FW_FACT_CONSENT, items, n);
}

static bool is_listed(const struct fw_str *items, unsigned n, struct fw_str purpose)
{
	for (unsigned i = 0; i < n; i++)
		if (fw_str_equal_fold(items[i], purpose))
			return true;
	return false;
}

static int fill_defaults(struct fw_facts *f, const struct fw_consent_config *config)
{
	size_t most = 0;
	unsigned n = 0;
	for (size_t i = 0; i < config->n; i++)
		most += config->defaults[i].n;
	struct fw_str *items = FW_NEW_ARRAY(f->arena, most, struct fw_str);
	if (!items)
		return FW_ENOMEM;
	for (size_t i = 0; i < config->n; i++)
		for (size_t j = 0; j < config->defaults[i].n; j++) {
			struct fw_str purpose = config->defaults[i].purposes[j].purpose;
			if (!is_taken_away(f, purpose) && !is_listed(items, n, purpose) && is_granted(f, config, purpose))
				items[n++] = purpose;
		}
	f->consent_basis = FW_CONSENT_BASIS_PLACE;
	return fw_facts_set(f, FW_FACT_CONSENT, items, n);
}

int fw_consent_fill(struct fw_facts *f, const struct fw_consent_config *config, const struct fw_json *categories, bool gpc)
{
	f->objects = gpc && !config->ignore_gpc;
	f->consent_basis = FW_CONSENT_BASIS_NONE;
	if (categories)
		return fill_told(f, categories);
	return config->n ? fill_defaults(f, config) : 0;
}

#include "signal/internal.h"
#include "signal/language.h"
#include "signal/source.h"
#include "signal/time.h"
#include "signal/url.h"

/* A request in hand. */
struct reading {
	struct fw_signal *s;
	const struct fw_signal_request *r;
	const struct fw_json *context;
	struct fw_facts *f;
};

/* Where the connection is, or the address that a holder of the secret names; then what he says of the place itself. */
static struct fw_place find_place(const struct reading *in)
{
	const struct fw_geo *geo = in->s->shared->geo;
	struct fw_place place = { 0 };
	struct fw_ip address;
	bool known = in->r->secret ? fw_ip_parse(fw_json_text(in->context, "ip"), &address) :
		fw_signal_client(in->s, in->r, &address);
	if (geo && known && fw_geo_find(geo, &address, &place) < 0)
		place = (struct fw_place){ 0 };
	if (in->r->secret)
		fw_place_tell(&place, fw_json_get(in->context, "location"));
	return place;
}

static int read_place_and_time(const struct reading *in)
{
	struct fw_zone_set *zones = in->s->shared->zones;
	struct fw_place place = find_place(in);
	struct fw_str client = fw_json_text(in->context, "timezone"), told = client;
	if (fw_place_fill(in->f, &place) < 0)
		return FW_ENOMEM;
	if (!fw_zone_find(zones, told))
		told = place.timezone;
	if (fw_zone_find(zones, told) && fw_facts_text(in->f, FW_FACT_TIMEZONE, told) < 0)
		return FW_ENOMEM;
	in->f->has_clock = true;
	in->f->now_us = in->r->now_us;
	return fw_time_fill(zones, fw_time_zone(zones, in->f, client, place.timezone), in->f);
}

/* The hints of the body, and those of the headers where they are of the same browser. */
static struct fw_hints find_hints(const struct reading *in, bool same)
{
	const struct fw_signal_request *r = in->r;
	struct fw_hints told, sent = { 0 };
	fw_hints_from_json(fw_json_get(in->context, "userAgentData"), &told);
	if (same)
		fw_hints_from_headers(r->sec_ch_ua, r->sec_ch_ua_mobile, r->sec_ch_ua_platform, r->sec_ch_ua_form_factors, &sent);
	if (!told.browser)
		told.browser = sent.browser;
	if (!told.os)
		told.os = sent.os;
	if (!told.form)
		told.form = sent.form;
	if (told.mobile == FW_MOBILE_UNTOLD)
		told.mobile = sent.mobile;
	return told;
}

static int read_device(const struct reading *in)
{
	struct fw_str agent = fw_json_text(in->context, "userAgent");
	bool same = agent.n == 0 || fw_str_equal(agent, in->r->user_agent);
	struct fw_hints hints = find_hints(in, same);
	const struct fw_device *d = fw_device_find(in->s->devices, in->s->shared->agents, agent.n ? agent : in->r->user_agent, &hints);
	if (fw_facts_text(in->f, FW_FACT_DEVICE, fw_str(d->form)) < 0 || fw_facts_text(in->f, FW_FACT_OS, fw_str(d->os)) < 0)
		return FW_ENOMEM;
	return fw_facts_text(in->f, FW_FACT_BROWSER, fw_str(d->browser));
}

static int read_language(const struct reading *in)
{
	char language[FW_LANGUAGE_TEXT];
	if (fw_language_of_locale(fw_json_text(in->context, "locale"), language) ||
			fw_language_of_header(in->r->accept_language, language))
		return fw_facts_text(in->f, FW_FACT_LANGUAGE, fw_str(language));
	return 0;
}

/* The address of the page: as told, else as the browser sends it along, unless it cut it down to the site's. */
static struct fw_str find_page_url(const struct reading *in, const struct fw_json *page)
{
	struct fw_url url;
	struct fw_str told = fw_json_text(page, "url");
	if (told.n == 0)
		told = fw_json_text(page, "path");
	if (told.n || !fw_url_parse(in->r->referer, &url) || (fw_str_is(url.path, "/") && url.query.n == 0))
		return told;
	return in->r->referer;
}

static int read_page_and_source(const struct reading *in)
{
	const struct fw_signal_config *config = in->s->shared->config;
	const struct fw_json *page = fw_json_get(in->context, "page"), *campaign = fw_json_get(in->context, "campaign");
	struct fw_url url;
	struct fw_str path;
	struct fw_source_input input = {
		.page = fw_url_parse(find_page_url(in, page), &url) ? &url : NULL,
		.referrer = fw_json_text(page, "referrer"),
		.page_told = fw_json_get(page, "url") || fw_json_get(page, "path") || fw_json_get(page, "referrer"),
		.source = fw_str_trim(fw_json_text(campaign, "source")),
		.medium = fw_str_trim(fw_json_text(campaign, "medium")),
		.campaign = fw_str_trim(fw_json_text(campaign, "name")),
		.term = fw_str_trim(fw_json_text(campaign, "term")),
		.content = fw_str_trim(fw_json_text(campaign, "content")),
		.own_hosts = config->own_hosts,
		.n_own_hosts = config->n_own_hosts,
	};
	if (input.page && (fw_url_path_text(in->f->arena, url.path, &path) < 0 ||
			fw_facts_text(in->f, FW_FACT_PAGE, path) < 0))
		return FW_ENOMEM;
	if (fw_facts_text(in->f, FW_FACT_PAGE_TYPE, fw_json_text(page, "type")) < 0)
		return FW_ENOMEM;
	return fw_source_fill(in->f, &input);
}

/* Only a server says what a person is like: a public key could claim to be of age. */
static int read_traits(const struct reading *in)
{
	const struct fw_json *traits = fw_json_get(in->context, "traits");
	if (!in->r->secret || !traits || traits->type != FW_JSON_OBJECT || traits->count == 0)
		return 0;
	struct fw_member *members = FW_NEW_ARRAY(in->f->arena, traits->count, struct fw_member);
	unsigned n = 0;
	if (!members)
		return FW_ENOMEM;
	for (const struct fw_json *t = traits->child; t; t = t->next) {
		if (fw_str_is(t->key, "userHash")) /* a proof, no trait */
			continue;
		if (fw_value_json(in->f->arena, t, &members[n].value) < 0)
			return FW_ENOMEM;
		members[n++].name = t->key;
	}
	in->f->traits = members;
	in->f->n_traits = n;
	return 0;
}

/* Without a userId nobody is logged in; one that is not proven is only a claim. */
static void read_login(const struct reading *in)
{
	if (fw_json_text(in->r->body, "userId").n == 0)
		fw_facts_bool(in->f, FW_FACT_LOGGED_IN, false);
	else if (in->r->user_is_signed)
		fw_facts_bool(in->f, FW_FACT_LOGGED_IN, true);
}

static int read_consent(const struct reading *in)
{
	struct fw_consent_told told;
	const struct fw_json *gpc = fw_json_get(in->context, "globalPrivacyControl");
	bool objects = fw_str_is(fw_str_trim(in->r->sec_gpc), "1") || (gpc && gpc->type == FW_JSON_BOOL && gpc->boolean);
	if (fw_consent_read(in->f->arena, in->context, &told) < 0)
		return FW_ENOMEM;
	return fw_consent_fill(in->f, &in->s->shared->config->consent, told.categories, objects);
}

int fw_signal_read(struct fw_signal *s, const struct fw_signal_request *r, struct fw_facts *f)
{
	struct reading in = { s, r, fw_json_get(r->body, "context"), f };
	/* Traits before time, which may be in the zone that one tells; places before consent, which has defaults by place. */
	if (read_traits(&in) < 0 || read_place_and_time(&in) < 0 || read_device(&in) < 0 || read_language(&in) < 0)
		return FW_ENOMEM;
	read_login(&in);
	return read_page_and_source(&in) < 0 ? FW_ENOMEM : read_consent(&in);
}

#include "signal/source.h"

#include "signal/channel.h"

/* Parameters that networks add to their links, and what they stand for. Only those added to advertisements alone have a
 * paid medium: fbclid, igshid and epik are on every link. */
#define CLICK(param, source, medium) { FW_STR_ENTRY(param), FW_STR_ENTRY(source), FW_STR_ENTRY(medium) }
static const struct click {
	struct fw_str param, source, medium;
} clicks[] = {
	CLICK("gclid", "google", "cpc"), CLICK("gbraid", "google", "cpc"), CLICK("wbraid", "google", "cpc"),
	CLICK("gclsrc", "google", "cpc"), CLICK("dclid", "google", "display"), CLICK("msclkid", "bing", "cpc"),
	CLICK("yclid", "yandex", "cpc"), CLICK("ttclid", "tiktok", "cpc"), CLICK("twclid", "twitter", "cpc"),
	CLICK("li_fat_id", "linkedin", "cpc"), CLICK("sccid", "snapchat", "cpc"), CLICK("rdt_cid", "reddit", "cpc"),
	CLICK("fbclid", "facebook", ""), CLICK("igshid", "instagram", ""), CLICK("igsh", "instagram", ""),
	CLICK("epik", "pinterest", ""), CLICK("mc_eid", "mailchimp", "email"), CLICK("mc_cid", "mailchimp", "email"),
	CLICK("_kx", "klaviyo", "email"), CLICK("irclickid", "impact", "affiliate"),
};

struct visit {
	const struct fw_url *page; /* or NULL */
	struct fw_url referrer;
	bool has_referrer; /* one that is not the store itself */
	bool from_inside;            /* the referrer is the store itself */
	struct fw_str source, medium, campaign, term, content;
	const struct click *click;
};

static int read_param(struct fw_arena *a, struct visit *v, struct fw_str name, struct fw_str value)
{
	const struct {
		struct fw_str name, *into;
	} labels[] = { { FW_STR("utm_source"), &v->source }, { FW_STR("utm_medium"), &v->medium },
		{ FW_STR("utm_campaign"), &v->campaign }, { FW_STR("utm_term"), &v->term }, { FW_STR("utm_content"), &v->content } };
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (labels[i].into->n == 0 && fw_str_equal_fold(name, labels[i].name)) {
			struct fw_str text;
			if (fw_url_decode(a, value, true, &text) < 0)
				return FW_ENOMEM;
			*labels[i].into = fw_str_trim(text);
			return 0;
		}
	for (size_t i = 0; !v->click && i < sizeof clicks / sizeof *clicks; i++)
		if (fw_str_equal_fold(name, clicks[i].param))
			v->click = &clicks[i];
	return 0;
}

static bool is_inside(const struct fw_source_input *in, const struct visit *v, struct fw_str host)
{
	struct fw_str own = v->page ? v->page->host : (struct fw_str){ 0 };
	if (own.n > 4 && fw_str_equal_fold((struct fw_str){ own.p, 4 }, FW_STR("www.")))
		own = (struct fw_str){ own.p + 4, own.n - 4 };
	if (fw_url_host_in(host, own))
		return true;
	for (size_t i = 0; i < in->n_own_hosts; i++)
		if (fw_url_host_in(host, in->own_hosts[i]))
			return true;
	return false;
}

static int read_visit(struct fw_arena *a, const struct fw_source_input *in, struct visit *v)
{
	*v = (struct visit){ .page = in->page, .source = in->source, .medium = in->medium, .campaign = in->campaign, .term = in->term,
		.content = in->content };
	if (v->page) {
		struct fw_str query = v->page->query, name, value;
		while (fw_url_next_param(&query, &name, &value))
			if (value.n > 0 && read_param(a, v, name, value) < 0)
				return FW_ENOMEM;
	}
	if (fw_url_parse(in->referrer, &v->referrer) && v->referrer.host.n > 0) {
		v->from_inside = is_inside(in, v, v->referrer.host);
		v->has_referrer = !v->from_inside;
	}
	return 0;
}

static bool is_labelled(const struct visit *v)
{
	return v->source.n > 0 || v->medium.n > 0 || v->campaign.n > 0 || v->click;
}

/* The word for `source`, or NULL when nothing is known of where the visit came from. A click id lends what was not said;
 * its medium only to its own network's name. */
static const char *find_channel(struct visit *v, bool page_told)
{
	enum fw_site site = v->has_referrer ? fw_site_of(v->referrer.host) : FW_SITE_NONE;
	if (!is_labelled(v)) {
		if (v->has_referrer)
			return fw_channel_of_site(site);
		return page_told && !v->from_inside ? "direct" : NULL;
	}
	if (v->click) {
		enum fw_site click_site = fw_site_of(v->click->source);
		bool same = v->source.n == 0 || fw_site_of(v->source) == click_site;
		if (v->medium.n == 0 && same)
			v->medium = v->click->medium;
		if (v->source.n == 0)
			return fw_channel_of(v->click->source, click_site, v->medium, v->campaign);
	}
	if (v->source.n > 0)
		return fw_channel_of(v->source, fw_site_of(v->source), v->medium, v->campaign);
	/* Labelled, but not with a source: the referrer is the source, and its kind the medium if there is none. */
	const char *channel = fw_channel_of(v->has_referrer ? v->referrer.host : (struct fw_str){ 0 }, site, v->medium, v->campaign);
	return v->medium.n == 0 && v->has_referrer && strcmp(channel, "other") == 0 ? fw_channel_of_site(site) : channel;
}

static int fill_referrer(struct fw_facts *f, struct fw_str host)
{
	char folded[256];
	fw_fold(host, folded);
	return fw_facts_text(f, FW_FACT_REFERRER, (struct fw_str){ folded, host.n });
}

int fw_source_fill(struct fw_facts *f, const struct fw_source_input *in)
{
	struct visit v;
	struct fw_str path;
	if (read_visit(f->arena, in, &v) < 0)
		return FW_ENOMEM;
	const char *channel = find_channel(&v, in->page_told);
	if (channel && fw_facts_text(f, FW_FACT_SOURCE, fw_str(channel)) < 0)
		return FW_ENOMEM;
	if (fw_facts_text(f, FW_FACT_MEDIUM, v.medium) < 0 || fw_facts_text(f, FW_FACT_CAMPAIGN, v.campaign) < 0 ||
			fw_facts_text(f, FW_FACT_TERM, v.term) < 0 || fw_facts_text(f, FW_FACT_CONTENT, v.content) < 0)
		return FW_ENOMEM;
	if (v.has_referrer && fill_referrer(f, v.referrer.host) < 0)
		return FW_ENOMEM;
	if (!v.page || (v.from_inside && !is_labelled(&v)))
		return 0;
	if (fw_url_path_text(f->arena, v.page->path, &path) < 0)
		return FW_ENOMEM;
	return fw_facts_text(f, FW_FACT_LANDING, path);
}

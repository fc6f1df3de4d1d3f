#include "signal/channel.h"

#include <stdbool.h>

/* A list of words ends with one that is no text. */
static bool is_one_of(struct fw_str s, const struct fw_str *words)
{
	for (; words->p; words++)
		if (fw_str_equal_fold(s, *words))
			return true;
	return false;
}
#define W(word) FW_STR_ENTRY(word)
#define END { NULL, 0 }

static bool holds(struct fw_str s, const char *part)
{
	return s.n > 0 && fw_str_find_fold(s, fw_str(part)) != NULL;
}

static bool begins(struct fw_str s, const char *part)
{
	size_t n = strlen(part);
	return s.n >= n && fw_str_equal_fold((struct fw_str){ s.p, n }, (struct fw_str){ part, n });
}

static bool ends(struct fw_str s, const char *part)
{
	size_t n = strlen(part);
	return s.n >= n && fw_str_equal_fold((struct fw_str){ s.p + s.n - n, n }, (struct fw_str){ part, n });
}

/* ^(.*cp.*|ppc|retargeting|paid.*)$ */
static bool is_paid(struct fw_str medium)
{
	static const struct fw_str words[] = { W("ppc"), W("retargeting"), END };
	return holds(medium, "cp") || is_one_of(medium, words) || begins(medium, "paid");
}

/* ^(.*(([^a-df-z]|^)shop|shopping).*)$: "shop" as a word or after an "e", or "shopping" anywhere. */
static bool is_shopping(struct fw_str campaign)
{
	if (holds(campaign, "shopping"))
		return true;
	for (const char *at; campaign.n && (at = fw_str_find_fold(campaign, FW_STR("shop")));) {
		size_t i = (size_t)(at - campaign.p);
		char before = i ? fw_fold_char(at[-1]) : ' ';
		if (before == 'e' || before < 'a' || before > 'z')
			return true;
		campaign = (struct fw_str){ at + 1, campaign.n - i - 1 };
	}
	return false;
}

const char *fw_channel_of_site(enum fw_site site)
{
	switch (site) {
	case FW_SITE_SEARCH: return "organic_search";
	case FW_SITE_SOCIAL: return "organic_social";
	case FW_SITE_VIDEO: return "video";
	case FW_SITE_SHOPPING: return "shopping";
	case FW_SITE_EMAIL: return "email";
	default: return "referral";
	}
}

static const char *paid_channel(enum fw_site site, bool shopping, struct fw_str medium)
{
	if (shopping || site == FW_SITE_SHOPPING)
		return "shopping";
	switch (site) {
	case FW_SITE_SEARCH: return "paid_search";
	case FW_SITE_SOCIAL: return "paid_social";
	case FW_SITE_VIDEO: return "video";
	default: return fw_str_equal_fold(medium, FW_STR("cpm")) ? "display" : "other";
	}
}

const char *fw_channel_of(struct fw_str source, enum fw_site site, struct fw_str medium, struct fw_str campaign)
{
	static const struct fw_str nothing[] = { W("(not set)"), W("(none)"), W(""), END }, direct[] = { W("(direct)"), END },
		display[] = { W("display"), W("banner"), W("expandable"), W("interstitial"), END },
		social[] = { W("social"), W("social-network"), W("social-media"), W("sm"), W("social network"), W("social media"), END },
		organic[] = { W("organic"), END }, referral[] = { W("referral"), W("app"), W("link"), END },
		email[] = { W("email"), W("e-mail"), W("e_mail"), W("e mail"), END }, affiliate[] = { W("affiliate"), END },
		audio[] = { W("audio"), END }, sms[] = { W("sms"), END }, firebase[] = { W("firebase"), END };
	bool shopping = is_shopping(campaign);

	if (is_one_of(source, direct) && is_one_of(medium, nothing))
		return "direct";
	if (holds(campaign, "cross-network"))
		return "other";
	if (is_paid(medium))
		return paid_channel(site, shopping, medium);
	if (is_one_of(medium, display))
		return "display";
	if (site == FW_SITE_SHOPPING || shopping)
		return "shopping";
	if (site == FW_SITE_SOCIAL || is_one_of(medium, social))
		return "organic_social";
	if (site == FW_SITE_VIDEO || holds(medium, "video"))
		return "video";
	if (site == FW_SITE_SEARCH || is_one_of(medium, organic))
		return "organic_search";
	if (is_one_of(medium, referral) || (site == FW_SITE_REFERRAL && is_one_of(medium, nothing)))
		return "referral";
	if (is_one_of(source, email) || is_one_of(medium, email) || (site == FW_SITE_EMAIL && is_one_of(medium, nothing)))
		return "email";
	if (is_one_of(medium, affiliate))
		return "affiliate";
	if (is_one_of(medium, audio))
		return "audio";
	if (is_one_of(source, sms) || is_one_of(medium, sms))
		return "sms";
	if (ends(medium, "push") || holds(medium, "mobile") || holds(medium, "notification") || is_one_of(source, firebase))
		return "push";
	return "other";
}

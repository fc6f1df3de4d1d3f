/* Traffic sources, held against the default-channel conventions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#include "signal/channel.h"
#include "signal/source.h"

static void test_channels(void **state)
{
	(void)state;
	static const struct {
		const char *source, *medium, *campaign, *expected;
	} table[] = {
		{ "(direct)", "(none)", "", "direct" },
		{ "(direct)", "(not set)", "", "direct" },
		{ "google", "cpc", "fall cross-network 3", "other" },
		{ "google", "cpc", "shopping-fall", "shopping" },
		{ "google", "cpc", "my eshop", "shopping" },
		{ "google", "cpc", "workshop", "paid_search" },
		{ "google", "cpc", "shop", "shopping" },
		{ "google", "cpc", "workshop shop", "shopping" },
		{ "amazon.de", "cpc", "", "shopping" },
		{ "google", "CPC", "brand", "paid_search" },
		{ "bing", "ppc", "", "paid_search" },
		{ "duckduckgo", "paidsearch", "", "paid_search" },
		{ "facebook", "paid_social", "", "paid_social" },
		{ "Instagram", "cpm", "", "paid_social" },
		{ "ig", "paid", "", "paid_social" },
		{ "tiktok", "retargeting", "", "paid_social" },
		{ "youtube", "cpv", "", "video" },
		{ "partner", "display", "", "display" },
		{ "partner", "banner", "", "display" },
		{ "partner", "cpm", "", "display" },
		{ "partner", "interstitial", "", "display" },
		{ "partner", "cpc", "", "other" },
		{ "partner", "paid_social", "", "other" },
		{ "etsy.com", "referral", "", "shopping" },
		{ "newsletter", "post", "autumn-shop", "shopping" },
		{ "facebook", "", "", "organic_social" },
		{ "m.facebook.com", "referral", "", "organic_social" },
		{ "blog", "social-media", "", "organic_social" },
		{ "vimeo", "", "", "video" },
		{ "partner", "product-video", "", "video" },
		{ "google", "organic", "", "organic_search" },
		{ "somewhere", "organic", "", "organic_search" },
		{ "ecosia.org", "", "", "organic_search" },
		{ "partner.example", "referral", "", "referral" },
		{ "partner.example", "link", "", "referral" },
		{ "chatgpt.com", "", "", "referral" },
		{ "mailing", "Email", "", "email" },
		{ "e-mail", "x", "", "email" },
		{ "mailing", "e mail", "", "email" },
		{ "partner", "affiliate", "", "affiliate" },
		{ "spotify", "audio", "", "audio" },
		{ "sms", "x", "", "sms" },
		{ "attentive", "sms", "", "sms" },
		{ "app", "web-push", "", "push" },
		{ "app", "mobile-app", "", "push" },
		{ "firebase", "x", "", "push" },
		{ "flyer", "qr", "", "other" },
		{ "flyer", "", "", "other" },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct fw_str source = fw_str(table[i].source);
		const char *expected = table[i].expected;
		const char *got = fw_channel_of(source, fw_site_of(source), fw_str(table[i].medium), fw_str(table[i].campaign));
		if (strcmp(got, expected) != 0)
			fail_msg("%s / %s / %s: expected %s, got %s", table[i].source, table[i].medium, table[i].campaign, expected, got);
	}
}

static void test_sites(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		enum fw_site expected;
	} table[] = {
		{ "www.google.com", FW_SITE_SEARCH }, { "google.de", FW_SITE_SEARCH }, { "WWW.GOOGLE.CO.UK", FW_SITE_SEARCH },
		{ "docs.google.com", FW_SITE_REFERRAL }, { "gemini.google.com", FW_SITE_REFERRAL }, { "mail.google.com", FW_SITE_EMAIL },
		{ "shopping.google.com", FW_SITE_SHOPPING }, { "com.google.android.gm", FW_SITE_EMAIL },
		{ "com.google.android.googlequicksearchbox", FW_SITE_SEARCH }, { "www.bing.com", FW_SITE_SEARCH },
		{ "r.search.yahoo.com", FW_SITE_SEARCH }, { "uk.search.yahoo.com", FW_SITE_SEARCH }, { "duckduckgo.com", FW_SITE_SEARCH },
		{ "search.brave.com", FW_SITE_SEARCH }, { "l.facebook.com", FW_SITE_SOCIAL }, { "t.co", FW_SITE_SOCIAL },
		{ "x.com", FW_SITE_SOCIAL }, { "www.tiktok.com", FW_SITE_SOCIAL }, { "pinterest.de", FW_SITE_SOCIAL },
		{ "www.threads.net", FW_SITE_SOCIAL }, { "old.reddit.com", FW_SITE_SOCIAL }, { "m.youtube.com", FW_SITE_VIDEO },
		{ "vimeo.com", FW_SITE_VIDEO }, { "www.amazon.de", FW_SITE_SHOPPING }, { "www.ebay.co.uk", FW_SITE_SHOPPING },
		{ "outlook.live.com", FW_SITE_EMAIL }, { "chatgpt.com", FW_SITE_REFERRAL }, { "www.perplexity.ai", FW_SITE_REFERRAL },
		{ "shop.example", FW_SITE_NONE }, { "notfacebook.com", FW_SITE_NONE }, { "facebook.com.evil.example", FW_SITE_NONE },
		{ "com", FW_SITE_NONE }, { "", FW_SITE_NONE }, { ".", FW_SITE_NONE }, { "...", FW_SITE_NONE }, { "www.", FW_SITE_NONE },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (fw_site_of(fw_str(table[i].host)) != table[i].expected)
			fail_msg("%s: expected %d, got %d", table[i].host, table[i].expected, fw_site_of(fw_str(table[i].host)));
}

static void assert_fact(const struct fw_facts *f, enum fw_fact fact, const char *expected, const char *of)
{
	const struct fw_value *v = &f->single[fact];
	const char *got = v->state == FW_KNOWN ? v->text.p : "";
	if (strcmp(got, expected ? expected : "") != 0)
		fail_msg("%s: %s: expected \"%s\", got \"%s\"", of, fw_fact_info(fact)->name, expected ? expected : "", got);
}

/* A visit to `page` from `referrer`. */
static void check(const char *page, const char *referrer, const char *source, const char *medium, const char *landing)
{
	static const struct fw_str own[] = { { "shop.example", 12 }, { "checkout.example", 16 } };
	struct fw_arena a;
	struct fw_facts f;
	struct fw_url url;
	struct fw_source_input in = { .page = fw_url_parse(fw_str(page), &url) ? &url : NULL, .referrer = fw_str(referrer),
		.page_told = page != NULL, .own_hosts = own, .n_own_hosts = 2 };
	char of[512];
	fw_arena_init(&a, NULL, 0, 0);
	fw_facts_init(&f, &a, false);
	assert_int_equal(fw_source_fill(&f, &in), 0);
	snprintf(of, sizeof of, "%s from %s", page ? page : "nowhere", referrer ? referrer : "nowhere");
	assert_fact(&f, FW_FACT_SOURCE, source, of);
	assert_fact(&f, FW_FACT_MEDIUM, medium, of);
	assert_fact(&f, FW_FACT_LANDING, landing, of);
	fw_arena_finish(&a);
}

static void test_visits(void **state)
{
	(void)state;
	static const char shop[] = "https://www.shop.example/sale";
	check(shop, NULL, "direct", NULL, "/sale");
	check(shop, "", "direct", NULL, "/sale");
	check(NULL, NULL, NULL, NULL, NULL);
	check(shop, "https://www.google.com/", "organic_search", NULL, "/sale");
	check(shop, "https://l.instagram.com/?u=x", "organic_social", NULL, "/sale");
	check(shop, "https://mail.google.com/mail/u/0", "email", NULL, "/sale");
	check(shop, "android-app://com.google.android.gm/", "email", NULL, "/sale");
	check(shop, "https://www.youtube.com/", "video", NULL, "/sale");
	check(shop, "https://www.idealo.de/", "shopping", NULL, "/sale");
	check(shop, "https://blog.example/post", "referral", NULL, "/sale");
	check(shop, "https://chatgpt.com/", "referral", NULL, "/sale");
	/* The store itself is no source: by its own hosts, by the page's, below them. Going from page to page was once called a direct
	 * visit, which hid where the visit had really come from. */
	check(shop, "https://shop.example/", NULL, NULL, NULL);
	check(shop, "https://pay.checkout.example/", NULL, NULL, NULL);
	check("https://brand.example/x", "https://www.brand.example/", NULL, NULL, NULL);
	check("https://www.brand.example/x", "https://brand.example/", NULL, NULL, NULL);
	check(shop, "https://evilshop.example/", "referral", NULL, "/sale");
	check(shop, "not a url", "direct", NULL, "/sale");
	/* Labels outrank click ids, those the referrer, that nothing. */
	check("https://shop.example/?utm_source=facebook&utm_medium=cpc", "https://www.google.com/", "paid_social", "cpc", "/");
	check("https://shop.example/?utm_source=news&utm_medium=email", "https://shop.example/", "email", "email", "/");
	check("https://shop.example/?UTM_SOURCE=news&utm_Medium=E-Mail", NULL, "email", "E-Mail", "/");
	check("https://shop.example/?gclid=x", "https://www.google.com/", "paid_search", "cpc", "/");
	check("https://shop.example/?gclid=x&utm_source=google", NULL, "paid_search", "cpc", "/");
	check("https://shop.example/?gclid=x&utm_source=news&utm_medium=email", NULL, "email", "email", "/");
	check("https://shop.example/?gclid=", "https://www.google.com/", "organic_search", NULL, "/");
	check("https://shop.example/?dclid=x", NULL, "display", "display", "/");
	check("https://shop.example/?msclkid=x", NULL, "paid_search", "cpc", "/");
	check("https://shop.example/?fbclid=x", NULL, "organic_social", NULL, "/");
	check("https://shop.example/?fbclid=x&utm_medium=paid", NULL, "paid_social", "paid", "/");
	check("https://shop.example/?ttclid=x", NULL, "paid_social", "cpc", "/");
	check("https://shop.example/?ScCid=x", NULL, "paid_social", "cpc", "/");
	check("https://shop.example/?igshid=x", NULL, "organic_social", NULL, "/");
	check("https://shop.example/?mc_eid=x", NULL, "email", "email", "/");
	check("https://shop.example/?_kx=x", NULL, "email", "email", "/");
	check("https://shop.example/?irclickid=x", NULL, "affiliate", "affiliate", "/");
	check("https://shop.example/?utm_campaign=spring", "https://www.google.com/", "organic_search", NULL, "/");
	check("https://shop.example/?utm_campaign=spring", "https://blog.example/", "referral", NULL, "/");
	check("https://shop.example/?utm_campaign=spring", NULL, "other", NULL, "/");
	check("https://shop.example/?utm_medium=cpc", "https://www.bing.com/", "paid_search", "cpc", "/");
	check("https://shop.example/?utm_source=%ff&utm_medium=%00", "https://www.bing.com/", "organic_search", NULL, "/");
	check("/sale?utm_source=google&utm_medium=organic", NULL, "organic_search", "organic", "/sale");
	check("https://shop.example/gr%C3%B6%C3%9Fe", NULL, "direct", NULL, "/gr\xc3\xb6\xc3\x9f" "e");
}

static void test_labels(void **state)
{
	(void)state;
	struct fw_arena a;
	struct fw_facts f;
	struct fw_url url;
	assert_true(fw_url_parse(FW_STR("https://shop.example/l?utm_source=google&utm_medium=cpc&utm_campaign=from+url"
		"&utm_term=warm+boots&utm_content=a%26b&utm_term=second"), &url));
	struct fw_source_input in = {
		.page = &url,
		.referrer = FW_STR("https://News.Google.com/x"),
		.campaign = FW_STR("told"),
		.page_told = true,
	};
	fw_arena_init(&a, NULL, 0, 0);
	fw_facts_init(&f, &a, false);
	assert_int_equal(fw_source_fill(&f, &in), 0);
	assert_fact(&f, FW_FACT_SOURCE, "paid_search", "labels");
	assert_fact(&f, FW_FACT_CAMPAIGN, "told", "labels");
	assert_fact(&f, FW_FACT_TERM, "warm boots", "labels");
	assert_fact(&f, FW_FACT_CONTENT, "a&b", "labels");
	assert_fact(&f, FW_FACT_REFERRER, "news.google.com", "labels");
	fw_arena_finish(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_visits),
		cmocka_unit_test(test_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

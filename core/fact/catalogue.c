#include "fact/catalogue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static const char *const continents[] = { "AF", "AN", "AS", "EU", "NA", "OC", "SA", NULL };
static const char *const sources[] = { "direct", "organic_search", "paid_search", "organic_social", "paid_social", "email",
	"sms", "affiliate", "referral", "display", "video", "shopping", "push", "audio", "other", NULL };
static const char *const devices[] = { "desktop", "mobile", "tablet", "tv", "console", "wearable", "bot", "other", NULL };
static const char *const weekdays[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

static bool is_letter(char c)
{
	c = fw_fold_char(c);
	return c >= 'a' && c <= 'z';
}

static bool is_alphanumeric(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_country(struct fw_str s)
{
	return s.n == 2 && is_letter(s.p[0]) && is_letter(s.p[1]);
}

static bool is_region(struct fw_str s)
{
	if (s.n < 4 || s.n > 6 || !is_country((struct fw_str){ s.p, 2 }) || s.p[2] != '-')
		return false;
	for (size_t i = 3; i < s.n; i++)
		if (!is_alphanumeric(s.p[i]))
			return false;
	return true;
}

static bool is_zone(struct fw_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alphanumeric(s.p[i]) && !strchr("/_+-", s.p[i]))
			return false;
	return s.n > 0 && is_letter(s.p[0]);
}

/* A language of two or three letters, then subtags. */
static bool is_language(struct fw_str s)
{
	size_t part = 0, first = 0;
	while (first < s.n && is_letter(s.p[first]))
		first++;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '-' && !is_alphanumeric(s.p[i]))
			return false;
		part = s.p[i] == '-' ? 0 : part + 1;
		if (part > 8 || (s.p[i] == '-' && (i == 0 || i + 1 == s.n || s.p[i - 1] == '-')))
			return false;
	}
	return (first == 2 || first == 3) && (first == s.n || s.p[first] == '-');
}

static bool is_path(struct fw_str s)
{
	return s.n > 0 && s.p[0] == '/';
}

#define GEO FW_USES_GEOGRAPHY
#define TRAFFIC FW_USES_TRAFFIC
#define DEVICE FW_USES_DEVICE
#define TIME FW_USES_TIME
#define SESSION FW_USES_SESSION
#define BEHAVIOUR FW_USES_BEHAVIOUR

static const struct fw_fact_info facts[FW_FACT_COUNT] = {
	[FW_FACT_COUNTRY] = { "country", FW_TYPE_TEXT, GEO, NULL, "two letters of ISO 3166-1, such as \"CA\"", is_country,
		"The country, by address or as the store says." },
	[FW_FACT_REGION] = { "region", FW_TYPE_TEXT, GEO, NULL, "ISO 3166-2, such as \"CA-ON\"", is_region,
		"The region of the country." },
	[FW_FACT_CITY] = { "city", FW_TYPE_TEXT, GEO, NULL, NULL, NULL,
		"The city, as it is written there." },
	[FW_FACT_CONTINENT] = { "continent", FW_TYPE_TEXT, GEO, continents, NULL, NULL,
		"The continent." },
	[FW_FACT_TIMEZONE] = { "timezone", FW_TYPE_TEXT, GEO, NULL, "an IANA name, such as \"Europe/Berlin\"", is_zone,
		"The visitor's time zone, by which hour, weekday and date go." },
	[FW_FACT_IN_EU] = { "in_eu", FW_TYPE_BOOL, GEO, NULL, NULL, NULL,
		"Whether the country is in the European Union." },
	[FW_FACT_SOURCE] = { "source", FW_TYPE_TEXT, TRAFFIC, sources, NULL, NULL,
		"How the visit began." },
	[FW_FACT_MEDIUM] = { "medium", FW_TYPE_TEXT, TRAFFIC, NULL, NULL, NULL,
		"utm_medium, or what follows from the source." },
	[FW_FACT_CAMPAIGN] = { "campaign", FW_TYPE_TEXT, TRAFFIC, NULL, NULL, NULL,
		"utm_campaign." },
	[FW_FACT_TERM] = { "term", FW_TYPE_TEXT, TRAFFIC, NULL, NULL, NULL,
		"utm_term: what was searched for, or the keyword." },
	[FW_FACT_CONTENT] = { "content", FW_TYPE_TEXT, TRAFFIC, NULL, NULL, NULL,
		"utm_content: which of several links it was." },
	[FW_FACT_REFERRER] = { "referrer", FW_TYPE_TEXT, TRAFFIC, NULL, NULL, NULL,
		"The host that the visit came from." },
	[FW_FACT_LANDING] = { "landing", FW_TYPE_TEXT, TRAFFIC, NULL, "a path, such as \"/sale\"", is_path,
		"The page on which the visit began." },
	[FW_FACT_DEVICE] = { "device", FW_TYPE_TEXT, DEVICE, devices, NULL, NULL,
		"What kind of device it is; \"bot\" is a crawler." },
	[FW_FACT_OS] = { "os", FW_TYPE_TEXT, DEVICE, NULL, NULL, NULL,
		"The operating system." },
	[FW_FACT_BROWSER] = { "browser", FW_TYPE_TEXT, DEVICE, NULL, NULL, NULL,
		"The browser." },
	[FW_FACT_LANGUAGE] = { "language", FW_TYPE_LANGUAGE, DEVICE, NULL, "BCP 47, such as \"en\" or \"en-CA\"", is_language,
		"The preferred language; one without a country means all of its countries." },
	[FW_FACT_PAGE] = { "page", FW_TYPE_TEXT, FW_USES_CONTEXT, NULL, "a path, such as \"/sale\"", is_path,
		"The path of the page that asks." },
	[FW_FACT_PAGE_TYPE] = { "page_type", FW_TYPE_TEXT, FW_USES_CONTEXT, NULL, NULL, NULL,
		"What kind of page it is, as the store says." },
	[FW_FACT_HOUR] = { "hour", FW_TYPE_NUMBER, TIME, NULL, NULL, NULL,
		"The hour of the visitor's clock, 0 to 23." },
	[FW_FACT_WEEKDAY] = { "weekday", FW_TYPE_WEEKDAY, TIME, weekdays, NULL, NULL,
		"The day of the week there." },
	[FW_FACT_DATE] = { "date", FW_TYPE_DATE, TIME, NULL, NULL, NULL,
		"The day there." },
	[FW_FACT_LOGGED_IN] = { "logged_in", FW_TYPE_BOOL, SESSION, NULL, NULL, NULL,
		"Whether the visitor is logged in." },
	[FW_FACT_PAGES_THIS_VISIT] = { "pages_this_visit", FW_TYPE_NUMBER, SESSION, NULL, NULL, NULL,
		"Pages seen in this visit, this one included." },
	[FW_FACT_CART_ITEMS] = { "cart.items", FW_TYPE_NUMBER, SESSION, NULL, NULL, NULL,
		"How many things are in the cart." },
	[FW_FACT_CART_TOTAL] = { "cart.total", FW_TYPE_NUMBER, SESSION, NULL, NULL, NULL,
		"What they cost, in the shop's currency." },
	[FW_FACT_CART_AGE] = { "cart.age", FW_TYPE_DURATION, SESSION, NULL, NULL, NULL,
		"How long ago the cart last changed." },
	[FW_FACT_CART_CATEGORY] = { "cart.contains.category", FW_TYPE_SET, SESSION, NULL, NULL, NULL,
		"Categories of what is in the cart." },
	[FW_FACT_CART_PRODUCT] = { "cart.contains.product", FW_TYPE_SET, SESSION, NULL, NULL, NULL,
		"Products in the cart." },
	[FW_FACT_CART_BRAND] = { "cart.contains.brand", FW_TYPE_SET, SESSION, NULL, NULL, NULL,
		"Brands of what is in the cart." },
	[FW_FACT_NEW_VISITOR] = { "new_visitor", FW_TYPE_BOOL, BEHAVIOUR, NULL, NULL, NULL,
		"Whether this is the first visit." },
	[FW_FACT_VISITS] = { "visits", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"How many visits there were, this one included." },
	[FW_FACT_DAYS_SINCE_VISIT] = { "days_since_visit", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"Days since the visit before this one." },
	[FW_FACT_ORDERS] = { "orders", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"How many orders there were." },
	[FW_FACT_REVENUE] = { "revenue", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"What they came to, in the shop's currency." },
	[FW_FACT_AVERAGE_ORDER] = { "average_order", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"What an order came to on average." },
	[FW_FACT_DAYS_SINCE_ORDER] = { "days_since_order", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"Days since the last order." },
	[FW_FACT_CONSENT] = { "consent", FW_TYPE_SET, FW_USES_CONSENT, NULL, NULL, NULL,
		"What the visitor has agreed to: purposes and channels." },
	[FW_FACT_TRAIT] = { "traits", FW_TYPE_ANY, FW_USES_PROFILE, NULL, NULL, NULL,
		"What the store has told of the person, by name." },
	[FW_FACT_EVENT] = { "event", FW_TYPE_ANY, FW_USES_CONTEXT, NULL, NULL, NULL,
		"In a rule for messages: what the event told, by name." },
	[FW_FACT_ENGAGEMENT] = { "engagement", FW_TYPE_NUMBER, BEHAVIOUR, NULL, NULL, NULL,
		"How much of what was sent by a channel is opened or clicked, 0 to 1, by channel." },
	[FW_FACT_SEGMENT] = { "segment", FW_TYPE_SEGMENT, 0, NULL, NULL, NULL,
		"A segment that the visitor is in." },
	[FW_FACT_VIEWED] = { "viewed", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Products viewed, counted." },
	[FW_FACT_SEARCHED] = { "searched", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Searches, counted." },
	[FW_FACT_ADDED] = { "added", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Products put into the cart, counted." },
	[FW_FACT_BOUGHT] = { "bought", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Products bought, counted by quantity." },
	[FW_FACT_CLICKED] = { "clicked", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Products, promotions and links clicked, counted." },
	[FW_FACT_OPENED] = { "opened", FW_TYPE_COUNT, BEHAVIOUR, NULL, NULL, NULL,
		"Messages opened, counted." },
	[FW_FACT_AFFINITY] = { "affinity", FW_TYPE_SHARE, BEHAVIOUR, NULL, NULL, NULL,
		"The share of the visitor's interest, 0 to 1, newer views weighing more." },
	[FW_FACT_IN_STOCK] = { "in_stock", FW_TYPE_BOOL, 0, NULL, NULL, NULL,
		"Whether a product is in stock, as the catalogue has it." },
	[FW_FACT_PRICE] = { "price", FW_TYPE_NUMBER, 0, NULL, NULL, NULL,
		"What a product costs now, in the shop's currency." },
	[FW_FACT_CATEGORY] = { "category", FW_TYPE_SET, 0, NULL, NULL, NULL,
		"The categories that a product is in." },
	[FW_FACT_BRAND] = { "brand", FW_TYPE_TEXT, 0, NULL, NULL, NULL,
		"The brand of a product." },
};

const struct fw_fact_info *fw_fact_info(enum fw_fact fact)
{
	return &facts[fact];
}

int fw_fact_find(struct fw_str name)
{
	for (int i = 0; i < FW_FACT_COUNT; i++)
		if (fw_str_is(name, facts[i].name))
			return i;
	return -1;
}

const char *const *fw_fact_words(void)
{
	static const char *const words[] = { "country", "region", "city", "continent", "timezone", "in_eu", "source", "medium",
		"campaign", "term", "content", "referrer", "landing", "device", "os", "browser", "language", "page", "page_type",
		"hour", "weekday", "date", "logged_in", "pages_this_visit", "cart", "new_visitor", "visits", "days_since_visit",
		"orders", "revenue", "average_order", "days_since_order", "consent", "traits", "event", "engagement", "segment",
		"viewed", "searched", "added", "bought", "clicked", "opened", "affinity", "in_stock", "price", "category", "brand", NULL };
	return words;
}

static const char *const use_names[] = { "geography", "traffic", "device", "context", "time", "session", "behaviour",
	"profile", "consent", NULL };

const char *fw_uses_name(unsigned bit)
{
	for (unsigned i = 0; use_names[i]; i++)
		if (bit == 1u << i)
			return use_names[i];
	return "";
}

unsigned fw_uses_find(struct fw_str name)
{
	for (unsigned i = 0; use_names[i]; i++)
		if (fw_str_is(name, use_names[i]))
			return 1u << i;
	return 0;
}

const char *const *fw_uses_names(void)
{
	return use_names;
}

int fw_weekday_find(struct fw_str name)
{
	for (int i = 0; weekdays[i]; i++)
		if (fw_str_equal_fold(name, fw_str(weekdays[i])))
			return i;
	return -1;
}

const char *fw_weekday_name(int weekday)
{
	return weekdays[weekday];
}

/* The code of a country's English name, from tzdata's iso3166.tab; for a hint only. */
static bool country_code(struct fw_str name, char code[3])
{
	FILE *f = fopen("/usr/share/zoneinfo/iso3166.tab", "re");
	if (!f)
		return false;
	char line[256];
	bool found = false;
	while (!found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		found = line[0] != '#' && strlen(line) > 3 && fw_str_equal_fold(fw_str(line + 3), name);
		if (found) {
			memcpy(code, line, 2);
			code[2] = '\0';
		}
	}
	fclose(f);
	return found;
}

static size_t count_of(const char *const *names)
{
	size_t n = 0;
	while (names[n])
		n++;
	return n;
}

static const char *refuse_listed(const struct fw_fact_info *info, struct fw_str value, char *buf, size_t size, char *hint, size_t hint_size)
{
	for (size_t i = 0; info->values[i]; i++)
		if (fw_str_equal_fold(value, fw_str(info->values[i])))
			return NULL;
	char copy[64];
	snprintf(copy, sizeof copy, "%.*s", (int)(value.n < 63 ? value.n : 63), value.p);
	const char *nearest = fw_nearest(copy, info->values, count_of(info->values));
	snprintf(buf, size, "%s is never \"%s\"", info->name, copy);
	if (nearest) {
		snprintf(hint, hint_size, "did you mean \"%s\"?", nearest);
		return buf;
	}
	size_t n = (size_t)snprintf(hint, hint_size, "it is one of");
	for (size_t i = 0; info->values[i] && n < hint_size; i++)
		n += (size_t)snprintf(hint + n, hint_size - n, " %s", info->values[i]);
	return buf;
}

/* The same text in the right form, where that is a small step. */
static void suggest(const struct fw_fact_info *info, struct fw_str value, char *hint, size_t hint_size)
{
	char tried[80];
	size_t n = (size_t)snprintf(tried, sizeof tried, "%s%.*s", info->fits == is_path ? "/" : "", (int)(value.n < 60 ? value.n : 60),
		value.p);
	for (char *p = tried; info->fits != is_path && (p = strchr(p, '_')); )
		*p = '-';
	if (!hint[0] && value.n && value.n < 60 && info->fits((struct fw_str){ tried, n }))
		snprintf(hint, hint_size, "did you mean \"%s\"?", tried);
}

const char *fw_fact_refuse(enum fw_fact fact, struct fw_str value, char *buf, size_t size, char *hint, size_t hint_size)
{
	const struct fw_fact_info *info = &facts[fact];
	char code[3];
	hint[0] = '\0';
	if (info->values)
		return refuse_listed(info, value, buf, size, hint, hint_size);
	if (!info->fits || info->fits(value))
		return NULL;
	snprintf(buf, size, "\"%.*s\" is no %s: %s", (int)(value.n < 60 ? value.n : 60), value.p, info->name, info->form);
	if (fact == FW_FACT_COUNTRY && country_code(value, code))
		snprintf(hint, hint_size, "did you mean \"%s\"?", code);
	suggest(info, value, hint, hint_size);
	return buf;
}

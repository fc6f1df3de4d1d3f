/* The catalogue of facts: every fact of the rule language with its name, type, use and form. A new fact is one line in
 * catalogue.c and whatever fills it. */
#ifndef FW_FACT_CATALOGUE_H
#define FW_FACT_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Facts with one value a visitor come first, then the families whose members are named by rules. */
enum fw_fact {
	FW_FACT_COUNTRY, FW_FACT_REGION, FW_FACT_CITY, FW_FACT_CONTINENT, FW_FACT_TIMEZONE, FW_FACT_IN_EU,
	FW_FACT_SOURCE, FW_FACT_MEDIUM, FW_FACT_CAMPAIGN, FW_FACT_TERM, FW_FACT_CONTENT, FW_FACT_REFERRER, FW_FACT_LANDING,
	FW_FACT_DEVICE, FW_FACT_OS, FW_FACT_BROWSER, FW_FACT_LANGUAGE,
	FW_FACT_PAGE, FW_FACT_PAGE_TYPE,
	FW_FACT_HOUR, FW_FACT_WEEKDAY, FW_FACT_DATE,
	FW_FACT_LOGGED_IN, FW_FACT_PAGES_THIS_VISIT,
	FW_FACT_CART_ITEMS, FW_FACT_CART_TOTAL, FW_FACT_CART_AGE,
	FW_FACT_CART_CATEGORY, FW_FACT_CART_PRODUCT, FW_FACT_CART_BRAND,
	FW_FACT_NEW_VISITOR, FW_FACT_VISITS, FW_FACT_DAYS_SINCE_VISIT,
	FW_FACT_ORDERS, FW_FACT_REVENUE, FW_FACT_AVERAGE_ORDER, FW_FACT_DAYS_SINCE_ORDER,
	FW_FACT_CONSENT,
	FW_FACT_SINGLE, /* how many facts have one value a visitor */

	FW_FACT_TRAIT = FW_FACT_SINGLE, /* traits.NAME */
	FW_FACT_EVENT,                  /* event.NAME */
	FW_FACT_ENGAGEMENT,             /* engagement.CHANNEL */
	FW_FACT_SEGMENT,                /* a named condition */
	FW_FACT_VIEWED, FW_FACT_SEARCHED, FW_FACT_ADDED, FW_FACT_BOUGHT, FW_FACT_CLICKED, FW_FACT_OPENED,
	FW_FACT_AFFINITY,
	FW_FACT_IN_STOCK, FW_FACT_PRICE, FW_FACT_CATEGORY, FW_FACT_BRAND, /* of a product of the store's, whoever asks */
	FW_FACT_COUNT,
};

/* Whether the fact is asked of the person's history, with a query, or of a product. */
static inline bool fw_fact_is_counted(enum fw_fact fact)
{
	return fact >= FW_FACT_VIEWED && fact <= FW_FACT_AFFINITY;
}
static inline bool fw_fact_is_of_product(enum fw_fact fact)
{
	return fact >= FW_FACT_IN_STOCK && fact <= FW_FACT_BRAND;
}

enum fw_type {
	FW_TYPE_TEXT,
	FW_TYPE_NUMBER,
	FW_TYPE_BOOL,
	FW_TYPE_SET,      /* of texts */
	FW_TYPE_WEEKDAY,  /* a number, 0 = "mon" */
	FW_TYPE_DATE,     /* a number, days since 1970-01-01, written as ISO text */
	FW_TYPE_DURATION, /* a number of seconds, written "30m" */
	FW_TYPE_LANGUAGE, /* text; a matcher means it and all below it */
	FW_TYPE_ANY,      /* what the store told us: read as its matcher's type */
	FW_TYPE_COUNT,    /* asked with a query */
	FW_TYPE_SHARE,    /* asked with a query, 0–1 */
	FW_TYPE_SEGMENT,
};

/* What a rule that names the fact makes use of; guards apply by it. Bits of a mask. */
enum fw_uses {
	FW_USES_GEOGRAPHY = 1 << 0,
	FW_USES_TRAFFIC = 1 << 1,
	FW_USES_DEVICE = 1 << 2,
	FW_USES_CONTEXT = 1 << 3,
	FW_USES_TIME = 1 << 4,
	FW_USES_SESSION = 1 << 5,
	FW_USES_BEHAVIOUR = 1 << 6,
	FW_USES_PROFILE = 1 << 7,
	FW_USES_CONSENT = 1 << 8,
};

struct fw_fact_info {
	const char *name;          /* as rules write it, dotted: "cart.total", "traits" */
	enum fw_type type;
	unsigned uses;             /* of enum fw_uses; 0 for segments: their conditions', and for products: they are nobody's */
	const char *const *values; /* the closed list of its values, ended by NULL; NULL when open */
	const char *form;          /* what a value looks like, for messages: "two letters, such as \"CA\""; or NULL */
	bool (*fits)(struct fw_str value); /* the form's check, or NULL */
	const char *doc;           /* what it is, for whoever writes rules */
};

const struct fw_fact_info *fw_fact_info(enum fw_fact fact);

/* The fact of a dotted name without a member ("cart.total", "viewed", "traits"), or -1. */
int fw_fact_find(struct fw_str name);

/* All top-level words a condition may name (a family or a table such as "cart" once), ended by NULL: for hints. */
const char *const *fw_fact_words(void);

/* A use's name ("behaviour"), and the bit of a name or 0. */
const char *fw_uses_name(unsigned bit);
unsigned fw_uses_find(struct fw_str name);
const char *const *fw_uses_names(void);

/* Why `value` cannot be a value of the text fact: NULL when it can; else a message, with the hint in `ret_hint`
 * ("did you mean …", may be ""). Both are written into buf (of 512 bytes: message first). */
const char *fw_fact_refuse(enum fw_fact fact, struct fw_str value, char *buf, size_t size, char *hint, size_t hint_size);

/* 0–6 for "mon"–"sun" (ASCII case folded), else -1; and back. */
int fw_weekday_find(struct fw_str name);
const char *fw_weekday_name(int weekday);

#endif

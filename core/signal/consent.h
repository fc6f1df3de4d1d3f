/* What a visitor consents to, as far as the request and the configuration tell. Two kinds of things: *purposes* say what data
 * is used for, and a place may have defaults of them; *channels* say where messages may go, and only the person opens one. */
#ifndef FW_SIGNAL_CONSENT_H
#define FW_SIGNAL_CONSENT_H

#include "fact/facts.h"

#define FW_CONSENT_ANALYTICS "analytics"             /* behaviour may be kept */
#define FW_CONSENT_PERSONALIZATION "personalization" /* and used for the visitor */
#define FW_CONSENT_SALE "sale"

/* email, sms, push, and what stands after one of them and a colon: a list of that channel ("email:news"). */
bool fw_consent_is_channel(struct fw_str what);
/* Of those that the product itself knows: the purposes above and the channels. */
bool fw_consent_is_known(struct fw_str what);
/* What Global Privacy Control objects to. */
bool fw_consent_is_objected(struct fw_str what);
/* What a context tells. */
struct fw_consent_told {
	const struct fw_json *categories; /* an object of purposes, granted where true; NULL: it does not tell */
	bool tcf;                         /* they are from a consent string alone */
};
/* context.consent.categoryPreferences, and context.consent.tcf, a string of the IAB's framework (signal/tcf.h), as the purposes
 * analytics, personalization and advertising; where both speak of one, either denies it. A string that cannot be read grants
 * nothing of the three, and says of nothing that it is denied for good. 0 or FW_ENOMEM. */
int fw_consent_read(struct fw_arena *a, const struct fw_json *context, struct fw_consent_told *ret);

/* One purpose's default. */
struct fw_consent_purpose {
	struct fw_str purpose; /* "analytics", "personalization", … */
	bool granted;
};

/* The defaults of a place, or of everywhere. */
struct fw_consent_defaults {
	struct fw_str place; /* "US-CA", "US" or "EU" (the Union); n 0: everywhere */
	const struct fw_consent_purpose *purposes;
	size_t n;
};

struct fw_consent_config {
	const struct fw_consent_defaults *defaults; /* those of everywhere among them, or none */
	size_t n;
	bool ignore_gpc; /* the store says that Global Privacy Control does not concern it */
};

/* From the configuration's words: {"default":{"analytics":"denied"},"region":{"US":{"analytics":"granted"}},"gpc":false};
 * all of it may be missing, NULL is nothing. Texts stay those of `told`, lists lie in the arena. What is not in this form
 * is passed over: the configuration was checked. 0 or FW_ENOMEM. */
int fw_consent_configure(struct fw_arena *a, const struct fw_json *told, struct fw_consent_config *ret);

/* Fills the fact `consent` with purposes: from `categories` (fw_consent_read; NULL when the request tells none: those
 * that are true, and no others), else from the defaults of the place that country, region and in_eu of `f` tell, the
 * narrowest first. A place that is not known could be any: then a purpose counts only if it is granted wherever the
 * visitor may be. Without either the fact stays as it is; consent_basis says which it was. `gpc` takes `sale` and
 * `personalization` away, unless the configuration says that it does not count; `objects` says whether it does.
 * 0 or FW_ENOMEM. */
int fw_consent_fill(struct fw_facts *f, const struct fw_consent_config *config, const struct fw_json *categories, bool gpc);

#endif

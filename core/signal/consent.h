/* What a visitor consents to, as far as the request and the configuration tell. */
#ifndef FW_SIGNAL_CONSENT_H
#define FW_SIGNAL_CONSENT_H

#include "fact/facts.h"

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

/* Fills the fact `consent`: from `categories` (context.consent.categoryPreferences, NULL when the request has none: those
 * that are true, and no others), else from the defaults of the place that country, region and in_eu of `f` tell, the
 * narrowest first. A place that is not known could be any: then a purpose counts only if it is granted wherever the
 * visitor may be. Without either the fact stays as it is. `gpc` takes `sale` and `personalization` away.
 * 0 or FW_ENOMEM. */
int fw_consent_fill(struct fw_facts *f, const struct fw_consent_config *config, const struct fw_json *categories, bool gpc);

#endif

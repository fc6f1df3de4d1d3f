/* Consent strings of IAB Europe's Transparency and Consent Framework, version 2 (2.0 to 2.3), which a consent platform gives a
 * page, and the page sends as context.consent.tcf. Form: "Transparency and Consent String with Global Vendor & CMP List
 * Formats", github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework. */
#ifndef FW_SIGNAL_TCF_H
#define FW_SIGNAL_TCF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Vendors to whom something is granted: where they stand in the core segment. */
struct fw_tcf_vendors {
	unsigned highest;   /* the highest id that is told; 0: none */
	unsigned n_ranges;
	bool in_ranges;     /* told as ranges of ids, else as a bit an id */
	size_t at_bit;
};

/* The core segment. Number N of a set of purposes or features is the bit 1 << N. */
struct fw_tcf {
	struct fw_str core;           /* a slice of the text that was parsed, which the vendors are looked up in */
	size_t core_bits;             /* of it that tell something; what follows them fills up */
	int64_t created_us, updated_us;
	unsigned cmp_id, cmp_version, screen;
	char language[3], publisher_country[3]; /* capitals; '?' for what is no letter */
	unsigned vendor_list_version, policy_version;
	bool service_specific, non_standard_texts, purpose_one_treatment;
	uint32_t special_features;    /* 1 precise geolocation, 2 active scanning of the device */
	uint32_t purposes_consent;    /* 1 to 24; what they are: see fw_tcf_purposes */
	uint32_t purposes_interest;   /* legitimate interest is claimed, and the visitor has not objected */
	struct fw_tcf_vendors vendor_consent, vendor_interest;
	unsigned n_restrictions;      /* of the publisher; only their form is looked at */
};

/* Reads a string, without allocating. Its core segment has to be whole; further segments have to be of base64url as well, and
 * are not read. FW_EINVAL: another version, a GPP string, or one that is broken; FW_ELIMIT: longer than FW_LIMIT_TCF_BYTES.
 * Whoever gets an error takes nothing for granted. */
int fw_tcf_parse(struct fw_str text, struct fw_tcf *ret, struct fw_error *err);

/* Whether a vendor of the Global Vendor List is among them; `v` is one of the two of `t`, whose text must still be there. */
bool fw_tcf_has_vendor(const struct fw_tcf *t, const struct fw_tcf_vendors *v, unsigned id);

/* What the string says of our purposes. */
struct fw_tcf_purposes {
	bool analytics;       /* 1, 8 and 9: access to the device, measuring content, statistics of audiences */
	bool personalization; /* 1, 5 and 6: access to the device, a profile for content, content chosen by it */
	bool contextual;      /* 11: content chosen by what little the page tells. It permits no profile, hence it is apart */
	bool advertising;     /* 1, 2, 3, 4 and 7: access to the device, advertisements plain and by a profile, measuring them */
};

/* A purpose of ours is granted when consent to all of its purposes is. Legitimate interest is no consent: it does not count. */
struct fw_tcf_purposes fw_tcf_purposes(const struct fw_tcf *t);

#endif

/* Where a visit came from: the default-channel conventions of web analytics over campaign parameters, click ids and the
 * referrer. */
#ifndef FW_SIGNAL_SOURCE_H
#define FW_SIGNAL_SOURCE_H

#include "fact/facts.h"
#include "signal/url.h"

struct fw_source_input {
	const struct fw_url *page; /* the address of the page the visitor is on; NULL: not told, or none */
	struct fw_str referrer; /* as the page saw it; n 0: none */
	bool page_told;         /* the client described its page, so that no referrer means a direct visit */
	struct fw_str source, medium, campaign, term, content; /* told beside the address, which they outrank */
	const struct fw_str *own_hosts; /* the store's; a referrer from them or from the page's own host is no source */
	size_t n_own_hosts;
};

/* Fills source, medium, campaign, term, content, referrer and landing, each where it is known. What was said explicitly
 * outranks a click id, that the referrer, and that nothing at all (a direct visit). A page that was reached from another page of
 * the store says nothing of where the visit came from: its first page did, and the person's record knows. `landing` is the
 * page's path when the visit began on it; `medium` is a click id's when nobody named another. 0 or FW_ENOMEM. */
int fw_source_fill(struct fw_facts *f, const struct fw_source_input *in);

#endif

#include "signal/sites.h"

#include <stdlib.h>

struct site {
	struct fw_str host;
	enum fw_site kind;
};

/* In order of their length, those of one length bytewise. */
static const struct site sites[] = {
#include "signal/site_table.h"
};

static int compare(const void *key, const void *element)
{
	const struct fw_str *wanted = key, *host = &((const struct site *)element)->host;
	if (wanted->n != host->n)
		return wanted->n < host->n ? -1 : 1;
	return memcmp(wanted->p, host->p, host->n);
}

static enum fw_site find(struct fw_str host)
{
	const struct site *s = bsearch(&host, sites, sizeof sites / sizeof *sites, sizeof *sites, compare);
	return s ? s->kind : FW_SITE_NONE;
}

enum fw_site fw_site_of(struct fw_str text)
{
	char folded[256];
	if (text.n == 0 || text.n > sizeof folded)
		return FW_SITE_NONE;
	fw_fold(text, folded);
	struct fw_str host = { folded, text.n };
	if (host.n > 4 && memcmp(host.p, "www.", 4) == 0)
		host = (struct fw_str){ host.p + 4, host.n - 4 };
	enum fw_site kind = find(host);
	/* Upwards, as long as two labels are left: first the rule for subdomains (".google.com"), then the parent itself. */
	for (const char *dot; kind == FW_SITE_NONE && (dot = memchr(host.p, '.', host.n));) {
		host = (struct fw_str){ dot, host.n - (size_t)(dot - host.p) };
		kind = find(host);
		host = (struct fw_str){ host.p + 1, host.n - 1 };
		if (kind == FW_SITE_NONE && memchr(host.p, '.', host.n))
			kind = find(host);
	}
	return kind;
}

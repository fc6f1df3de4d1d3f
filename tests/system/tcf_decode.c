/* Reads consent strings, a line each, and writes what ours understands of each as a line of JSON; null for one that is
 * refused. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "signal/tcf.h"

static void write_set(const char *name, uint32_t set)
{
	const char *comma = "";
	printf(",\"%s\":[", name);
	for (unsigned i = 0; i < 32; i++)
		if (set >> i & 1) {
			printf("%s%u", comma, i);
			comma = ",";
		}
	printf("]");
}

/* One after the other is asked for, some beyond the highest as well. */
static void write_vendors(const char *name, const struct fw_tcf *t, const struct fw_tcf_vendors *v)
{
	const char *comma = "";
	printf(",\"%s\":[", name);
	for (unsigned id = 0; id <= v->highest + 20; id++)
		if (fw_tcf_has_vendor(t, v, id)) {
			printf("%s%u", comma, id);
			comma = ",";
		}
	printf("]");
}

static const char *word(bool b)
{
	return b ? "true" : "false";
}

static void write_tcf(const struct fw_tcf *t)
{
	struct fw_tcf_purposes p = fw_tcf_purposes(t);
	printf("{\"created_ms\":%lld,\"updated_ms\":%lld,\"cmp_id\":%u,\"cmp_version\":%u,\"screen\":%u,\"language\":\"%s\"",
		(long long)t->created_us / 1000, (long long)t->updated_us / 1000, t->cmp_id, t->cmp_version, t->screen, t->language);
	printf(",\"vendor_list_version\":%u,\"policy_version\":%u,\"service_specific\":%s,\"non_standard_texts\":%s",
		t->vendor_list_version, t->policy_version, word(t->service_specific), word(t->non_standard_texts));
	printf(",\"purpose_one_treatment\":%s,\"publisher_country\":\"%s\"", word(t->purpose_one_treatment), t->publisher_country);
	printf(",\"n_restrictions\":%u,\"in_ranges\":%s", t->n_restrictions, word(t->vendor_consent.in_ranges));
	write_set("special_features", t->special_features);
	write_set("purposes_consent", t->purposes_consent);
	write_set("purposes_interest", t->purposes_interest);
	write_vendors("vendor_consent", t, &t->vendor_consent);
	write_vendors("vendor_interest", t, &t->vendor_interest);
	printf(",\"analytics\":%s,\"personalization\":%s,\"contextual\":%s,\"advertising\":%s}\n", word(p.analytics),
		word(p.personalization), word(p.contextual), word(p.advertising));
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, stdin)) > 0) {
		struct fw_tcf t;
		if (fw_tcf_parse((struct fw_str){ line, (size_t)n - (line[n - 1] == '\n') }, &t, NULL) == 0)
			write_tcf(&t);
		else
			puts("null");
	}
	free(line);
	return 0;
}

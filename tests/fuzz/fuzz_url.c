/* The address of a page and its referrer, a line each: the traffic source is one that the catalogue knows, and every fact
 * is text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signal/source.h"
#include "signal/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct fw_facts *f, enum fw_fact fact)
{
	const struct fw_value *v = &f->single[fact];
	char message[512], hint[512];
	if (v->state != FW_KNOWN)
		return;
	if (!fw_utf8_valid(v->text) || fw_fact_refuse(fact, v->text, message, sizeof message, hint, sizeof hint))
		abort();
}

/* Slices of the text, and nothing else. */
static void check_slices(struct fw_str text)
{
	struct fw_url u;
	if (!fw_url_parse(text, &u))
		return;
	struct fw_str parts[] = { u.scheme, u.host, u.query };
	for (int i = 0; i < 3; i++)
		if (parts[i].n && (parts[i].p < text.p || parts[i].p + parts[i].n > text.p + text.n))
			abort();
	if (u.path.n == 0 || u.path.p[0] != '/' || fw_url_host_in(u.host, FW_STR("[")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	struct fw_facts f;
	struct fw_str own = FW_STR("shop.example"), page = { (const char *)data, n }, referrer = { 0 };
	const char *end = n ? memchr(data, '\n', n) : NULL;
	if (end) {
		page.n = (size_t)(end - page.p);
		referrer = (struct fw_str){ end + 1, n - page.n - 1 };
	}
	check_slices(page);
	check_slices(referrer);
	fw_arena_init(&a, NULL, 0, 0);
	fw_facts_init(&f, &a, false);
	struct fw_url url;
	struct fw_source_input in = { .page = fw_url_parse(page, &url) ? &url : NULL, .referrer = referrer, .page_told = true,
		.own_hosts = &own, .n_own_hosts = 1 };
	if (fw_source_fill(&f, &in) != 0 || f.single[FW_FACT_SOURCE].state != FW_KNOWN)
		abort();
	for (int fact = FW_FACT_SOURCE; fact <= FW_FACT_LANDING; fact++)
		check(&f, (enum fw_fact)fact);
	fw_arena_finish(&a);
	return 0;
}

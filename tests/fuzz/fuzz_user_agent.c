/* User agent and client hints, a line each: the form is one that the catalogue knows, texts are text, and what is
 * remembered is what would be read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fact/catalogue.h"
#include "signal/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct fw_str take_line(struct fw_str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n, skip = n + (end != NULL);
	struct fw_str line = { rest->p, n };
	*rest = (struct fw_str){ rest->p + skip, rest->n - skip };
	return line;
}

static void check(const struct fw_device *d)
{
	char message[512], hint[512];
	if (d->form[0] && fw_fact_refuse(FW_FACT_DEVICE, fw_str(d->form), message, sizeof message, hint, sizeof hint))
		abort();
	if (!fw_utf8_valid(fw_str(d->os)) || !fw_utf8_valid(fw_str(d->browser)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct fw_agents *agents;
	static struct fw_device_cache *cache;
	struct fw_device fresh;
	struct fw_hints hints;
	if (!agents && (fw_agents_create(&agents, NULL) != 0 || !(cache = fw_device_cache_create(NULL))))
		abort();
	struct fw_str rest = { (const char *)data, n }, agent = take_line(&rest), brands = take_line(&rest), mobile = take_line(&rest),
		platform = take_line(&rest);
	fw_hints_from_headers(brands, mobile, platform, rest, &hints);
	fw_device_read(agents, agent, &hints, &fresh);
	check(&fresh);
	for (int i = 0; i < 2; i++) {
		const struct fw_device *kept = fw_device_find(cache, agents, agent, &hints);
		if (strcmp(kept->form, fresh.form) != 0 || strcmp(kept->os, fresh.os) != 0 || strcmp(kept->browser, fresh.browser) != 0)
			abort();
	}
	return 0;
}

/* X-Forwarded-For, Forwarded and Accept-Language as a client sent them, a line each. Behind a proxy that appends the true
 * address to what it was sent, the client is that address or not known, and never another. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fact/catalogue.h"
#include "signal/ip.h"
#include "signal/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct fw_str take_line(struct fw_str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : rest->n, skip = n + (end != NULL);
	struct fw_str line = { rest->p, n };
	*rest = (struct fw_str){ rest->p + skip, rest->n - skip };
	return line;
}

static struct fw_str append(struct fw_arena *a, struct fw_str sent, const char *added)
{
	size_t n = strlen(added);
	char *text = fw_arena_alloc(a, sent.n + n + 2);
	if (!text)
		abort();
	memcpy(text, sent.p, sent.n);
	memcpy(text + sent.n, ", ", 2);
	memcpy(text + sent.n + 2, added, n);
	return (struct fw_str){ text, sent.n + n + 2 };
}

static void check(const struct fw_ip *peer, const struct fw_forwarded *h, const struct fw_network *trusted, const char *expected)
{
	struct fw_ip client;
	char text[64];
	if (fw_ip_client(peer, h, trusted, 1, &client) && strcmp(fw_ip_text(&client, text), expected) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const added[][2] = { { "for=198.51.100.7", "198.51.100.7" },
		{ "for=\"[2001:db8::7]:80\";proto=https", "2001:db8::7" },
		{ "by=10.0.0.1;for=198.51.100.7;host=\"a\\\"b\"", "198.51.100.7" } };
	struct fw_arena a;
	struct fw_ip peer, any;
	struct fw_network proxy, any_network;
	struct fw_error err;
	char language[FW_LANGUAGE_TEXT];
	fw_arena_init(&a, NULL, 0, 0);
	if (!fw_ip_parse(FW_STR("10.0.0.1"), &peer) || fw_network_parse(FW_STR("10.0.0.0/8"), &proxy, &err) != 0)
		abort();
	struct fw_str rest = { (const char *)data, n }, x = take_line(&rest), forwarded = take_line(&rest);
	check(&peer, &(struct fw_forwarded){ append(&a, x, "198.51.100.7"), { 0 } }, &proxy, "198.51.100.7");
	check(&peer, &(struct fw_forwarded){ append(&a, x, "198.51.100.7"), forwarded }, &proxy, "198.51.100.7");
	for (int i = 0; i < 3; i++) {
		struct fw_str seen = append(&a, forwarded, added[i][0]);
		check(&peer, &(struct fw_forwarded){ { 0 }, seen }, &proxy, added[i][1]);
		check(&peer, &(struct fw_forwarded){ x.n ? x : (struct fw_str){ 0 }, seen }, &proxy, added[i][1]);
	}
	fw_ip_client(NULL, &(struct fw_forwarded){ x, forwarded }, &proxy, 1, &any);
	fw_ip_parse(x, &any);
	fw_network_parse(x, &any_network, &err);
	if (fw_language_of_header(rest, language) && !fw_fact_info(FW_FACT_LANGUAGE)->fits(fw_str(language)))
		abort();
	fw_arena_finish(&a);
	return 0;
}

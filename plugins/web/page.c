/* GET /fw.js, and beside it its source map and its types: the browser's part of this channel, from memory. */
#include "page_files.h"
#include "web.h"

#include <string.h>

static int is(const char *at, const char *end, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(end - at) >= n && memcmp(at, word, n) == 0;
}

/* Whether Accept-Encoding names gzip, and not with a weight of zero. */
static int takes_gzip(struct fw_plugin_text accept)
{
	const char *end = accept.p + accept.n;
	for (const char *at = accept.p; at && at < end; at++) {
		if (!is(at, end, "gzip"))
			continue;
		const char *comma = memchr(at, ',', (size_t)(end - at)), *weight = memchr(at, '=', (size_t)(end - at));
		if (!weight || (comma && weight > comma))
			return 1;
		for (weight++; weight < (comma ? comma : end); weight++)
			if (*weight >= '1' && *weight <= '9')
				return 1;
		return 0;
	}
	return 0;
}

int web_tag_matches(struct fw_plugin_text wanted, const char *tag)
{
	const char *end = wanted.p + wanted.n;
	for (const char *at = wanted.p; at && at < end; at++)
		if (is(at, end, tag) || (at == wanted.p && is(at, end, "*")))
			return 1;
	return 0;
}

void web_page(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	const char *path = host->request_path(request).p;
	const struct web_page_file *f = web_page_files;
	while (f->path && strcmp(f->path, path) != 0)
		f++;
	host->metric_add(host, WEB_METRIC_PAGE, 1);
	if (!f->path) {
		host->error(request, 404, "not_found", "there is nothing here", NULL, NULL);
		return;
	}
	int packed = takes_gzip(host->request_header(request, "Accept-Encoding"));
	const char *tag = packed ? f->packed_tag : f->tag;
	host->reply_header(request, "ETag", tag);
	host->reply_header(request, "Cache-Control", "public, max-age=3600, stale-while-revalidate=86400");
	host->reply_header(request, "Vary", "Accept-Encoding");
	host->reply_header(request, "X-Content-Type-Options", "nosniff");
	host->reply_header(request, "Cross-Origin-Resource-Policy", "cross-origin");
	if (web_tag_matches(host->request_header(request, "If-None-Match"), tag)) {
		host->reply(request, 304, NULL, NULL, 0);
		return;
	}
	if (packed)
		host->reply_header(request, "Content-Encoding", "gzip");
	host->reply(request, 200, f->type, packed ? f->packed : f->plain, packed ? f->packed_n : f->plain_n);
}

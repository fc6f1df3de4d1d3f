/* What people come to from a message: the page that unsubscribes, clicks, opens. */
#include "email.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char style[] = "body{margin:10vh auto;max-width:32rem;padding:0 1rem;font:1.1rem/1.5 system-ui,sans-serif}"
	"body{color:#222;background:#fff}"
	"button{font:inherit;padding:.6rem 1.2rem;border:2px solid #222;border-radius:.3rem;background:#222;color:#fff;cursor:pointer}"
	"button:focus-visible{outline:3px solid #36c;outline-offset:3px}"
	"@media(prefers-color-scheme:dark){body{color:#eee;background:#111}button{background:#eee;color:#111;border-color:#eee}}";

/* Nothing is loaded, nothing runs, and the one style is known by its hash. */
int email_pages_start(struct fw_plugin_instance *self)
{
	unsigned char hash[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
	unsigned n = 0;
	if (!EVP_Digest(style, sizeof style - 1, hash, &n, EVP_sha256(), NULL))
		return -1;
	EVP_EncodeBlock(text, hash, (int)n);
	snprintf(self->policy, sizeof self->policy,
		"default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'", (char *)text);
	return 0;
}

static void reply_page(struct fw_plugin_instance *self, struct fw_plugin_request *request, int status, const char *title, const char *body)
{
	const struct fw_host *host = self->host;
	struct email_text page = { 0 };
	const char *name = self->config.from.name[0] ? self->config.from.name : self->config.from.address;
	email_add_text(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	email_add_html(&page, title, strlen(title));
	email_add_text(&page, " – ");
	email_add_html(&page, name, strlen(name));
	email_add_text(&page, "</title>\n<style>");
	email_add_text(&page, style);
	email_add_text(&page, "</style>\n</head>\n<body>\n<main>\n<h1>");
	email_add_html(&page, title, strlen(title));
	email_add_text(&page, "</h1>\n");
	email_add_text(&page, body);
	email_add_text(&page, "\n</main>\n</body>\n</html>\n");
	if (page.failed) {
		host->error(request, 503, "unavailable", "out of memory", NULL, NULL);
		return;
	}
	host->reply_header(request, "Content-Security-Policy", self->policy);
	host->reply_header(request, "Referrer-Policy", "no-referrer");
	host->reply_header(request, "X-Content-Type-Options", "nosniff");
	host->reply_header(request, "X-Robots-Tag", "noindex");
	host->reply_header(request, "Cache-Control", "no-store");
	if (status == 503)
		host->reply_header(request, "Retry-After", "5");
	host->reply(request, status, "text/html; charset=utf-8", page.p, page.n);
	email_text_free(&page);
}

static void reply_later(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	reply_page(self, request, 503, "Please try again", "<p>This cannot be done right now. Please try again in a minute.</p>");
}

static void reply_not_found(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	reply_page(self, request, 404, "There is nothing here",
		"<p>This link is incomplete, or the message it stood in is no longer known. To unsubscribe, use the link in a "
		"newer message, or answer the message.</p>");
}

/* The signed token in the path behind the route, without `ending`. 0, or -1: it was answered why not. */
static int read_path(struct fw_plugin_instance *self, struct fw_plugin_request *request, char what, const char *ending,
	struct email_token *ret)
{
	struct fw_plugin_text text = self->host->request_segment(request, 0);
	size_t n = strlen(ending);
	int rc = COMMON_FORGED;
	if (text.p && text.n > n && memcmp(text.p + text.n - n, ending, n) == 0 && !self->host->request_segment(request, 1).p)
		rc = email_token_read(self->host, text.p, text.n - n, what, ret);
	if (rc == COMMON_FORGED)
		reply_not_found(self, request);
	else if (rc == COMMON_UNKNOWN_YET)
		reply_later(self, request);
	return rc == COMMON_SIGNED ? 0 : -1;
}

/* Unsubscribing. */

/* Whether a form says so, urlencoded or in parts (RFC 8058 §3.2 allows both). */
static int says_one_click(struct fw_plugin_text type, struct fw_plugin_text body)
{
	static const char plain[] = "List-Unsubscribe=One-Click";
	if (!body.p)
		return 0;
	if (type.n < 10 || !email_same(type.p, "multipart/", 10)) {
		for (const char *p = body.p, *end = p + body.n; p < end;) {
			const char *amp = memchr(p, '&', (size_t)(end - p));
			size_t n = amp ? (size_t)(amp - p) : (size_t)(end - p);
			while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
				n--;
			if (n == sizeof plain - 1 && email_same(p, plain, n))
				return 1;
			p = amp ? amp + 1 : end;
		}
		return 0;
	}
	const char *name = email_find(body.p, body.n, "name=\"List-Unsubscribe\""), *end = body.p + body.n;
	const char *value = name ? email_find(name, (size_t)(end - name), "\r\n\r\n") : NULL;
	return value && end - value >= 4 + 9 && email_same(value + 4, "One-Click", 9);
}

static void on_unsubscribed(struct fw_plugin_instance *self, void *data, const char *id, int status)
{
	(void)id;
	if (status == 0)
		return;
	if (status == 200)
		reply_page(self, data, 200, "You are unsubscribed",
			"<p>You will get no more advertising by e-mail from us. Messages about your orders still come.</p>");
	else if (status == 404)
		reply_not_found(self, data);
	else
		reply_later(self, data);
}

void email_unsubscribe(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct email_token token;
	struct email_text json = { 0 };
	if (read_path(self, request, EMAIL_TOKEN_UNSUBSCRIBE, "", &token) < 0)
		return;
	if (host->request_method(request) != FW_PLUGIN_POST) {
		reply_page(self, request, 200, "Unsubscribe?", "<p>Do you want no more advertising by e-mail from us?</p>\n"
			"<form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">"
			"<button type=\"submit\">Unsubscribe</button></form>");
		return;
	}
	if (!says_one_click(host->request_header(request, "Content-Type"), host->request_body(request))) {
		host->error(request, 400, "bad_request", "the body does not say List-Unsubscribe=One-Click", NULL, "see RFC 8058");
		return;
	}
	host->metric_add(host, EMAIL_METRIC_UNSUBSCRIBES, 1);
	if (email_tell(self, token.id, "unsubscribed", &json, 1, on_unsubscribed, request) < 0)
		reply_later(self, request);
}

/* Clicks and opens. */

static int header_has(const struct fw_host *host, struct fw_plugin_request *request, const char *name, const char *word)
{
	struct fw_plugin_text h = host->request_header(request, name);
	return h.p && email_find(h.p, h.n, word) != NULL;
}

/* Whether it was a program that looks at messages before people do, or fetches pictures in their place. */
static int is_machine(const struct fw_host *host, struct fw_plugin_request *request, const struct email_token *token)
{
	static const struct { const char *header, *word; } signs[] = { { "User-Agent", "GoogleImageProxy" },
		{ "User-Agent", "YahooMailProxy" }, { "Purpose", "prefetch" }, { "Sec-Purpose", "prefetch" } };
	struct fw_plugin_text agent = host->request_header(request, "User-Agent");
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (header_has(host, request, signs[i].header, signs[i].word))
			return 1;
	return !agent.n || (agent.n == 11 && memcmp(agent.p, "Mozilla/5.0", 11) == 0)
		|| host->now_us(host) / 1000000 - token->at_s < EMAIL_MACHINE_S;
}

/* Counts it, without having anybody wait. */
static void tell_seen(struct fw_plugin_instance *self, struct fw_plugin_request *request, const struct email_token *token, const char *name)
{
	struct email_text json = { 0 };
	email_add_text(&json, "{");
	if (token->target[0]) {
		email_add_text(&json, "\"url\":");
		email_add_json(&json, token->target, strlen(token->target));
	}
	if (is_machine(self->host, request, token))
		email_add_text(&json, token->target[0] ? ",\"machine\":true" : "\"machine\":true");
	email_add_text(&json, "}");
	email_tell(self, token->id, name, &json, EMAIL_TELL_TRIES, NULL, NULL);
	email_text_free(&json);
}

void email_click(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	const struct fw_host *host = self->host;
	struct email_token token;
	struct email_text location = { 0 };
	if (read_path(self, request, EMAIL_TOKEN_CLICK, "", &token) < 0)
		return;
	for (const char *p = token.target; *p; p++) {
		char hex[4];
		if ((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f)
			email_add_char(&location, *p);
		else
			email_add(&location, hex, (size_t)snprintf(hex, sizeof hex, "%%%02X", (unsigned char)*p));
	}
	if (host->request_method(request) == FW_PLUGIN_GET) {
		host->metric_add(host, EMAIL_METRIC_CLICKS, 1);
		tell_seen(self, request, &token, "clicked");
	}
	if (location.failed || host->reply_header(request, "Location", location.p) < 0) {
		reply_later(self, request);
	} else {
		host->reply_header(request, "Cache-Control", "no-store");
		host->reply_header(request, "Referrer-Policy", "no-referrer");
		host->reply(request, 302, NULL, "", 0);
	}
	email_text_free(&location);
}

void email_open(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	/* One point that cannot be seen. */
	static const unsigned char gif[43] = "GIF89a\1\0\1\0\x80\0\0\0\0\0\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
	const struct fw_host *host = self->host;
	struct email_token token;
	if (read_path(self, request, EMAIL_TOKEN_OPEN, ".gif", &token) < 0)
		return;
	if (host->request_method(request) == FW_PLUGIN_GET) {
		host->metric_add(host, EMAIL_METRIC_OPENS, 1);
		tell_seen(self, request, &token, "opened");
	}
	host->reply_header(request, "Cache-Control", "no-store, private");
	host->reply(request, 200, "image/gif", gif, sizeof gif);
}

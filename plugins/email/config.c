#include "config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/config.h"
#include "common/problem.h"
#include "token.h"

enum {
	TIMEOUT_MS = 60000,
	TIMEOUT_LEAST_MS = 1000,
	TIMEOUT_MOST_MS = 600000,
	CONNECTIONS = 8,
	BOUNCE_DOMAIN_BYTES = EMAIL_ADDRESS_BYTES - (3 + EMAIL_TAG_BYTES), /* of "b+TAG@DOMAIN" */
};

static const struct common_key keys[] = { { .name = "smtp" }, { .name = "starttls" }, { .name = "ca" }, { .name = "from" },
	{ .name = "reply_to" }, { .name = "address" }, { .name = "url" }, { .name = "preferences" }, { .name = "list_id" },
	{ .name = "feedback_id" }, { .name = "bounce_domain" }, { .name = "hostname" },
	{ "connections", COMMON_WHOLE, 1, EMAIL_CONNECTIONS }, { "timeout_ms", COMMON_WHOLE, TIMEOUT_LEAST_MS, TIMEOUT_MOST_MS },
	{ .name = "track_opens", .kind = COMMON_FLAG }, { .name = "track_clicks", .kind = COMMON_FLAG }, { .name = NULL } };

/* As a URL has it: an address of version 6 stands in brackets. A name is none but "localhost", whatever it begins with. */
static int is_loopback(const char *host)
{
	char inside[INET6_ADDRSTRLEN] = "";
	struct in_addr v4;
	struct in6_addr v6;
	if (strcasecmp(host, "localhost") == 0)
		return 1;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return sscanf(host, "[%45[0-9a-fA-F:.]]", inside) == 1 && inet_pton(AF_INET6, inside, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* A part of an URL that is a copy, to be freed; NULL: it has none. */
static char *part_of(CURLU *u, CURLUPart what, unsigned flag)
{
	char *text = NULL, *copy;
	if (curl_url_get(u, what, &text, flag) != CURLUE_OK)
		return NULL;
	copy = strdup(text);
	curl_free(text);
	return copy;
}

static CURLU *parse_url(const char *text)
{
	CURLU *u = curl_url();
	if (u && curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK)
		return u;
	curl_url_cleanup(u);
	return NULL;
}

static int read_tls(const char *word, const char *scheme, const char *name, int secret, struct email_config *ret,
	struct fw_plugin_problem *problem)
{
	static const struct { const char *word; long tls; } words[] = { { "required", CURLUSESSL_ALL }, { "offered", CURLUSESSL_TRY },
		{ "never", CURLUSESSL_NONE } };
	if (strcmp(scheme, "smtps") == 0) {
		ret->tls = CURLUSESSL_ALL;
		return !word ? 0 : common_refuse(problem, "leave starttls out, or write smtp://",
			"starttls is set, but smtps:// begins with TLS");
	}
	ret->tls = is_loopback(name) ? CURLUSESSL_NONE : CURLUSESSL_ALL;
	for (size_t i = 0; word && i <= sizeof words / sizeof *words; i++) {
		if (i == sizeof words / sizeof *words)
			return common_refuse(problem, "\"required\", \"offered\" or \"never\"", "starttls is \"%.100s\"", word);
		if (strcmp(words[i].word, word) == 0) {
			ret->tls = words[i].tls;
			break;
		}
	}
	if (secret && ret->tls != CURLUSESSL_ALL && !is_loopback(name))
		return common_refuse(problem, "leave starttls out",
			"starttls is \"%s\": the password could go over the network as it is", word);
	return 0;
}

/* smtp and starttls. `hostname` is what the server is greeted with. */
static int read_server(const struct fw_host *host, const char *smtp, const char *hostname, int *ret_loopback, struct email_config *ret,
	struct fw_plugin_problem *problem)
{
	const char *hint = "smtp://mail.shop.example:587, smtp://USER:PASSWORD@…, or smtps://…:465";
	CURLU *u = parse_url(smtp);
	int rc = -1;
	char *scheme = u ? part_of(u, CURLUPART_SCHEME, 0) : NULL, *name = u ? part_of(u, CURLUPART_HOST, 0) : NULL;
	char *port = u ? part_of(u, CURLUPART_PORT, 0) : NULL, *path = u ? part_of(u, CURLUPART_PATH, 0) : NULL;
	char *query = u ? part_of(u, CURLUPART_QUERY, 0) : NULL;
	if (!scheme || !name || (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0)) {
		common_refuse(problem, hint, "smtp is no address of a mail server");
		goto out;
	}
	if ((path && strcmp(path, "/") != 0) || query) {
		common_refuse(problem, "hostname says what the server is greeted with",
			"smtp has something behind the server's name and port");
		goto out;
	}
	ret->user = part_of(u, CURLUPART_USER, CURLU_URLDECODE);
	ret->password = part_of(u, CURLUPART_PASSWORD, CURLU_URLDECODE);
	*ret_loopback = is_loopback(name);
	if (read_tls(host->config_text(host, "starttls", NULL), scheme, name, ret->password != NULL, ret, problem) < 0)
		goto out;
	if (asprintf(&ret->server, "%s://%s%s%s/%s", scheme, name, port ? ":" : "", port ? port : "", hostname) >= 0)
		rc = 0;
	else
		ret->server = NULL, common_refuse(problem, "", "out of memory");
out:
	free(scheme);
	free(name);
	free(port);
	free(path);
	free(query);
	curl_url_cleanup(u);
	return rc;
}

/* A public address: http where it is this machine, else https, which RFC 8058 asks of the one-click link. */
static int check_web(const char *key, const char *url, struct fw_plugin_problem *problem)
{
	CURLU *u = parse_url(url);
	char *scheme = u ? part_of(u, CURLUPART_SCHEME, 0) : NULL, *name = u ? part_of(u, CURLUPART_HOST, 0) : NULL;
	int rc = 0;
	if (!scheme || !name || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) || strpbrk(url, " <>\"'\r\n"))
		rc = common_refuse(problem, "as https://shop.example", "%s is no address of a web server", key);
	else if (strcmp(scheme, "https") != 0 && !is_loopback(name))
		rc = common_refuse(problem, "mailbox providers take one-click links over https alone (RFC 8058)",
			"%s does not begin with https://", key);
	free(scheme);
	free(name);
	curl_url_cleanup(u);
	return rc;
}

static int read_links(const struct fw_host *host, int loopback, struct email_config *ret, struct fw_plugin_problem *problem)
{
	const char *url = host->config_text(host, "url", loopback ? "http://127.0.0.1:8080" : NULL);
	if (!url)
		return common_refuse(problem, "as https://shop.example, where people's browsers reach this server",
			"url is not set: links in messages lead there");
	if (check_web("url", url, problem) < 0)
		return -1;
	if (strpbrk(url, "?#"))
		return common_refuse(problem, "", "url has a query or a fragment: paths are added to it");
	if (!(ret->own_url = strdup(url)))
		return common_refuse(problem, "", "out of memory");
	size_t n = strlen(ret->own_url);
	while (n > 0 && ret->own_url[n - 1] == '/')
		ret->own_url[--n] = '\0';
	ret->url = ret->own_url;
	ret->preferences = host->config_text(host, "preferences", NULL);
	return ret->preferences ? check_web("preferences", ret->preferences, problem) : 0;
}

static int is_domain(const char *name)
{
	char address[300];
	int n = snprintf(address, sizeof address, "a@%s", name);
	return n < (int)sizeof address && email_address_is_fit(address, (size_t)n);
}

/* Names that stand in headers and addresses. */
static int read_names(const struct fw_host *host, struct email_config *ret, struct fw_plugin_problem *problem)
{
	ret->hostname = host->config_text(host, "hostname", strchr(ret->from.address, '@') + 1);
	ret->list_id = host->config_text(host, "list_id", NULL);
	ret->bounce_domain = host->config_text(host, "bounce_domain", NULL);
	ret->feedback_id = host->config_text(host, "feedback_id", NULL);
	const struct { const char *key, *value; } domains[] = { { "hostname", ret->hostname }, { "list_id", ret->list_id },
		{ "bounce_domain", ret->bounce_domain } };
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		if (domains[i].value && !is_domain(domains[i].value))
			return common_refuse(problem, "as news.shop.example", "%s is no domain name", domains[i].key);
	if (ret->bounce_domain && strlen(ret->bounce_domain) > BOUNCE_DOMAIN_BYTES)
		return common_refuse(problem, "what is before it, \"b+TAG@\", takes the rest of an address",
			"bounce_domain is longer than %d bytes",
			BOUNCE_DOMAIN_BYTES);
	if (ret->feedback_id && (strlen(ret->feedback_id) < 5 || strlen(ret->feedback_id) > 15 || strpbrk(ret->feedback_id, " \t\r\n:")))
		return common_refuse(problem, "one word that stands for the sender; rule and class are put before it",
			"feedback_id is not of 5 to 15 bytes, without blanks and colons");
	return 0;
}

static int read_mailboxes(const struct fw_host *host, struct email_config *ret, struct fw_plugin_problem *problem)
{
	const char *from = host->config_text(host, "from", NULL), *reply_to = host->config_text(host, "reply_to", NULL);
	struct fw_plugin_problem why = { .message = "" };
	if (!from)
		return common_refuse(problem, "as \"Shop <hello@shop.example>\"", "from is not set: who writes");
	if (email_mailbox_read(from, strlen(from), &ret->from, &why) < 0)
		return common_refuse(problem, why.hint, "from: %.400s", why.message);
	if (reply_to && email_mailbox_read(reply_to, strlen(reply_to), &ret->reply_to, &why) < 0)
		return common_refuse(problem, why.hint, "reply_to: %.400s", why.message);
	return 0;
}

int email_config_read(const struct fw_host *host, struct fw_plugin_text config, struct email_config *ret,
	struct fw_plugin_problem *problem)
{
	int loopback = 0;
	*ret = (struct email_config){ .address = NULL };
	if (common_config_check(host, config, keys, problem) < 0 || read_mailboxes(host, ret, problem) < 0 ||
		read_names(host, ret, problem) < 0)
		return -1;
	ret->connections = (unsigned)host->config_number(host, "connections", CONNECTIONS);
	ret->timeout_ms = (int64_t)host->config_number(host, "timeout_ms", TIMEOUT_MS);
	ret->track_opens = common_config_flag(config, "track_opens", 1);
	ret->track_clicks = common_config_flag(config, "track_clicks", 1);
	const char *smtp = host->config_text(host, "smtp", NULL);
	if (!smtp)
		return common_refuse(problem, "as smtp://127.0.0.1:25", "smtp is not set: the server that takes the messages");
	if (read_server(host, smtp, ret->hostname, &loopback, ret, problem) < 0 || read_links(host, loopback, ret, problem) < 0)
		return -1;
	ret->address = host->config_text(host, "address", NULL);
	if (!ret->address || !ret->address[0])
		return common_refuse(problem, "the shop's postal address, which advertising must name", "address is not set");
	ret->ca = host->config_path(host, "ca", NULL);
	if (ret->ca && access(ret->ca, R_OK) < 0)
		return common_refuse(problem, "a file of certificates, as PEM", "ca: %.300s cannot be read", ret->ca);
	return 0;
}

void email_config_free(struct email_config *c)
{
	if (c->password)
		OPENSSL_cleanse(c->password, strlen(c->password));
	free(c->server);
	free(c->user);
	free(c->password);
	free(c->own_url);
	*c = (struct email_config){ 0 };
}

#include "config.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <yajl/yajl_tree.h>

enum { TIMEOUT_MS = 60000, TIMEOUT_LEAST_MS = 1000, TIMEOUT_MOST_MS = 600000, CONNECTIONS = 8 };

static const char *const known[] = { "smtp", "starttls", "ca", "from", "reply_to", "address", "url", "preferences", "list_id",
	"feedback_id", "bounce_domain", "hostname", "connections", "timeout_ms", "track_opens", "track_clicks", NULL };
static const char *const numbers[] = { "connections", "timeout_ms", NULL };
static const char *const flags[] = { "track_opens", "track_clicks", NULL };

__attribute__((format(printf, 3, 4)))
static int refuse(struct fw_plugin_problem *problem, const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(problem->message, sizeof problem->message, format, args);
	va_end(args);
	snprintf(problem->hint, sizeof problem->hint, "%s", hint);
	return -1;
}

static int is_one_of(const char *key, const char *const *list)
{
	while (*list && strcmp(*list, key) != 0)
		list++;
	return *list != NULL;
}

static int is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

/* The host's calls give the stand-in for a value of another type; here that is refused. */
static int check_types(struct fw_plugin_text config, struct email_config *ret, struct fw_plugin_problem *problem)
{
	char error[128];
	yajl_val tree = yajl_tree_parse(config.p, error, sizeof error);
	int rc = 0;
	if (!YAJL_IS_OBJECT(tree)) {
		yajl_tree_free(tree);
		return refuse(problem, "", "the configuration of the plugin is no table");
	}
	for (size_t i = 0; i < YAJL_GET_OBJECT(tree)->len && rc == 0; i++) {
		const char *key = YAJL_GET_OBJECT(tree)->keys[i];
		yajl_val v = YAJL_GET_OBJECT(tree)->values[i];
		if (is_one_of(key, numbers)) {
			if (!YAJL_IS_NUMBER(v))
				rc = refuse(problem, "", "%s is no number", key);
		} else if (is_one_of(key, flags)) {
			if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v))
				rc = refuse(problem, "", "%s is neither true nor false", key);
			*(strcmp(key, "track_opens") == 0 ? &ret->track_opens : &ret->track_clicks) = YAJL_IS_TRUE(v);
		} else if (is_one_of(key, known) && !YAJL_IS_STRING(v)) {
			rc = refuse(problem, "", "%s is no text", key);
		}
	}
	yajl_tree_free(tree);
	return rc;
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
		return word ? refuse(problem, "leave starttls out, or write smtp://", "starttls is set, but smtps:// begins with TLS") : 0;
	}
	ret->tls = is_loopback(name) ? CURLUSESSL_NONE : CURLUSESSL_ALL;
	for (size_t i = 0; word && i <= sizeof words / sizeof *words; i++) {
		if (i == sizeof words / sizeof *words)
			return refuse(problem, "\"required\", \"offered\" or \"never\"", "starttls is \"%.100s\"", word);
		if (strcmp(words[i].word, word) == 0) {
			ret->tls = words[i].tls;
			break;
		}
	}
	if (secret && ret->tls != CURLUSESSL_ALL && !is_loopback(name))
		return refuse(problem, "leave starttls out", "starttls is \"%s\": the password could go over the network as it is", word);
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
		refuse(problem, hint, "smtp is no address of a mail server");
		goto out;
	}
	if ((path && strcmp(path, "/") != 0) || query) {
		refuse(problem, "hostname says what the server is greeted with", "smtp has something behind the server's name and port");
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
		ret->server = NULL, refuse(problem, "", "out of memory");
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
		rc = refuse(problem, "as https://shop.example", "%s is no address of a web server", key);
	else if (strcmp(scheme, "https") != 0 && !is_loopback(name))
		rc = refuse(problem, "mailbox providers take one-click links over https alone (RFC 8058)",
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
		return refuse(problem, "as https://shop.example, where people's browsers reach this server",
			"url is not set: links in messages lead there");
	if (check_web("url", url, problem) < 0)
		return -1;
	if (strpbrk(url, "?#"))
		return refuse(problem, "", "url has a query or a fragment: paths are added to it");
	if (!(ret->own_url = strdup(url)))
		return refuse(problem, "", "out of memory");
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
			return refuse(problem, "as news.shop.example", "%s is no domain name", domains[i].key);
	if (ret->feedback_id && (strlen(ret->feedback_id) < 5 || strlen(ret->feedback_id) > 15 || strpbrk(ret->feedback_id, " \t\r\n:")))
		return refuse(problem, "one word that stands for the sender; rule and class are put before it",
			"feedback_id is not of 5 to 15 bytes, without blanks and colons");
	return 0;
}

static int read_mailboxes(const struct fw_host *host, struct email_config *ret, struct fw_plugin_problem *problem)
{
	const char *from = host->config_text(host, "from", NULL), *reply_to = host->config_text(host, "reply_to", NULL);
	struct fw_plugin_problem why = { .message = "" };
	if (!from)
		return refuse(problem, "as \"Shop <hello@shop.example>\"", "from is not set: who writes");
	if (email_mailbox_read(from, strlen(from), &ret->from, &why) < 0)
		return refuse(problem, why.hint, "from: %.400s", why.message);
	if (reply_to && email_mailbox_read(reply_to, strlen(reply_to), &ret->reply_to, &why) < 0)
		return refuse(problem, why.hint, "reply_to: %.400s", why.message);
	return 0;
}

static int read_limits(const struct fw_host *host, struct email_config *ret, struct fw_plugin_problem *problem)
{
	double connections = host->config_number(host, "connections", CONNECTIONS);
	double timeout = host->config_number(host, "timeout_ms", TIMEOUT_MS);
	if (!(connections >= 1 && connections <= EMAIL_CONNECTIONS))
		return refuse(problem, "", "connections is not within 1 and %d", EMAIL_CONNECTIONS);
	if (!(timeout >= TIMEOUT_LEAST_MS && timeout <= TIMEOUT_MOST_MS))
		return refuse(problem, "", "timeout_ms is not within %d and %d", TIMEOUT_LEAST_MS, TIMEOUT_MOST_MS);
	ret->connections = (unsigned)connections;
	ret->timeout_ms = (int64_t)timeout;
	return 0;
}

int email_config_read(const struct fw_host *host, struct fw_plugin_text config, struct email_config *ret,
	struct fw_plugin_problem *problem)
{
	int loopback = 0;
	*ret = (struct email_config){ .track_opens = 1, .track_clicks = 1 };
	if (host->config_only(host, known, problem) < 0 || check_types(config, ret, problem) < 0 || read_mailboxes(host, ret, problem) < 0
			|| read_names(host, ret, problem) < 0)
		return -1;
	const char *smtp = host->config_text(host, "smtp", NULL);
	if (!smtp)
		return refuse(problem, "as smtp://127.0.0.1:25", "smtp is not set: the server that takes the messages");
	if (read_server(host, smtp, ret->hostname, &loopback, ret, problem) < 0 || read_links(host, loopback, ret, problem) < 0)
		return -1;
	ret->address = host->config_text(host, "address", NULL);
	if (!ret->address || !ret->address[0])
		return refuse(problem, "the shop's postal address, which advertising must name", "address is not set");
	ret->ca = host->config_path(host, "ca", NULL);
	if (ret->ca && access(ret->ca, R_OK) < 0)
		return refuse(problem, "a file of certificates, as PEM", "ca: %.300s cannot be read", ret->ca);
	return read_limits(host, ret, problem);
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

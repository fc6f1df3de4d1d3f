/* The configuration: what it may say, and what is wrong with it. */
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/problem.h"
#include "sms.h"

/* Printable, and of a length that fits where it goes: into headers and addresses. */
static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return text[0] && strlen(text) < SMS_SETTING_MOST;
}

/* A text that may be absent unless it is `needed`. */
static int read_text(const struct fw_host *host, const char *key, bool needed, const char **ret, struct fw_plugin_problem *problem)
{
	*ret = host->config_text(host, key, NULL);
	if (*ret ? is_plain(*ret) : !needed)
		return 0;
	if (*ret)
		return common_refuse(problem, "it may have 255 bytes", "%s is empty, too long or has a control character", key);
	return common_refuse(problem, "the gateway has to know who sends", "%s is not set", key);
}

/* http or https, a host, and perhaps a path: nothing that a path cannot be put behind. */
static bool is_address(const char *url)
{
	const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
	return host && *host && *host != '/' && !strpbrk(url, " ?#@%\"<>\\");
}

static size_t length_without_slash(const char *url)
{
	size_t n = strlen(url);
	while (n > 0 && url[n - 1] == '/')
		n--;
	return n;
}

static int read_gateway(const struct fw_host *host, struct sms_settings *s, struct fw_plugin_problem *problem)
{
	const char *name = host->config_text(host, "gateway", NULL);
	if (name && strcmp(name, "kannel") == 0)
		s->gateway = &sms_kannel;
	else if (name && strcmp(name, "twilio") == 0)
		s->gateway = &sms_twilio;
	else
		return common_refuse(problem, "\"kannel\" or \"twilio\"", name ? "gateway is none that is known" : "gateway is not set");
	return 0;
}

/* A key of the other kind of gateway would be read by nobody. */
static int refuse_others(const struct fw_host *host, const struct sms_settings *s, struct fw_plugin_problem *problem)
{
	static const char *const kannels[] = { "username", "password", "smsc", "secret", NULL };
	static const char *const twilios[] = { "account", "token", NULL };
	const char *const *keys = s->gateway == &sms_kannel ? twilios : kannels;
	for (; *keys; keys++)
		if (host->config_text(host, *keys, NULL))
			return common_refuse(problem, s->gateway == &sms_kannel ? "username and password are Kannel's"
				: "account and token are Twilio's", "%s is nothing that the gateway \"%s\" has", *keys, s->gateway->name);
	return 0;
}

static int read_addresses(const struct fw_host *host, struct sms_settings *s, struct fw_plugin_problem *problem)
{
	const char *url, *callback = host->config_text(host, "callback", NULL);
	if (read_text(host, "url", true, &url, problem) < 0)
		return -1;
	if (!is_address(url))
		return common_refuse(problem, "\"http://127.0.0.1:13013\" or \"https://api.twilio.com\"", "url is no address");
	if (s->gateway == &sms_twilio && !callback)
		return common_refuse(problem, "the address under which the gateway reaches this server: \"https://shop.example\"",
			"callback is not set");
	if (!callback)
		callback = "http://127.0.0.1:8080";
	if (!is_plain(callback) || !is_address(callback))
		return common_refuse(problem, "\"https://shop.example\", as the gateway is to ask it", "callback is no address");
	snprintf(s->callback, sizeof s->callback, "%.*s", (int)length_without_slash(callback), callback);
	size_t n = length_without_slash(url);
	const char *path = n > 8 ? memchr(url + 8, '/', n - 8) : NULL;
	if (s->gateway == &sms_twilio)
		snprintf(s->address, sizeof s->address, "%.*s/2010-04-01/Accounts/%s/Messages.json", (int)n, url, s->user);
	else
		snprintf(s->address, sizeof s->address, "%.*s%s", (int)n, url, path ? "" : "/cgi-bin/sendsms");
	return 0;
}

static bool is_account(const char *text)
{
	for (; *text; text++)
		if (!((*text >= '0' && *text <= '9') || ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z')))
			return false;
	return true;
}

/* A text that the plugin sends by itself: the configuration's, else our own with the brand before it. */
static int read_reply(const struct fw_host *host, const struct sms_settings *s, const char *key, const char *otherwise, char *ret,
	size_t room, struct fw_plugin_problem *problem)
{
	char encoded[4 * SMS_SETTING_MOST];
	const char *text = host->config_text(host, key, NULL), *brand = host->config_text(host, "brand", "");
	struct sms_text size = { .segments = 0 };
	int n = text ? snprintf(ret, room, "%s", text) : snprintf(ret, room, "%s%s%s", brand, *brand ? ": " : "", otherwise);
	if (n >= 0 && (size_t)n < room && sms_encode(ret, (size_t)n, encoded, &size) == 0 && size.segments <= s->max_segments)
		return 0;
	return common_refuse(problem, "one segment has 160 characters, or 70 where one of them is beyond the GSM alphabet",
		"%s takes more than max_segments, or is no text", key);
}

static int read_replies(const struct fw_host *host, struct sms_settings *s, struct fw_plugin_problem *problem)
{
	const char *brand = host->config_text(host, "brand", "");
	if (*brand && !is_plain(brand))
		return common_refuse(problem, "the name that people know the shop by", "brand is too long or has a control character");
	if (read_reply(host, s, "help", "Reply STOP to get no more messages.", s->help, sizeof s->help, problem) < 0 ||
		read_reply(host, s, "stop_confirmation", "You will get no more messages. Reply START to get them again.", s->stop,
			sizeof s->stop, problem) < 0)
		return -1;
	return read_reply(host, s, "start_confirmation", "You will get messages again. Reply STOP to get no more, HELP for help.", s->start,
		sizeof s->start, problem);
}

int sms_settings_read(const struct fw_host *host, struct fw_plugin_text config, struct sms_settings *s, struct fw_plugin_problem *problem)
{
	static const struct common_key keys[] = { { .name = "gateway" }, { .name = "url" }, { .name = "username" }, { .name = "password" },
		{ .name = "account" }, { .name = "token" }, { .name = "from" }, { .name = "callback" }, { .name = "smsc" },
		{ .name = "secret" }, { "max_segments", COMMON_WHOLE, 1, SMS_SEGMENTS_MOST }, { .name = "help" },
		{ .name = "stop_confirmation" }, { .name = "start_confirmation" }, { .name = "brand" }, { .name = NULL } };
	*s = (struct sms_settings){ .max_segments = 0 };
	if (common_config_check(host, config, keys, problem) < 0 || read_gateway(host, s, problem) < 0 ||
		refuse_others(host, s, problem) < 0)
		return -1;
	if (read_text(host, s->gateway->user_key, true, &s->user, problem) < 0 ||
		read_text(host, s->gateway->password_key, true, &s->password, problem) < 0 ||
		read_text(host, "from", true, &s->from, problem) < 0 || read_text(host, "smsc", false, &s->smsc, problem) < 0 ||
		read_text(host, "secret", false, &s->secret, problem) < 0)
		return -1;
	if (s->secret && strlen(s->secret) < SMS_SECRET_LEAST)
		return common_refuse(problem, "16 bytes that nobody guesses: openssl rand -hex 16", "secret is too short");
	if (s->gateway == &sms_twilio && !is_account(s->user))
		return common_refuse(problem, "letters and digits, as \"AC…\"", "account is none");
	bool service = s->gateway == &sms_twilio && strncmp(s->from, "MG", 2) == 0 && strlen(s->from) == 34 && is_account(s->from);
	if (!service && !sms_sender(s->from))
		return common_refuse(problem, "\"+4930123456\", a short code of 3 to 8 digits, or a name of up to 11 letters and digits; "
			"with Twilio also a service, \"MG…\"", "from is nothing that a message can come from");
	s->max_segments = (unsigned)host->config_number(host, "max_segments", SMS_SEGMENTS);
	if (read_addresses(host, s, problem) < 0)
		return -1;
	return read_replies(host, s, problem);
}

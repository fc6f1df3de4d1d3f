#include <stdio.h>
#include <string.h>

#include "smtp_own.h"

/* Lines of the server while libcurl speaks: what it can, of the last EHLO. */
static size_t on_line(char *p, size_t size, size_t n, void *data)
{
	struct email_connection *c = data;
	size_t length = size * n;
	if (length >= 4 && memcmp(p, "220", 3) == 0)
		c->pipelines = c->sizes = 0;
	else if (length >= 14 && email_same(p + 4, "PIPELINING", 10))
		c->pipelines = 1;
	else if (length > 8 && email_same(p + 4, "SIZE", 4) && (p[8] == ' ' || p[8] == '\r'))
		c->sizes = 1;
	return length;
}

static void on_done(struct email_connection *c, CURLcode rc)
{
	char reason[CURL_ERROR_SIZE + 64];
	curl_socket_t fd = CURL_SOCKET_BAD;
	if (rc == CURLE_OK)
		curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd != CURL_SOCKET_BAD) {
		email_connected(c, fd);
		return;
	}
	snprintf(reason, sizeof reason, "the mail server cannot be used: %s", c->error[0] ? c->error : curl_easy_strerror(rc));
	email_lose(c, reason);
}

static void look_for_done(struct email_smtp *s)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(s->multi, &left))) {
		struct email_connection *c = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode rc = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		on_done(c, rc);
	}
}

static void on_curl_ready(struct fw_plugin_instance *self, void *data, int fd, int events)
{
	struct email_smtp *s = data;
	int running, mask = (events & FW_PLUGIN_READABLE ? CURL_CSELECT_IN : 0) | (events & FW_PLUGIN_WRITABLE ? CURL_CSELECT_OUT : 0);
	(void)self;
	curl_multi_socket_action(s->multi, fd, mask, &running);
	look_for_done(s);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
	struct email_smtp *s = data;
	struct fw_plugin_watch *watch = NULL;
	int events = (what & CURL_POLL_IN ? FW_PLUGIN_READABLE : 0) | (what & CURL_POLL_OUT ? FW_PLUGIN_WRITABLE : 0);
	(void)easy;
	if (s->stopped)
		return 0;
	if (assigned)
		s->host->unwatch(assigned);
	if (what != CURL_POLL_REMOVE)
		watch = s->host->watch(s->host, fd, events, on_curl_ready, s);
	curl_multi_assign(s->multi, fd, watch);
	return 0;
}

static void on_curl_time(struct fw_plugin_instance *self, void *data)
{
	struct email_smtp *s = data;
	int running;
	(void)self;
	s->curl_timer = NULL;
	curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_done(s);
}

static int on_curl_timer(CURLM *multi, long ms, void *data)
{
	struct email_smtp *s = data;
	(void)multi;
	if (s->stopped)
		return 0;
	if (s->curl_timer)
		s->host->timer_stop(s->curl_timer);
	s->curl_timer = ms >= 0 ? s->host->timer_start(s->host, ms, 0, on_curl_time, s) : NULL;
	return 0;
}

static CURL *make_easy(struct email_connection *c)
{
	const struct email_config *config = c->smtp->config;
	CURL *e = curl_easy_init();
	if (!e)
		return NULL;
	curl_easy_setopt(e, CURLOPT_URL, config->server);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_PROXY, ""); /* none of the environment's */
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* nobody waits for a name server */
	curl_easy_setopt(e, CURLOPT_USE_SSL, config->tls);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)config->timeout_ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	if (config->ca)
		curl_easy_setopt(e, CURLOPT_CAINFO, config->ca);
	if (config->user)
		curl_easy_setopt(e, CURLOPT_USERNAME, config->user);
	if (config->password)
		curl_easy_setopt(e, CURLOPT_PASSWORD, config->password);
	return e;
}

int email_dial(struct email_connection *c)
{
	c->easy = make_easy(c);
	return c->easy && curl_multi_add_handle(c->smtp->multi, c->easy) == CURLM_OK ? 0 : -1;
}

CURLM *email_dial_create(struct email_smtp *s)
{
	CURLM *multi = curl_multi_init();
	if (!multi)
		return NULL;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, s);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, s);
	return multi;
}

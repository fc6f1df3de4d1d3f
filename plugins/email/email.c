/* The e-mail channel: the descriptor, and how a message becomes mail. */
#include "email.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "common/problem.h"
#include "content.h"

static const struct fw_plugin_route routes[] = {
	{ "/email/u/", FW_PLUGIN_GET | FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, email_unsubscribe },
	{ "/email/c/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, email_click },
	{ "/email/o/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, email_open },
	{ "/email/bounces", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_SECRET, email_report },
	{ NULL, 0, 0, NULL },
};

static const struct fw_plugin_metric metrics[] = {
	[EMAIL_METRIC_SENT] = { "sent_total", "Messages that the mail server took.", 0 },
	[EMAIL_METRIC_RETRIED] = { "retried_total", "Attempts that are to be made again.", 0 },
	[EMAIL_METRIC_FAILED] = { "failed_total", "Messages that were refused for good.", 0 },
	[EMAIL_METRIC_OPENS] = { "opens_total", "Requests for the picture in a message.", 0 },
	[EMAIL_METRIC_CLICKS] = { "clicks_total", "Links of messages that were followed.", 0 },
	[EMAIL_METRIC_UNSUBSCRIBES] = { "unsubscribes_total", "Requests to unsubscribe.", 0 },
	[EMAIL_METRIC_REPORTS] = { "reports_total", "Messages handed to /email/bounces.", 0 },
	[EMAIL_METRIC_LOST] = { "lost_total", "Opens and clicks that the store did not take in time.", 0 },
	{ NULL, NULL, 0 },
};

/* A message while it is made. */
struct making {
	struct email_content content;
	struct email_mailbox from, reply_to;
	struct email_text unsubscribe, html, text, mail;
	char tag[EMAIL_TAG_BYTES + 1], message_id[EMAIL_TAG_BYTES + EMAIL_ADDRESS_BYTES + 2], feedback[512];
};

static void finish_making(struct making *m)
{
	email_content_free(&m->content);
	email_text_free(&m->unsubscribe);
	email_text_free(&m->html);
	email_text_free(&m->text);
	email_text_free(&m->mail);
}

static int fail(struct fw_plugin_problem *problem, int outcome, const char *why)
{
	common_refuse(problem, "", "%s", why);
	return outcome;
}

static int is_marketing(const struct email_content *c)
{
	return !c->class.p || strcmp(c->class.p, "marketing") == 0;
}

/* "<rule>:<class>:<sender>", each of characters that the form allows. */
static void write_feedback(const struct making *m, const char *sender, char ret[static 512])
{
	const struct email_text *rule = &m->content.rule;
	int n = snprintf(ret, 512, "%.200s:%.40s:%s", rule->p ? rule->p : "", m->content.class.p ? m->content.class.p : "", sender);
	for (int i = (rule->p ? (int)strnlen(rule->p, 200) : 0) - 1; i >= 0; i--)
		if (ret[i] == ':')
			ret[i] = '-';
	for (int i = 0; i < n; i++)
		if (ret[i] <= ' ' || ret[i] > '~')
			ret[i] = '-';
}

/* The bodies, with what this plugin adds. 0, or an outcome. */
static int make_bodies(struct fw_plugin_instance *self, const struct fw_plugin_message *message, int64_t at_s, struct making *m,
	struct fw_plugin_problem *problem)
{
	const struct email_config *config = &self->config;
	const struct email_content *c = &m->content;
	int marketing = is_marketing(c);
	email_add_text(&m->unsubscribe, config->url);
	email_add_text(&m->unsubscribe, "/email/u/");
	if (email_token_add(self->host, message->id, EMAIL_TOKEN_UNSUBSCRIBE, at_s, NULL, &m->unsubscribe) < 0
			|| email_tag_make(self->host, message->id, m->tag) < 0)
		return fail(problem, FW_PLUGIN_RETRY, "the store has not told the key yet that links are signed with");
	if (m->unsubscribe.failed)
		return fail(problem, FW_PLUGIN_RETRY, "out of memory");
	struct email_inset inset = {
		.host = self->host, .id = message->id, .at_s = at_s, .url = config->url, .unsubscribe = m->unsubscribe.p,
		.preferences = config->preferences ? config->preferences : m->unsubscribe.p, .address = config->address,
		.required = marketing,
		.clicks = c->track && config->track_clicks, .opens = c->track && config->track_opens && marketing,
	};
	if ((c->html.p && email_body_html(&inset, (struct fw_plugin_text){ c->html.p, c->html.n }, &m->html) < 0)
			|| (c->text.p && email_body_text(&inset, (struct fw_plugin_text){ c->text.p, c->text.n }, &m->text) < 0))
		return fail(problem, FW_PLUGIN_RETRY, "the store has not told the key yet that links are signed with");
	return 0;
}

/* The senders that the content names, else the configuration's. */
static int choose_mailboxes(const struct fw_plugin_instance *self, struct making *m, struct fw_plugin_problem *problem)
{
	m->from = self->config.from;
	m->reply_to = self->config.reply_to;
	const struct email_text *from = &m->content.from, *reply_to = &m->content.reply_to;
	if (from->p && from->n && email_mailbox_read(from->p, from->n, &m->from, problem) < 0)
		return FW_PLUGIN_FAILED;
	if (reply_to->p && reply_to->n && email_mailbox_read(reply_to->p, reply_to->n, &m->reply_to, problem) < 0)
		return FW_PLUGIN_FAILED;
	return 0;
}

static struct fw_plugin_text as_text(const struct email_text *t)
{
	return (struct fw_plugin_text){ t->p, t->n };
}

/* Makes the mail in m->mail. 0, or an outcome. */
static int make(struct fw_plugin_instance *self, const struct fw_plugin_message *message, struct making *m,
	struct fw_plugin_problem *problem)
{
	const struct email_config *config = &self->config;
	int64_t at_s = self->host->now_us(self->host) / 1000000;
	int outcome;
	if (!common_id_is_fit(message->id, strlen(message->id)))
		return fail(problem, FW_PLUGIN_FAILED, "the message's id is not of lower-case letters and digits");
	if (email_content_read(message->json, &m->content, problem) < 0)
		return FW_PLUGIN_FAILED;
	if ((outcome = choose_mailboxes(self, m, problem)) != 0 || (outcome = make_bodies(self, message, at_s, m, problem)) != 0)
		return outcome;
	int marketing = is_marketing(&m->content);
	snprintf(m->message_id, sizeof m->message_id, "%s@%s", m->tag, config->hostname);
	if (config->feedback_id)
		write_feedback(m, config->feedback_id, m->feedback);
	struct email_mail mail = {
		.from = &m->from, .reply_to = m->reply_to.address[0] ? &m->reply_to : NULL, .to = message->to,
		.subject = as_text(&m->content.subject), .html = as_text(&m->html), .text = as_text(&m->text), .id = message->id,
		.message_id = m->message_id, .at_s = at_s, .list_id = marketing ? config->list_id : NULL,
		.feedback_id = config->feedback_id ? m->feedback : NULL, .unsubscribe = marketing ? m->unsubscribe.p : NULL,
	};
	if (email_mime_write(&mail, &m->mail, problem) < 0)
		return FW_PLUGIN_FAILED;
	if (m->html.failed || m->text.failed || m->mail.failed)
		return fail(problem, FW_PLUGIN_RETRY, "out of memory");
	return 0;
}

/* What goes over the wire; NULL: out of memory. */
static struct email_job *make_job(const struct fw_plugin_instance *self, const struct fw_plugin_message *message, const struct making *m)
{
	int64_t now_us = self->host->monotonic_us(self->host), left_us = message->until_us - now_us;
	struct email_job *job = calloc(1, sizeof *job);
	if (!job)
		return NULL;
	snprintf(job->id, sizeof job->id, "%s", message->id);
	snprintf(job->to, sizeof job->to, "%s", message->to);
	job->last_us = now_us + left_us / 4 * 3;
	job->answer_us = now_us + left_us / 16 * 15;
	job->until_us = message->until_us;
	if (self->config.bounce_domain)
		snprintf(job->from, sizeof job->from, "b+%s@%s", m->tag, self->config.bounce_domain);
	else
		snprintf(job->from, sizeof job->from, "%s", m->from.address);
	email_smtp_stuff(&m->mail, &job->data);
	if (!job->data.failed)
		return job;
	email_job_free(job);
	return NULL;
}

static int deliver(struct fw_plugin_instance *self, const struct fw_plugin_message *message, struct fw_plugin_problem *problem)
{
	struct making m = { .tag = "" };
	struct email_job *job = NULL;
	int outcome = self->draining ? fail(problem, FW_PLUGIN_RETRY, "this worker is about to end") : make(self, message, &m, problem);
	if (outcome != 0)
		goto out;
	outcome = FW_PLUGIN_RETRY;
	if (!(job = make_job(self, message, &m)))
		fail(problem, outcome, "out of memory");
	else if (email_smtp_send(self->smtp, job) < 0)
		fail(problem, outcome, "too many messages wait for the mail server");
	else
		outcome = FW_PLUGIN_PENDING;
out:
	if (outcome != FW_PLUGIN_PENDING) {
		email_job_free(job);
		self->host->metric_add(self->host, outcome == FW_PLUGIN_FAILED ? EMAIL_METRIC_FAILED : EMAIL_METRIC_RETRIED, 1);
	}
	finish_making(&m);
	return outcome;
}

static void tell_result(struct fw_plugin_instance *self, const char *id, int outcome, const char *reason)
{
	static const unsigned metric[] = { [FW_PLUGIN_DELIVERED] = EMAIL_METRIC_SENT, [FW_PLUGIN_RETRY] = EMAIL_METRIC_RETRIED,
		[FW_PLUGIN_FAILED] = EMAIL_METRIC_FAILED };
	self->host->metric_add(self->host, metric[outcome], 1);
	self->host->deliver_result(self->host, id, outcome, reason);
}

/* What is to be said of a message once its bounce is stored. */
struct bounced {
	int64_t until_us;
	char reason[EMAIL_REPLY_TEXT];
};

/* The suppression is kept before the attempt is over; while it cannot be, the address will be asked again. */
static void on_bounced(struct fw_plugin_instance *self, void *data, const char *id, int status)
{
	struct bounced *b = data;
	if (status && self->host->monotonic_us(self->host) < b->until_us)
		tell_result(self, id, status == 503 ? FW_PLUGIN_RETRY : FW_PLUGIN_FAILED, b->reason);
	free(b);
}

static void on_sent(struct fw_plugin_instance *self, const char *id, int64_t until_us, const struct email_result *result)
{
	struct email_text json = { 0 };
	if (!result->bounced) {
		tell_result(self, id, result->outcome, result->reason[0] ? result->reason : NULL);
		return;
	}
	struct bounced *b = malloc(sizeof *b);
	if (b) {
		b->until_us = until_us;
		snprintf(b->reason, sizeof b->reason, "%s", result->reason);
	}
	email_add_text(&json, "{\"status\":");
	email_add_json(&json, result->status, strlen(result->status));
	email_add_text(&json, ",\"reason\":");
	email_add_json(&json, result->reason, strlen(result->reason));
	email_add_text(&json, "}");
	if (!b || email_tell(self, id, "bounced", &json, EMAIL_TELL_TRIES, on_bounced, b) < 0) {
		tell_result(self, id, FW_PLUGIN_RETRY, result->reason);
		free(b);
	}
	email_text_free(&json);
}

static int preview(const struct fw_host *host, struct fw_plugin_text config, const struct fw_plugin_message *message,
	const struct fw_plugin_preview *preview, struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance self = { .host = host };
	struct making m = { .tag = "" };
	int rc = email_config_read(host, config, &self.config, problem);
	if (rc == 0 && make(&self, message, &m, problem) != 0)
		rc = -1;
	if (rc == 0 && (preview->file(preview, "eml", as_text(&m.mail)) < 0
			|| (m.html.p && preview->file(preview, "html", as_text(&m.html)) < 0)
			|| (m.text.p && preview->file(preview, "txt", as_text(&m.text)) < 0)))
		rc = fail(problem, -1, "out of memory");
	finish_making(&m);
	email_config_free(&self.config);
	return rc;
}

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	struct email_config read;
	int rc = email_config_read(host, config, &read, problem);
	email_config_free(&read);
	return rc;
}

static void stop(struct fw_plugin_instance *self)
{
	email_smtp_destroy(self->smtp);
	email_tell_stop(self);
	email_config_free(&self->config);
	free(self);
	curl_global_cleanup();
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	if (!self || curl_global_init(CURL_GLOBAL_ALL) != 0) {
		free(self);
		return fail(problem, -1, "out of memory");
	}
	self->host = host;
	if (email_config_read(host, config, &self->config, problem) < 0) {
		stop(self);
		return -1;
	}
	if (email_pages_start(self) < 0 || !(self->smtp = email_smtp_create(host, self, &self->config, on_sent))) {
		stop(self);
		return fail(problem, -1, "out of memory");
	}
	*ret_self = self;
	return 0;
}

static void drain(struct fw_plugin_instance *self, int64_t deadline_ms)
{
	(void)deadline_ms;
	self->draining = 1;
	email_smtp_drain(self->smtp);
}

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 5,
	.struct_size = sizeof(struct fw_plugin),
	.name = "email",
	.build_id = "0.1.0",
	.routes = routes,
	.metrics = metrics,
	.configure = configure,
	.start = start,
	.drain = drain,
	.stop = stop,
	.deliver = deliver,
	.preview = preview,
};

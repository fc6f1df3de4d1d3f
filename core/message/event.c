/* What is told of a message becomes an event of the person, in the names of the e-mail and SMS specifications where they have one. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "message/own.h"

const char *fw_message_event_name(struct fw_str channel, struct fw_str name)
{
	static const struct {
		const char *name, *email, *sms, *other;
	} names[] = {
		{ "delivered", "Email Delivered", "SMS Delivered", "Message Delivered" },
		{ "deferred", "Email Deferred", "SMS Deferred", "Message Deferred" },
		{ "failed", "Email Failed", "SMS Failed", "Message Failed" },
		{ "bounced", "Email Bounced", "SMS Bounced", "Message Bounced" },
		{ "complained", "Email Marked as Spam", "SMS Marked as Spam", "Message Marked as Spam" },
		{ "opened", "Email Opened", "SMS Opened", "Message Opened" },
		{ "clicked", "Email Link Clicked", "SMS Link Clicked", "Message Link Clicked" },
		{ "unsubscribed", "Unsubscribed", "Unsubscribed", "Unsubscribed" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (fw_str_is(name, names[i].name))
			return fw_str_is(channel, "email") ? names[i].email : fw_str_is(channel, "sms") ? names[i].sms : names[i].other;
	return NULL;
}

/* Once per message, name and link. */
static void put_message_id(struct fw_json_out *o, const char *id, struct fw_str name, const struct fw_json *properties)
{
	char text[FW_LIMIT_MESSAGE_ID_BYTES];
	struct fw_str url = fw_json_text(properties, "url");
	int n = snprintf(text, sizeof text, "%s:%.*s:%016llx", id, (int)name.n, name.p,
		url.n ? (unsigned long long)fw_hash(url.p, url.n) : 0ull);
	fw_json_key(o, "messageId");
	fw_json_string(o, (struct fw_str){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 });
}

static void put_text(struct fw_json_out *o, const char *key, struct fw_str value)
{
	fw_json_key(o, key);
	fw_json_string(o, value);
}

static void put_event(struct fw_json_out *o, struct fw_str channel, struct fw_str name, const char *id, struct fw_str rule,
	const struct fw_json *properties)
{
	fw_json_open_object(o);
	put_text(o, "type", FW_STR("track"));
	put_text(o, "event", fw_str(fw_message_event_name(channel, name)));
	put_text(o, "anonymousId", FW_STR("-")); /* whose it is, is known otherwise */
	put_message_id(o, id, name, properties);
	fw_json_key(o, "properties");
	fw_json_open_object(o);
	put_text(o, "message_id", fw_str(id));
	put_text(o, "campaign_name", rule);
	put_text(o, "channel", channel);
	for (const struct fw_json *m = properties ? properties->child : NULL; m; m = m->next) {
		if (fw_str_is(m->key, "message_id") || fw_str_is(m->key, "campaign_name") || fw_str_is(m->key, "channel"))
			continue;
		fw_json_key_str(o, fw_str_is(m->key, "machine") ? FW_STR("machine_open") : m->key);
		fw_json_tree(o, m);
	}
	fw_json_close_object(o);
	fw_json_close_object(o);
}

int fw_message_event(struct fw_arena *a, struct fw_str channel, struct fw_str name, const char *id, struct fw_str rule, struct fw_str json,
	int64_t now_us, struct fw_event *ret)
{
	struct fw_json *properties = NULL, *event = NULL;
	struct fw_error err;
	struct fw_refusal refusal;
	struct fw_buf b;
	struct fw_json_out o;
	struct fw_str text;
	int rc = json.n ? fw_json_parse(a, json.p, json.n, &properties, &err) : 0;
	if (rc < 0 || (properties && properties->type != FW_JSON_OBJECT) || !fw_message_event_name(channel, name))
		return rc < 0 ? rc : FW_EINVAL;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	put_event(&o, channel, name, id, rule, properties);
	rc = fw_buf_keep(&b, a, &text);
	if (rc == 0)
		rc = fw_json_parse(a, text.p, text.n, &event, &err);
	const struct fw_event_frame frame = { .type = -1, .received_us = now_us };
	if (rc == 0)
		rc = fw_event_read(a, event, &frame, ret, &refusal);
	ret->trusted = true;
	return rc;
}

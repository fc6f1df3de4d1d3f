#include "content.h"

#include <string.h>

#include "common/json.h"
#include "common/problem.h"

enum { TEXTS = 7, TRACK = TEXTS };

static const struct common_json_path paths[TEXTS + 1] = {
	{ { "rule" } }, { { "class" } }, { { "content", "subject" } }, { { "content", "html" } }, { { "content", "text" } },
	{ { "content", "from" } }, { { "content", "reply_to" } }, [TRACK] = { { "track" } },
};

/* In the order of `paths`. */
static struct email_text *text_of(struct email_content *c, size_t which)
{
	struct email_text *texts[TEXTS] = { &c->rule, &c->class, &c->subject, &c->html, &c->text, &c->from, &c->reply_to };
	return texts[which];
}

static void take(void *ctx, size_t which, enum common_json_type type, const char *p, size_t n)
{
	struct email_content *c = ctx;
	if (which == TRACK) {
		c->track = type == COMMON_JSON_BOOLEAN && n == strlen("true");
		return;
	}
	struct email_text *text = text_of(c, which);
	int failed = text->failed;
	email_text_free(text);
	text->failed = failed;
	if (type == COMMON_JSON_STRING)
		email_add(text, p, n);
}

int email_content_read(struct fw_plugin_text json, struct email_content *ret, struct fw_plugin_problem *problem)
{
	int failed = 0;
	*ret = (struct email_content){ 0 };
	int rc = common_json_read(json.p, json.n, paths, TEXTS + 1, take, ret);
	for (size_t i = 0; i < TEXTS; i++)
		failed |= text_of(ret, i)->failed;
	if (rc == 0 && !failed)
		return 0;
	email_content_free(ret);
	return common_refuse(problem, "", failed ? "out of memory" : "the message is no JSON");
}

void email_content_free(struct email_content *c)
{
	for (size_t i = 0; i < TEXTS; i++)
		email_text_free(text_of(c, i));
}

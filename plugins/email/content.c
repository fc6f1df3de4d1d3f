#include "content.h"

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* Where the reader is: which object, and which of its members. */
struct reader {
	struct email_content *into;
	int depth;       /* objects and lists that are open */
	int in_content;  /* the object at depth 2 is "content" */
	struct email_text *text; /* what the member's text becomes; NULL: nothing */
	int *flag;
	int at_content;  /* the member is "content" */
};

static const struct {
	const char *name;
	size_t at;
	int in_content;
} members[] = {
	{ "rule", offsetof(struct email_content, rule), 0 }, { "class", offsetof(struct email_content, class), 0 },
	{ "subject", offsetof(struct email_content, subject), 1 }, { "html", offsetof(struct email_content, html), 1 },
	{ "text", offsetof(struct email_content, text), 1 }, { "from", offsetof(struct email_content, from), 1 },
	{ "reply_to", offsetof(struct email_content, reply_to), 1 },
};

static int is_named(const unsigned char *key, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(key, name, n) == 0;
}

static int on_key(void *ctx, const unsigned char *key, size_t n)
{
	struct reader *r = ctx;
	int here = r->depth == 1 || (r->depth == 2 && r->in_content);
	r->text = NULL;
	r->flag = r->depth == 1 && is_named(key, n, "track") ? &r->into->track : NULL;
	r->at_content = r->depth == 1 && is_named(key, n, "content");
	for (size_t i = 0; here && i < sizeof members / sizeof *members; i++)
		if (members[i].in_content == (r->depth == 2) && is_named(key, n, members[i].name))
			r->text = (struct email_text *)((char *)r->into + members[i].at);
	if (r->text)
		email_text_free(r->text);
	return 1;
}

static int on_string(void *ctx, const unsigned char *p, size_t n)
{
	struct reader *r = ctx;
	if (r->text && r->depth <= 2)
		email_add(r->text, p, n);
	r->text = NULL;
	return 1;
}

static int on_boolean(void *ctx, int value)
{
	struct reader *r = ctx;
	if (r->flag && r->depth == 1)
		*r->flag = value;
	r->text = NULL;
	return 1;
}

static int on_open(void *ctx)
{
	struct reader *r = ctx;
	if (++r->depth == 2)
		r->in_content = r->at_content;
	r->text = NULL;
	r->flag = NULL;
	r->at_content = 0;
	return 1;
}

static int on_open_list(void *ctx)
{
	int rc = on_open(ctx);
	struct reader *r = ctx;
	if (r->depth == 2)
		r->in_content = 0;
	return rc;
}

static int on_close(void *ctx)
{
	struct reader *r = ctx;
	if (--r->depth == 1)
		r->in_content = 0;
	return 1;
}

int email_content_read(struct fw_plugin_text json, struct email_content *ret, struct fw_plugin_problem *problem)
{
	static const yajl_callbacks calls = { .yajl_boolean = on_boolean, .yajl_string = on_string, .yajl_start_map = on_open,
		.yajl_map_key = on_key, .yajl_end_map = on_close, .yajl_start_array = on_open_list, .yajl_end_array = on_close };
	struct reader r = { .into = ret };
	yajl_handle y = yajl_alloc(&calls, NULL, &r);
	*ret = (struct email_content){ 0 };
	if (!y) {
		snprintf(problem->message, sizeof problem->message, "out of memory");
		return -1;
	}
	yajl_status status = yajl_parse(y, (const unsigned char *)json.p, json.n);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(y);
	yajl_free(y);
	const struct email_text *texts[] = { &ret->rule, &ret->class, &ret->subject, &ret->html, &ret->text, &ret->from, &ret->reply_to };
	int failed = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		failed |= texts[i]->failed;
	if (status == yajl_status_ok && !failed)
		return 0;
	snprintf(problem->message, sizeof problem->message, failed ? "out of memory" : "the message is no JSON");
	email_content_free(ret);
	return -1;
}

void email_content_free(struct email_content *c)
{
	struct email_text *texts[] = { &c->rule, &c->class, &c->subject, &c->html, &c->text, &c->from, &c->reply_to };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		email_text_free(texts[i]);
}

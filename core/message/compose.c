#include "message/compose.h"

#include "message/text.h"

struct composing {
	const struct fw_templates *templates;
	const struct fw_rule *rule;
	struct fw_arena *arena;
	const struct fw_json *content; /* as `send` made it */
	const struct fw_json *data;    /* what templates read */
	struct fw_json_out *out;
	struct fw_error *err;
};

static void put_text(struct fw_json_out *o, const char *key, struct fw_str text)
{
	fw_json_key(o, key);
	fw_json_string(o, text);
}

/* Facts by their names, and beside them what there is of the message. */
static int make_data(const struct fw_ruleset *set, const struct fw_facts *facts, struct fw_str content, const char *id, struct fw_arena *a,
	struct fw_json **ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	struct fw_str text;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_facts_write(&o, facts);
	if (b.n)
		b.n--; /* the object goes on */
	bool empty = b.n == 1;
	fw_buf_puts(&b, empty ? "" : ",");
	fw_buf_puts(&b, "\"content\":");
	fw_buf_add(&b, content.p, content.n);
	fw_buf_printf(&b, ",\"message\":{\"id\":\"%s\"},\"unsubscribe_url\":\"%s\",\"preferences_url\":\"%s\",\"currency\":\"%s\"}", id,
		FW_COMPOSE_UNSUBSCRIBE, FW_COMPOSE_PREFERENCES, set->currency);
	int rc = fw_buf_keep(&b, a, &text);
	return rc < 0 ? rc : fw_json_parse(a, text.p, text.n, ret, NULL);
}

static bool is_made(const struct composing *c, struct fw_str key)
{
	return c->rule->show.function != FW_NONE && key.n;
}

/* A text of `send`. */
static int put_member(struct composing *c, const struct fw_json *m)
{
	struct fw_buf b;
	struct fw_str written;
	if (m->type != FW_JSON_STRING || fw_str_is(m->key, "template") || is_made(c, m->key)) {
		fw_json_key_str(c->out, m->key);
		fw_json_tree(c->out, m);
		return 0;
	}
	fw_buf_init(&b, 0);
	int rc = fw_template_inline(c->arena, m->key.p, m->string, fw_template_form_of(m->key), c->data, &b, c->err);
	if (rc < 0) {
		fw_buf_finish(&b);
		return rc;
	}
	rc = fw_buf_keep(&b, c->arena, &written);
	if (rc == 0) {
		fw_json_key_str(c->out, m->key);
		fw_json_string(c->out, written);
	}
	return rc;
}

static int render(struct composing *c, const struct fw_template *t, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	int rc = fw_template_render(t, c->data, &b, NULL, c->err);
	if (rc < 0)
		fw_buf_finish(&b);
	return rc < 0 ? rc : fw_buf_keep(&b, c->arena, ret);
}

static int text_of(struct composing *c, struct fw_str html, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	int rc = fw_text_from_html(html, &b);
	if (rc < 0)
		fw_buf_finish(&b);
	return rc < 0 ? rc : fw_buf_keep(&b, c->arena, ret);
}

static int put_sms(struct composing *c, struct fw_str name)
{
	const struct fw_template *sms = fw_templates_find(c->templates, name, FW_TEMPLATE_SMS);
	struct fw_str text;
	int rc = sms ? render(c, sms, &text) : 0;
	if (rc == 0 && sms)
		put_text(c->out, "text", text);
	return rc;
}

static int put_letter(struct composing *c, struct fw_str name)
{
	const struct fw_template *html = fw_templates_find(c->templates, name, FW_TEMPLATE_HTML);
	const struct fw_template *plain = fw_templates_find(c->templates, name, FW_TEMPLATE_TEXT);
	struct fw_str letter = { NULL, 0 }, text = { NULL, 0 };
	int rc = html ? render(c, html, &letter) : 0;
	if (rc == 0)
		rc = plain ? render(c, plain, &text) : html ? text_of(c, letter, &text) : 0;
	if (rc < 0)
		return rc;
	if (html)
		put_text(c->out, "html", letter);
	if (text.p)
		put_text(c->out, "text", text);
	return 0;
}

/* The texts of `send`, written: an object in the arena. */
static int write_texts(struct composing *c, struct fw_str *ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	int rc = 0;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	c->out = &o;
	fw_json_open_object(&o);
	for (const struct fw_json *m = c->content->child; m && rc == 0; m = m->next)
		rc = put_member(c, m);
	fw_json_close_object(&o);
	if (rc < 0) {
		fw_buf_finish(&b);
		return rc;
	}
	return fw_buf_keep(&b, c->arena, ret);
}

static int check_template(struct composing *c, struct fw_str name, bool sms)
{
	/* What a function names may not be there: the loader looked at tables alone. */
	bool there = fw_templates_find(c->templates, name, sms ? FW_TEMPLATE_SMS : FW_TEMPLATE_HTML) ||
		(!sms && fw_templates_find(c->templates, name, FW_TEMPLATE_TEXT));
	return there ? 0 : fw_fail(c->err, FW_EINVAL, c->rule->place.file, c->rule->place.line,
		"there is no template \"%s\" for this channel", name.p);
}

/* What was written, and the template in place of its "html" and "text". */
static int put_all(struct composing *c)
{
	const struct fw_json *name = fw_json_get(c->content, "template");
	bool has_template = name && name->type == FW_JSON_STRING, sms = fw_str_is(fw_str(c->rule->message->channel), "sms");
	int rc = has_template ? check_template(c, name->string, sms) : 0;
	fw_json_open_object(c->out);
	for (const struct fw_json *m = c->content->child; m && rc == 0; m = m->next) {
		if (has_template && (fw_str_is(m->key, "html") || fw_str_is(m->key, "text")))
			continue;
		fw_json_key_str(c->out, m->key);
		fw_json_tree(c->out, m);
	}
	if (rc == 0 && has_template)
		rc = sms ? put_sms(c, name->string) : put_letter(c, name->string);
	fw_json_close_object(c->out);
	return rc;
}

/* With the texts as they are written by now. */
static int write_all(struct composing *c, struct fw_str *ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	c->out = &o;
	int rc = put_all(c);
	if (rc < 0) {
		fw_buf_finish(&b);
		return rc;
	}
	return fw_buf_keep(&b, c->arena, ret);
}

int fw_compose(const struct fw_templates *templates, const struct fw_ruleset *set, uint32_t rule, struct fw_str content,
	const struct fw_facts *facts, const char *id, struct fw_arena *arena, struct fw_str *ret, struct fw_error *err)
{
	struct composing c = { .templates = templates, .rule = &set->rules[rule], .arena = arena, .err = err };
	struct fw_json *told = NULL, *data = NULL, *written_tree = NULL, *all = NULL;
	struct fw_str written;
	fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	int rc = fw_json_parse(arena, content.p, content.n, &told, NULL);
	if (rc == 0 && told->type != FW_JSON_OBJECT) {
		*ret = content; /* `list {}`: there is nothing to write */
		return 0;
	}
	if (rc == 0)
		rc = make_data(set, facts, content, id, arena, &data);
	c.content = told;
	c.data = data;
	if (rc == 0)
		rc = write_texts(&c, &written);
	if (rc == 0)
		rc = fw_json_parse(arena, written.p, written.n, &written_tree, NULL);
	if (rc == 0)
		rc = make_data(set, facts, written, id, arena, &all);
	c.content = written_tree;
	c.data = all;
	return rc < 0 ? rc : write_all(&c, ret);
}

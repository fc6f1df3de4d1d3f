#include "message/compose.h"

#include "fact/amount.h"
#include "message/template_own.h"
#include "message/text.h"

struct composing {
	const struct fw_to_compose *what;
	const struct fw_rule *rule;
	const struct fw_send *send;
	struct fw_arena *arena;
	const struct fw_json *content; /* as `send` made it, then with its texts written */
	struct fw_json *data;          /* what templates read */
	struct fw_json_out *out;
	struct fw_error *err;
};

static void put_text(struct fw_json_out *o, const char *key, struct fw_str text)
{
	fw_json_key(o, key);
	fw_json_string(o, text);
}

/* Facts that are money are written as such; they are the store's currency. */
static int write_money(struct composing *c)
{
	struct fw_json *cart = fw_json_get(c->data, "cart");
	struct fw_json *money[] = { fw_json_get(cart, "total"), fw_json_get(c->data, "revenue"), fw_json_get(c->data, "average_order") };
	for (size_t i = 0; i < sizeof money / sizeof *money; i++) {
		char text[FW_AMOUNT_TEXT];
		bool known = money[i] && money[i]->type == FW_JSON_NUMBER;
		size_t n = known ? fw_amount_text(money[i]->number, c->what->set->currency, text) : 0;
		const char *copy = n ? fw_arena_strndup(c->arena, text, n) : NULL;
		if (n && !copy)
			return FW_ENOMEM;
		if (n)
			money[i]->string = (struct fw_str){ copy, n };
	}
	return 0;
}

/* Facts by their names, and beside them what there is of the message; the content is yet to come. */
static int make_data(struct composing *c)
{
	const struct fw_to_compose *what = c->what;
	struct fw_buf b;
	struct fw_json_out o;
	struct fw_str text;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_facts_write(&o, what->facts);
	if (b.n)
		b.n--; /* the object goes on */
	bool empty = b.n == 1;
	fw_buf_printf(&b, "%s\"content\":null,\"message\":{\"id\":\"%s\"},\"unsubscribe_url\":\"%s\",\"preferences_url\":\"%s\","
		"\"currency\":\"%s\"}", empty ? "" : ",", what->id, FW_COMPOSE_UNSUBSCRIBE, FW_COMPOSE_PREFERENCES, what->set->currency);
	int rc = fw_buf_keep(&b, c->arena, &text);
	if (rc == 0)
		rc = fw_json_parse(c->arena, text.p, text.n, &c->data, NULL);
	return rc < 0 ? rc : write_money(c);
}

/* Templates read this as the content from here on. */
static void set_content(struct composing *c, const struct fw_json *content)
{
	struct fw_json *at = fw_json_get(c->data, "content"), *next = at->next;
	struct fw_str key = at->key;
	*at = *content;
	at->key = key;
	at->next = next;
	c->content = content;
}

static int render(struct composing *c, const struct fw_template *t, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	int rc = fw_template_render(t, c->data, &b, c->what->gaps, c->err);
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
	const struct fw_template *sms = fw_templates_find(c->what->templates, name, FW_TEMPLATE_SMS);
	struct fw_str text;
	int rc = sms ? render(c, sms, &text) : 0;
	if (rc == 0 && sms)
		put_text(c->out, "text", text);
	return rc;
}

static int put_letter(struct composing *c, struct fw_str name)
{
	const struct fw_template *html = fw_templates_find(c->what->templates, name, FW_TEMPLATE_HTML);
	const struct fw_template *plain = fw_templates_find(c->what->templates, name, FW_TEMPLATE_TEXT);
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

/* The content with the texts of a table written, in the arena; what a function made is taken as it is. */
static int write_texts(struct composing *c)
{
	struct fw_json *all = FW_NEW(c->arena, struct fw_json), **last;
	uint32_t i = 0;
	if (!all)
		return FW_ENOMEM;
	*all = *c->content;
	last = &all->child;
	for (const struct fw_json *m = c->content->child; m; m = m->next, i++) {
		struct fw_json *copy = FW_NEW(c->arena, struct fw_json);
		if (!copy)
			return FW_ENOMEM;
		*copy = *m;
		*last = copy;
		last = &copy->next;
		int rc = c->send->texts[i] ? render(c, c->send->texts[i], &copy->string) : 0;
		if (rc < 0)
			return rc;
	}
	set_content(c, all);
	return 0;
}

static int check_template(struct composing *c, struct fw_str name, bool sms)
{
	/* What a function names may not be there: the loader looked at tables alone. */
	bool there = fw_templates_find(c->what->templates, name, sms ? FW_TEMPLATE_SMS : FW_TEMPLATE_HTML) ||
		(!sms && fw_templates_find(c->what->templates, name, FW_TEMPLATE_TEXT));
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

/* The content as channels have it: an object in the arena. */
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

int fw_compose(const struct fw_to_compose *what, struct fw_arena *arena, struct fw_str *ret, struct fw_error *err)
{
	struct composing c = { .what = what, .rule = &what->set->rules[what->rule], .send = &what->templates->sends[what->rule],
		.arena = arena, .content = what->templates->sends[what->rule].content, .err = err };
	struct fw_json *made;
	int rc = 0;
	/* Of a table's content what is sold out may have been taken out of its lists; its members are the same. */
	bool fewer = c.content && what->content.n && !fw_str_equal(what->content, c.rule->show.json);
	fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	if ((!c.content || fewer) && (rc = fw_json_parse(arena, what->content.p, what->content.n, &made, NULL)) == 0)
		c.content = made;
	if (rc == 0 && c.content->type != FW_JSON_OBJECT) {
		*ret = what->content; /* `list {}`: there is nothing to write */
		return 0;
	}
	if (rc == 0)
		rc = make_data(&c);
	if (rc == 0)
		set_content(&c, c.content);
	if (rc == 0 && c.send->content)
		rc = write_texts(&c);
	return rc < 0 ? rc : write_all(&c, ret);
}

int fw_compose_due(struct fw_due_judging *j, struct fw_due_item *x, struct fw_to_compose what, struct fw_arena *arena)
{
	struct fw_error err;
	char text[1200];
	what.rule = x->rule;
	what.content = x->content;
	what.facts = &x->facts;
	int rc = fw_compose(&what, arena, &x->content, &err);
	if (rc == FW_ENOMEM)
		return rc;
	return rc == 0 ? fw_due_judge_send(j, x) : fw_due_judge_fail(j, x, fw_str(fw_error_text(&err, text, sizeof text)));
}

static const char *class_name(enum fw_class class)
{
	return class == FW_CLASS_MARKETING ? "marketing" : class == FW_CLASS_SERVICE ? "service" : "transactional";
}

int fw_compose_for_channel(const struct fw_rule *rule, struct fw_str visitor, bool track, struct fw_str content, struct fw_arena *arena,
	struct fw_str *ret)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	put_text(&o, "rule", fw_str(rule->id));
	put_text(&o, "visitor", visitor);
	put_text(&o, "class", fw_str(class_name(rule->message->class)));
	fw_json_key(&o, "track");
	fw_json_bool(&o, track);
	fw_json_key(&o, "content");
	fw_json_raw(&o, content);
	fw_json_close_object(&o);
	return fw_buf_keep(&b, arena, ret);
}

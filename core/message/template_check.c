#include <stdio.h>
#include <string.h>

#include "message/template_own.h"

static const char *const endings[FW_TEMPLATE_FILES] = { "html", "txt", "sms" };

/* One rule's `send`, a table. */
struct check {
	const struct fw_templates *templates;
	struct fw_ruleset *set;
	struct fw_rule *rule;
	struct fw_send *send;
	struct fw_errors *errors;
};

enum fw_template_form fw_template_form_of(struct fw_str member)
{
	static const char *const lines[] = { "subject", "preheader", "from", "reply_to" };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (fw_str_is(member, lines[i]))
			return FW_TEMPLATE_HEADER;
	return fw_str_is(member, "html") ? FW_TEMPLATE_HTML : FW_TEMPLATE_TEXT;
}

static int fail(struct check *c, const char *hint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct check *c, const char *hint, const char *fmt, ...)
{
	char message[400];
	struct fw_error *err = fw_errors_add(c->errors);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	fw_fail(err, FW_EINVAL, c->rule->place.file, c->rule->place.line, "rule \"%s\": send: %s", c->rule->id, message);
	if (hint)
		fw_hint(err, "%s", hint);
	return FW_EINVAL;
}

static const char *nearest_template(const struct check *c, const char *name)
{
	const char *nearest = NULL;
	int distance = (int)strlen(name) / 2 < 4 ? (int)strlen(name) / 2 : 4;
	for (uint32_t i = 0; i < c->templates->n; i++) {
		const struct fw_template *t = &c->templates->items[i];
		const char *other = t->file + sizeof FW_TEMPLATES_FOLDER - 1;
		char bare[FW_LIMIT_ID_BYTES + 1];
		snprintf(bare, sizeof bare, "%.*s", (int)t->name.n, t->name.p);
		int d = t->partial ? distance : fw_edit_distance(name, bare, distance);
		if (d < distance) {
			distance = d;
			nearest = other;
		}
	}
	return nearest;
}

static int refuse_template(struct check *c, const char *name)
{
	char hint[300];
	const char *nearest = nearest_template(c, name), *point = nearest ? strrchr(nearest, '.') : NULL;
	bool sms = strcmp(c->rule->message->channel, "sms") == 0;
	if (nearest)
		snprintf(hint, sizeof hint, "did you mean \"%.*s\"?", (int)(point - nearest), nearest);
	else
		snprintf(hint, sizeof hint, "it would be the file " FW_TEMPLATES_FOLDER "%s.%s, beside the rules", name,
			sms ? "sms" : "html");
	return fail(c, hint, "there is no template \"%s\"", name);
}

/* What a template needs of the content, a table as it stands in the rule, is there. */
static int check_content(struct check *c, const struct fw_template *t, const struct fw_json *content)
{
	for (uint32_t i = 0; i < t->n_names; i++) {
		const struct fw_template_name *n = &t->names[i];
		struct fw_str name = n->name, first = FW_STR("content.");
		if (!n->needed || name.n <= first.n || memcmp(name.p, first.p, first.n) != 0)
			continue;
		struct fw_str member = { name.p + first.n, name.n - first.n };
		const char *point = memchr(member.p, '.', member.n);
		member.n = point ? (size_t)(point - member.p) : member.n;
		char hint[200];
		int shown = (int)(member.n < 60 ? member.n : 60);
		snprintf(hint, sizeof hint, "add %.*s = \"…\", or write {{content.%.*s|…}} there", shown, member.p, shown, member.p);
		if (!fw_json_member(content, member))
			return fail(c, hint, "it has no \"%.*s\", which %s reads on line %d", shown, member.p, n->file, n->line);
	}
	return 0;
}

static int check_template(struct check *c, const struct fw_json *content)
{
	const struct fw_json *given = fw_json_get(content, "template");
	bool sms = strcmp(c->rule->message->channel, "sms") == 0, email = strcmp(c->rule->message->channel, "email") == 0, any = false;
	int ret = 0;
	if (!given)
		return 0;
	if (given->type != FW_JSON_STRING)
		return fail(c, "write template = \"cart-reminder\"", "a template is named by a text, not by %s",
			fw_json_type_name(given->type));
	for (int form = 0; form < FW_TEMPLATE_FILES; form++) {
		const struct fw_template *t = fw_templates_find(c->templates, given->string, (enum fw_template_form)form);
		bool fits = sms ? form == FW_TEMPLATE_SMS : email ? form != FW_TEMPLATE_SMS : true;
		if (!t || !fits)
			continue;
		any = true;
		c->rule->uses |= fw_template_uses(t, c->set);
		ret = ret < 0 ? ret : check_content(c, t, content);
	}
	if (any)
		return ret;
	for (int form = 0; form < FW_TEMPLATE_FILES; form++)
		if (fw_templates_find(c->templates, given->string, (enum fw_template_form)form))
			return fail(c, sms ? "a text message has a file of its own, " FW_TEMPLATES_FOLDER "NAME.sms" : NULL,
				"the template \"%s\" is there as .%s only, which channel \"%s\" does not send", given->string.p,
					endings[form],
				c->rule->message->channel);
	return refuse_template(c, given->string.p);
}

static int no_memory(struct check *c)
{
	return fw_fail(fw_errors_add(c->errors), FW_ENOMEM, c->rule->place.file, 0, "out of memory");
}

static int check_text(struct check *c, const struct fw_json *v, const struct fw_template **ret_text)
{
	struct fw_template *t;
	struct fw_error err;
	char member[80];
	snprintf(member, sizeof member, "%.*s", (int)(v->key.n < 60 ? v->key.n : 60), v->key.p);
	int parsed = fw_template_parse(&c->set->arena, v->key.p, v->string, fw_template_form_of(v->key), &t, &err);
	if (parsed == FW_ENOMEM)
		return no_memory(c);
	if (parsed == 0) {
		struct fw_errors names;
		fw_errors_init(&names);
		parsed = fw_template_check_names(t, c->set, true, &names);
		if (parsed < 0)
			err = names.items[0];
		fw_errors_finish(&names);
		c->rule->uses |= fw_template_uses(t, c->set);
	}
	if (parsed < 0)
		return fail(c, err.hint[0] ? err.hint : NULL, "%s: %.300s", member, err.message);
	*ret_text = t;
	return 0;
}

static int check_texts(struct check *c, const struct fw_json *content)
{
	uint32_t i = 0;
	int ret = 0;
	if (!(c->send->texts = FW_NEW_ARRAY(&c->set->arena, content->count + 1, const struct fw_template *)))
		return no_memory(c);
	for (const struct fw_json *v = content->child; v && ret != FW_ENOMEM; v = v->next, i++) {
		bool is_text = v->type == FW_JSON_STRING && !fw_str_is(v->key, "template");
		int text = is_text ? check_text(c, v, &c->send->texts[i]) : 0;
		ret = text < 0 ? text : ret;
	}
	return ret;
}

/* What a function sends is only known when it was called. */
static int check_rule(struct check *c)
{
	const struct fw_content *send = &c->rule->show;
	struct fw_json *content;
	struct fw_error err;
	if (send->function != FW_NONE)
		return 0;
	int ret = fw_json_parse(&c->set->arena, send->json.p, send->json.n, &content, &err);
	if (ret < 0) {
		*fw_errors_add(c->errors) = err;
		return ret;
	}
	c->send->content = content;
	if (content->type != FW_JSON_OBJECT)
		return 0;
	int texts = check_texts(c, content);
	ret = check_template(c, content);
	return texts < 0 ? texts : ret;
}

int fw_templates_open(struct fw_ruleset *set, struct fw_errors *errors, struct fw_templates **ret)
{
	int code = fw_templates_load(&set->files, &set->arena, errors, ret);
	return code < 0 ? code : fw_templates_check(*ret, set, errors);
}

int fw_templates_check(struct fw_templates *templates, struct fw_ruleset *set, struct fw_errors *errors)
{
	struct check c = { .templates = templates, .set = set, .errors = errors };
	int ret = 0;
	if (!(templates->sends = FW_NEW_ARRAY(&set->arena, set->n_rules + 1, struct fw_send)))
		return fw_fail(fw_errors_add(errors), FW_ENOMEM, NULL, 0, "out of memory");
	for (uint32_t i = 0; i < templates->n; i++) {
		const struct fw_template *t = &templates->items[i];
		int names = t->partial ? 0 : fw_template_check_names(t, set, false, errors);
		ret = ret < 0 ? ret : names;
	}
	for (uint32_t i = 0; i < set->n_rules && ret != FW_ENOMEM; i++) {
		c.rule = &set->rules[i];
		c.send = &templates->sends[i];
		int rule = c.rule->message ? check_rule(&c) : 0;
		ret = ret < 0 && rule != FW_ENOMEM ? ret : rule;
	}
	return ret;
}

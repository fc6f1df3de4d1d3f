#include "cli/messages_preview.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/folder.h"
#include "cli/command.h"
#include "cli/open.h"
#include "message/compose.h"
#include "profile/given.h"
#include "server/preview.h"
#include "signal/signal.h"

enum { MOST_FACTS = 1 << 20 };

struct job {
	const struct fw_preview_options *options;
	struct fw_opened opened;
	struct fw_arena arena;
	uint32_t number;
	const struct fw_rule *rule;
	struct fw_facts facts;
	const char *to;
	struct fw_str content, handed; /* as it was composed; and with what else its channel is told */
	struct fw_template_gaps gaps;
	struct fw_preview made;
};

static int say(const struct fw_error *err)
{
	char text[1200];
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(err, text, sizeof text));
	return FW_EXIT_NO;
}

static int no_memory(void)
{
	fputs("floorwalker: out of memory\n", stderr);
	return FW_EXIT_NO;
}

static int find_rule(struct job *j)
{
	const struct fw_ruleset *set = j->opened.set;
	const char *name = j->options->rule;
	j->number = fw_ruleset_rule(set, fw_str(name));
	if (j->number == FW_NONE) {
		const char *nearest = fw_nearest_in(name, &set->rules[0].id, set->n_rules, sizeof *set->rules);
		fprintf(stderr, "floorwalker: there is no rule \"%s\"", name);
		fprintf(stderr, nearest ? "; did you mean \"%s\"?\n" : "\n", nearest);
		return FW_EXIT_NO;
	}
	j->rule = &set->rules[j->number];
	if (j->rule->message)
		return FW_EXIT_DONE;
	fprintf(stderr,
		"floorwalker: the rule \"%s\" is for the slot \"%s\" and sends nothing; a rule that does has `channel` and `send`\n",
		name, set->slots[j->rule->slot].id);
	return FW_EXIT_NO;
}

/* The text in the arena; p NULL: it has been said why. */
static struct fw_str read_facts(struct job *j)
{
	const char *told = j->options->facts;
	struct fw_str none = { NULL, 0 };
	if (told[strspn(told, " \t\r\n")] == '{')
		return fw_str(told);
	bool piped = strcmp(told, "-") == 0;
	FILE *f = piped ? stdin : fopen(told, "re");
	char *text = fw_arena_alloc(&j->arena, MOST_FACTS + 1);
	size_t n = f && text ? fread(text, 1, MOST_FACTS + 1, f) : 0;
	bool failed = !f || ferror(f);
	if (failed)
		fprintf(stderr, "floorwalker: %s cannot be read: %s; --facts is a JSON object, the name of a file with one, or -\n", told,
			strerror(errno));
	else if (!text)
		no_memory();
	else if (n > MOST_FACTS)
		fprintf(stderr, "floorwalker: %s: more than %d bytes of facts\n", told, MOST_FACTS);
	if (f && !piped)
		fclose(f);
	return failed || !text || n > MOST_FACTS ? none : (struct fw_str){ text, n };
}

/* Of the events of the visitor, what the last told that sets the rule off: `event`, where that is not given. 0 or FW_ENOMEM. */
static int add_event(struct job *j, struct fw_json *visitor)
{
	const struct fw_json *events = fw_json_get(visitor, "events"), *told = NULL;
	if (fw_json_get(visitor, "event") || visitor->type != FW_JSON_OBJECT)
		return 0;
	for (const struct fw_json *e = events ? events->child : NULL; e; e = e->next)
		if (fw_event_names_have(j->rule->message->on, fw_json_text(e, "event")))
			told = fw_json_get(e, "properties");
	struct fw_json *event = told ? FW_NEW(&j->arena, struct fw_json) : NULL, **last = event ? &event->child : NULL;
	if (!event)
		return told ? FW_ENOMEM : 0;
	*event = (struct fw_json){ .type = FW_JSON_OBJECT, .key = FW_STR("event"), .next = visitor->child };
	for (const struct fw_json *m = told->child; m; m = m->next) {
		struct fw_json *copy = m->type == FW_JSON_ARRAY || m->type == FW_JSON_OBJECT ? NULL : FW_NEW(&j->arena, struct fw_json);
		if (!copy)
			continue; /* the message would not have it either */
		*copy = *m;
		copy->next = NULL;
		*last = copy;
		last = &copy->next;
		event->count++;
	}
	visitor->child = event;
	visitor->count++;
	return 0;
}

static int make_facts(struct job *j)
{
	const struct fw_ruleset *set = j->opened.set;
	struct fw_json *visitor;
	struct fw_error err = { .message = "out of memory" };
	struct fw_str text = read_facts(j);
	if (!text.p)
		return FW_EXIT_NO;
	int rc = fw_json_parse(&j->arena, text.p, text.n, &visitor, &err);
	if (rc == 0)
		rc = add_event(j, visitor);
	if (rc == 0)
		rc = fw_profile_given(&j->facts, &j->arena, visitor, set->zone, set->currency, &err);
	if (rc == 0)
		rc = fw_signal_derive(j->opened.zones, &j->facts);
	if (rc == 0)
		return FW_EXIT_DONE;
	snprintf(err.file, sizeof err.file, "--facts");
	return say(&err);
}

/* Where it would go: the person's address, or one that is nobody's. */
static const char *address_of(struct job *j)
{
	const char *channel = j->rule->message->channel;
	bool email = strcmp(channel, "email") == 0, sms = strcmp(channel, "sms") == 0;
	const struct fw_value *v = fw_facts_member(&j->facts, FW_FACT_TRAIT, email ? FW_STR("email") : FW_STR("phone"));
	if (j->options->to)
		return j->options->to;
	if ((email || sms) && v->state == FW_KNOWN && v->kind == FW_KIND_TEXT)
		return fw_arena_strndup(&j->arena, v->text.p, v->text.n);
	return email ? "somebody@example.com" : sms ? "+12025550100" : "somebody";
}

/* What `send` makes, whether or not the message would go to such a visitor. */
static int make_content(struct job *j, struct fw_str *ret)
{
	const struct fw_content *send = &j->rule->show;
	if (send->function == FW_NONE) {
		*ret = send->json;
		return FW_EXIT_DONE;
	}
	fw_eval_begin(&j->opened.decider.eval, &j->facts, &j->arena);
	const struct fw_called *c = fw_eval_show(&j->opened.decider.eval, send->function);
	fw_eval_end(&j->opened.decider.eval);
	*ret = c->json;
	return c->failed ? say(c->error) : FW_EXIT_DONE;
}

static int compose(struct job *j)
{
	struct fw_str made;
	struct fw_error err;
	int status = make_content(j, &made);
	if (status != FW_EXIT_DONE)
		return status;
	const struct fw_to_compose what = { .set = j->opened.set, .templates = j->opened.templates, .rule = j->number, .content = made,
		.facts = &j->facts, .id = FW_PREVIEW_ID, .gaps = &j->gaps };
	if (fw_compose(&what, &j->arena, &j->content, &err) < 0)
		return say(&err);
	j->to = address_of(j);
	struct fw_str visitor = j->facts.key.n ? j->facts.key : FW_STR("somebody");
	int rc = fw_compose_for_channel(j->rule, visitor, j->facts.behaviour_in_reach, j->content, &j->arena, &j->handed);
	return rc < 0 || !j->to ? no_memory() : FW_EXIT_DONE;
}

static void add_file(struct fw_preview *p, const char *ending, struct fw_str bytes)
{
	if (!bytes.p)
		return;
	p->files[p->n_files].ending = ending;
	p->files[p->n_files++].bytes = bytes;
}

/* What no plugin writes down: the host's part of the message. */
static int make_alone(struct job *j)
{
	struct fw_json *content;
	if (fw_json_parse(&j->arena, j->content.p, j->content.n, &content, NULL) < 0)
		return no_memory();
	add_file(&j->made, "html", fw_json_text(content, "html"));
	add_file(&j->made, "txt", fw_json_text(content, "text"));
	add_file(&j->made, "json", j->handed);
	return FW_EXIT_DONE;
}

static void on_problem(const struct fw_error *err, void *ctx)
{
	(void)ctx;
	say(err);
}

static int make(struct job *j)
{
	const char *channel = j->rule->message->channel;
	const struct fw_preview_ask ask = { .channel = channel, .to = j->to, .json = j->handed,
		.now_us = j->facts.has_clock ? j->facts.now_us : fw_now_us() };
	struct fw_report report;
	fw_report_init(&report);
	int rc = fw_preview_make(j->opened.config, &ask, &j->arena, &j->made, &report), status = FW_EXIT_DONE;
	if (rc == FW_ENOENT) {
		fprintf(stderr,
			"floorwalker: no plugin of the configuration is the channel \"%s\": it is not known how that would send it\n",
			channel);
		make_alone(j);
		status = FW_EXIT_NO;
	} else if (rc == FW_EFAILED) {
		fprintf(stderr, "floorwalker: the plugin \"%s\" cannot show what it would send; this is what it would be handed\n",
			channel);
		status = make_alone(j);
	} else if (rc < 0 || j->made.refused) {
		fw_report_each(fw_report_text(&report), on_problem, NULL);
		status = FW_EXIT_NO;
	}
	fw_report_finish(&report);
	return status;
}

/* A file's name is the rule's id, where that can be one. */
static int write_file(struct job *j, unsigned i, const char **ret_path)
{
	const char *out = j->options->out;
	char *path = fw_arena_printf(&j->arena, "%s%s%s.%s", out ? out : "", out && out[strlen(out) - 1] != '/' ? "/" : "", j->rule->id,
		j->made.files[i].ending);
	struct fw_str bytes = j->made.files[i].bytes;
	if (!path)
		return no_memory();
	for (char *p = path + strlen(path) - strlen(j->made.files[i].ending) - 1 - strlen(j->rule->id); *p; p++)
		if (*p == '/')
			*p = '-';
	FILE *f = fopen(path, "we");
	bool written = f && fwrite(bytes.p, 1, bytes.n, f) == bytes.n;
	if ((f && fclose(f) != 0) || !written) {
		fprintf(stderr, "floorwalker: %s cannot be written: %s\n", path, strerror(errno));
		return FW_EXIT_NO;
	}
	*ret_path = path;
	return FW_EXIT_DONE;
}

static int write_files(struct job *j, const char *paths[FW_PREVIEW_FILES])
{
	const char *out = j->options->out;
	struct fw_error err;
	int status = out && fw_make_folders(out, 0755, &err) < 0 ? say(&err) : FW_EXIT_DONE;
	for (unsigned i = 0; i < j->made.n_files && status == FW_EXIT_DONE; i++)
		status = write_file(j, i, &paths[i]);
	return status;
}

static void print(const struct job *j, const char *const paths[FW_PREVIEW_FILES])
{
	for (unsigned i = 0; i < j->made.n_files; i++)
		puts(paths[i]);
	printf("to: %s\n", j->to);
	for (unsigned i = 0; i < j->made.n_notes; i++)
		printf("%s: %s\n", j->made.notes[i].name, j->made.notes[i].value);
}

static void print_json(const struct job *j, const char *const paths[FW_PREVIEW_FILES])
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "rule");
	fw_json_text_value(&o, j->rule->id);
	fw_json_key(&o, "channel");
	fw_json_text_value(&o, j->rule->message->channel);
	fw_json_key(&o, "to");
	fw_json_text_value(&o, j->to);
	fw_json_key(&o, "files");
	fw_json_open_array(&o);
	for (unsigned i = 0; i < j->made.n_files; i++)
		fw_json_text_value(&o, paths[i]);
	fw_json_close_array(&o);
	fw_json_key(&o, "notes");
	fw_json_open_object(&o);
	for (unsigned i = 0; i < j->made.n_notes; i++) {
		fw_json_key(&o, j->made.notes[i].name);
		fw_json_text_value(&o, j->made.notes[i].value);
	}
	fw_json_close_object(&o);
	fw_json_key(&o, "missing");
	fw_json_open_array(&o);
	for (unsigned i = 0; i < j->gaps.n && i < FW_TEMPLATE_GAPS; i++)
		fw_json_string(&o, j->gaps.items[i].name);
	fw_json_close_array(&o);
	fw_json_close_object(&o);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

/* What templates read and the facts do not have is not written. That may be meant; it is said. */
static int tell_gaps(const struct job *j)
{
	const struct fw_template_gaps *g = &j->gaps;
	for (unsigned i = 0; i < g->n && i < FW_TEMPLATE_GAPS; i++)
		fprintf(stderr, "%s:%d: {{%.*s}} has no value in these facts: nothing is written there; a fallback would be {{%.*s|…}}\n",
			g->items[i].file, g->items[i].line, (int)g->items[i].name.n, g->items[i].name.p, (int)g->items[i].name.n,
			g->items[i].name.p);
	if (g->n > FW_TEMPLATE_GAPS)
		fprintf(stderr, "… and %u more\n", g->n - FW_TEMPLATE_GAPS);
	return g->n ? FW_EXIT_NO : FW_EXIT_DONE;
}

static int preview(struct job *j)
{
	const char *paths[FW_PREVIEW_FILES] = { NULL };
	int status = find_rule(j);
	if (status == FW_EXIT_DONE)
		status = make_facts(j);
	if (status == FW_EXIT_DONE)
		status = compose(j);
	if (status != FW_EXIT_DONE)
		return status;
	status = make(j);
	if (j->made.n_files) {
		int written = write_files(j, paths);
		if (written != FW_EXIT_DONE)
			return written;
		if (j->options->json)
			print_json(j, paths);
		else
			print(j, paths);
	}
	int gaps = tell_gaps(j);
	return status == FW_EXIT_DONE ? gaps : status;
}

int fw_messages_preview(const struct fw_preview_options *options)
{
	struct job j = { .options = options };
	int status = FW_EXIT_NO;
	fw_arena_init(&j.arena, NULL, 0, 0);
	if (fw_opened_open(&j.opened, options->config, options->rules) < 0)
		fw_opened_report(&j.opened);
	else
		status = preview(&j);
	fw_arena_finish(&j.arena);
	fw_opened_close(&j.opened);
	return status;
}

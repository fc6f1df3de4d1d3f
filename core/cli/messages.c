/* Messages that wait, are on their way or are dead: looked at, tried again, dropped; and what one would look like. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/messages.h"
#include "cli/messages_preview.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_messages = {
	.name = "messages",
	.summary = "the due, the deferred, the dead: list, show, retry, drop; preview of what a rule sends",
	.usage = "usage: floorwalker messages list [--state STATE] [--rule RULE] [--channel CHANNEL] [--json] [--config FILE]\n"
		"       floorwalker messages show ID [--config FILE]\n"
		"       floorwalker messages retry ID…|--all [--rule RULE] [--channel CHANNEL] [--config FILE]\n"
		"       floorwalker messages drop ID…|--all [--state STATE] [--rule RULE] [--channel CHANNEL] [--config FILE]\n"
		"       floorwalker messages preview --rule RULE --facts FACTS [--to ADDRESS] [--out DIR] [--rules DIR] [--json]\n"
		"                                    [--config FILE]\n\n"
		"A message waits until it is due, is being sent, and if its channel gave it up it is dead, and kept for 90 days. "
		"`retry` has dead ones judged and sent anew. `preview` writes RULE.eml, RULE.html and RULE.txt as the channel would send "
		"them to such a visitor, and sends nothing; its links lead nowhere.\n\n"
		"  --state STATE      waits, sending or dead\n"
		"  --rule RULE        only of that rule\n"
		"  --channel CHANNEL  only of that channel\n"
		"  --all              every one (for retry: that is dead), instead of the ids named\n"
		"  --json             a JSON object a line\n"
		"  --facts FACTS      the visitor, as in a rule test's `given`: a JSON object, the name of a file with one, or -\n"
		"  --to ADDRESS       where the message goes (default: the trait email or phone, else an address of nobody's)\n"
		"  --out DIR          where the files go (default: here)\n"
		"  --rules DIR        the rule folder (default: the configuration's)\n"
		"  --config FILE      the configuration (default: ./floorwalker.lua, /etc/floorwalker/floorwalker.lua)\n\n"
		"Exit status: 0, or 1 when an id is not there or cannot be tried again; of preview, when a template "
		"reads what FACTS does not have, or the channel would not send it.\n",
	.run = run,
};

enum action { LIST, SHOW, RETRY, DROP, PREVIEW };

struct job {
	struct fw_messages_job m;
	enum action action;
	const char *state, *rule, *channel;
	bool all, json;
	char **ids;
	int n_ids;
	struct fw_preview_options preview;
};

static bool is_wanted(const struct job *j, const struct fw_due *d)
{
	bool state = !j->state || strcmp(j->state, fw_due_state_name(d->state)) == 0;
	return state && (!j->rule || fw_str_is(d->rule, j->rule)) && (!j->channel || fw_str_is(d->channel, j->channel));
}

static void put_text(struct fw_json_out *o, const char *key, struct fw_str text)
{
	fw_json_key(o, key);
	fw_json_string(o, text);
}

static void put_time(struct fw_json_out *o, const char *key, int64_t at_us)
{
	char at[32];
	fw_json_key(o, key);
	fw_json_text_value(o, fw_time_text(at_us, at));
}

static void put_outcomes(struct fw_json_out *o, const struct fw_found_message *f)
{
	struct fw_due_outcome x;
	fw_json_key(o, "history");
	fw_json_open_array(o);
	for (unsigned i = 0; fw_record_outcome(f->record, i, &x); i++) {
		if (x.number != f->due.number)
			continue;
		fw_json_open_object(o);
		put_time(o, "at", x.at_us);
		put_text(o, "what", x.what);
		if (x.by.n)
			put_text(o, "by", x.by);
		if (x.decision.n)
			put_text(o, "decisionId", x.decision);
		fw_json_close_object(o);
	}
	fw_json_close_array(o);
}

static void print_json(const struct job *j, const struct fw_found_message *f)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	put_text(&o, "id", fw_str(f->id));
	put_text(&o, "state", fw_str(fw_due_state_name(f->due.state)));
	put_text(&o, "rule", f->due.rule);
	put_text(&o, "channel", f->due.channel);
	put_text(&o, "visitor", f->visitor);
	put_time(&o, "triggered", f->due.triggered_us);
	put_time(&o, f->due.state == FW_DUE_DEAD ? "died" : f->due.state == FW_DUE_SENDING ? "lostAt" : "due", f->due.due_us);
	put_time(&o, "expires", f->due.expires_us);
	fw_json_key(&o, "attempts");
	fw_json_number(&o, f->due.attempts);
	if (f->due.reason.n)
		put_text(&o, "reason", f->due.reason);
	if (f->due.decision.n)
		put_text(&o, "decisionId", f->due.decision);
	if (j->action == SHOW) {
		fw_json_key(&o, "facts");
		fw_json_raw(&o, f->due.facts.n ? f->due.facts : FW_STR("{}"));
		put_outcomes(&o, f);
	}
	fw_json_close_object(&o);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

static void print(struct job *j, const struct fw_found_message *f)
{
	char at[32];
	if (j->json || j->action == SHOW) {
		print_json(j, f);
		return;
	}
	printf("%s  %-7s %s  %-8.*s %.*s%s%.*s\n", f->id, fw_due_state_name(f->due.state), fw_time_text(f->due.due_us, at),
		(int)f->due.channel.n, f->due.channel.p, (int)f->due.rule.n, f->due.rule.p, f->due.reason.n ? "  " : "",
		(int)f->due.reason.n, f->due.reason.p);
}

/* 0, or what the store says. FW_EINVAL: it is not dead. */
static int change(const struct job *j, struct fw_found_message *f)
{
	struct fw_due d = f->due;
	int64_t now_us = fw_now_us();
	if (j->action == DROP) {
		const struct fw_due_outcome o = { now_us, d.number, d.rule, d.channel, FW_STR("dropped"), FW_STR("the operator"),
			{ NULL, 0 } };
		fw_record_release_due(f->record, d.number);
		fw_record_drop_due(f->record, d.number);
		return fw_record_note_outcome(f->record, &o);
	}
	if (d.state != FW_DUE_DEAD)
		return FW_EINVAL;
	int64_t lasts_us = d.expires_us - d.triggered_us;
	d.state = FW_DUE_WAITS;
	d.attempts = d.lost = 0;
	d.due_us = now_us;
	d.expires_us = now_us + lasts_us;
	return fw_record_put_due(f->record, &d);
}

static bool act_on(void *ctx, struct fw_found_message *f, bool *ret_changed)
{
	struct job *j = ctx;
	*ret_changed = false;
	if (!is_wanted(j, &f->due))
		return true;
	if (j->action == LIST || j->action == SHOW) {
		print(j, f);
		return true;
	}
	int rc = change(j, f);
	if (rc == FW_EINVAL && j->n_ids)
		fprintf(stderr, "floorwalker: %s is not dead: it %s\n", f->id, f->due.state == FW_DUE_WAITS ? "waits" : "is being sent");
	*ret_changed = rc == 0;
	return rc == 0 || (rc == FW_EINVAL && !j->n_ids);
}

static int act(struct job *j)
{
	int status = FW_EXIT_DONE;
	if (j->n_ids == 0)
		status = fw_messages_each(&j->m, act_on, j);
	for (int i = 0; i < j->n_ids; i++) {
		int one = fw_messages_one(&j->m, j->ids[i], act_on, j);
		status = one != FW_EXIT_DONE ? one : status;
	}
	if (j->action == RETRY || j->action == DROP)
		printf("%zu %s\n", j->m.changed, j->action == RETRY ? "to be tried again" : "dropped");
	return status;
}

static int misused(const char *cause)
{
	return fw_command_misused(&fw_command_messages, cause);
}

static int find(const char *word, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

/* Says what is missing of a preview, or what belongs to one. */
static const char *misfit(const struct job *j)
{
	const struct fw_preview_options *p = &j->preview;
	if (j->action != PREVIEW)
		return p->facts || p->to || p->out || p->rules ? "--facts, --to, --out and --rules are for preview" : NULL;
	if (j->n_ids || j->all || j->state || j->channel)
		return "preview takes --rule and --facts, and no ids";
	if (!j->rule)
		return "a preview of which rule? Say it with --rule RULE";
	return p->facts ? NULL : "for which visitor? Say it with --facts '{\"country\":\"CA\"}', or --facts FILE";
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' }, { "state", required_argument, NULL, 's' }, { "rule", required_argument, NULL, 'r' },
		{ "channel", required_argument, NULL, 'n' },
		{ "facts", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
		{ "out", required_argument, NULL, 'o' }, { "rules", required_argument, NULL, 'R' }, { 0 } };
	static const char *const actions[] = { "list", "show", "retry", "drop", "preview" };
	struct job j = { 0 };
	enum fw_due_state known;
	const char *config = NULL;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'j': j.json = true; break;
		case 'a': j.all = true; break;
		case 's': j.state = optarg; break;
		case 'r': j.rule = optarg; break;
		case 'n': j.channel = optarg; break;
		case 'f': j.preview.facts = optarg; break;
		case 't': j.preview.to = optarg; break;
		case 'o': j.preview.out = optarg; break;
		case 'R': j.preview.rules = optarg; break;
		default: return misused(NULL);
		}
	}
	int action = optind < argc ? find(argv[optind], actions, 5) : -1;
	if (action < 0)
		return misused("write list, show, retry, drop or preview");
	if (j.state && !fw_due_state_find(j.state, &known))
		return misused("a state is waits, sending or dead");
	j.action = (enum action)action;
	j.ids = argv + optind + 1;
	j.n_ids = argc - optind - 1;
	const char *wrong = misfit(&j);
	if (wrong)
		return misused(wrong);
	if (j.action == PREVIEW) {
		j.preview.config = config;
		j.preview.rule = j.rule;
		j.preview.json = j.json;
		return fw_messages_preview(&j.preview);
	}
	if (j.action == LIST ? j.n_ids != 0 : (j.n_ids == 0) != (j.action != SHOW && j.all))
		return misused(j.action == LIST ? "list takes no ids" : j.action == SHOW ? "which one?" : "name ids, or --all");
	int status = fw_messages_open(&j.m, config);
	if (status == FW_EXIT_DONE)
		status = act(&j);
	fw_messages_close(&j.m);
	return status;
}

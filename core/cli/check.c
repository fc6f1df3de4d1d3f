#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "check/check.h"
#include "cli/commands.h"
#include "cli/open.h"
#include "cli/watch.h"
#include "decide/selftest.h"

enum form { FORM_TEXT, FORM_JSON, FORM_ANNOTATIONS };

struct job {
	struct fw_opened opened;
	const char *rules;       /* the rule folder, and … */
	const char *compliance;  /* … that of the compliance rules or NULL, for annotations */
	bool all;                /* what is only possible, too */
	uint32_t tests;
	struct fw_arena arena;   /* of what was found */
	struct fw_findings found;
	int ret;                 /* not 0: the set would not load */
};

static bool is_shown(const struct job *j, const struct fw_finding *f)
{
	return j->all || f->verdict != FW_POSSIBLE;
}

static void print_json(const struct job *j)
{
	struct fw_buf buf;
	struct fw_json_out out;
	fw_buf_init(&buf, 0);
	fw_json_out_init(&out, &buf);
	fw_json_open_object(&out);
	fw_json_key(&out, "errors");
	fw_json_open_array(&out);
	for (uint32_t i = 0; i < j->opened.errors.n; i++)
		fw_opened_error_json(&out, &j->opened.errors.items[i]);
	fw_json_close_array(&out);
	fw_json_key(&out, "findings");
	fw_json_open_array(&out);
	for (uint32_t i = 0; i < j->found.n; i++)
		if (is_shown(j, &j->found.items[i]))
			fw_finding_write(&out, &j->found.items[i]);
	fw_json_close_array(&out);
	fw_json_close_object(&out);
	puts(fw_buf_text(&buf));
	fw_buf_finish(&buf);
}

static void print_finding(const struct fw_finding *f)
{
	printf("%s:%d: %s%s", f->place.file, f->place.line, f->verdict == FW_POSSIBLE ? "possibly: " : "", f->message);
	if (f->witness.n)
		printf(": %.*s", (int)f->witness.n, f->witness.p);
	printf("; %s [%s]\n", f->hint, fw_finding_name(f->code));
}

static void print_text(const struct job *j)
{
	const struct fw_ruleset *s = j->opened.set;
	const struct fw_findings *f = &j->found;
	if (j->ret) {
		fw_opened_report(&j->opened);
		return;
	}
	for (uint32_t i = 0; i < f->n; i++)
		if (is_shown(j, &f->items[i]))
			print_finding(&f->items[i]);
	printf("no errors: rules %u, slots %u, guards %u, segments %u; tests passed %u; findings %u", s->n_rules, s->n_slots, s->n_guards,
		s->n_segments, j->tests, f->certain);
	if (f->possible)
		printf(", possible %u%s", f->possible, j->all ? "" : " (--all shows them)");
	if (f->not_determined)
		printf(", not determined %u", f->not_determined);
	putchar('\n');
}

/* Workflow commands as GitHub reads them; "%", line ends and, in properties, ":" and "," are written as it wants them. */
static void put_escaped(const char *s, bool property)
{
	for (; *s; s++)
		if (*s == '%' || *s == '\r' || *s == '\n' || (property && (*s == ':' || *s == ',')))
			printf("%%%02X", (unsigned char)*s);
		else
			putchar(*s);
}

/* A file's path as seen from where the command runs: files of the compliance folder have it in their names. */
static void put_path(const struct job *j, const char *file)
{
	char here[4096];
	const char *slash = j->compliance ? strrchr(j->compliance, '/') : NULL, *folder = j->rules,
		*base = slash ? slash + 1 : j->compliance;
	size_t n = base ? strlen(base) : 0;
	if (n && strncmp(file, base, n) == 0 && file[n] == '/') {
		folder = j->compliance;
		file += n + 1;
	}
	n = getcwd(here, sizeof here) ? strlen(here) : 0;
	if (n && strncmp(folder, here, n) == 0 && folder[n] == '/')
		folder += n + 1;
	put_escaped(folder, true);
	putchar('/');
	put_escaped(file, true);
}

static void annotate(const struct job *j, const char *level, const char *file, int line, const char *title, const char *message,
	const char *hint)
{
	printf("::%s file=", level);
	put_path(j, file);
	printf(",line=%d,title=", line);
	put_escaped(title, true);
	fputs("::", stdout);
	put_escaped(message, false);
	fputs(hint[0] ? "; " : "", stdout);
	put_escaped(hint, false);
	putchar('\n');
}

static void print_annotations(const struct job *j)
{
	for (uint32_t i = 0; i < j->opened.errors.n; i++) {
		const struct fw_error *e = &j->opened.errors.items[i];
		annotate(j, "error", e->file, e->line, "error", e->message, e->hint);
	}
	for (uint32_t i = 0; i < j->found.n; i++) {
		const struct fw_finding *f = &j->found.items[i];
		if (is_shown(j, f))
			annotate(j, f->verdict == FW_CERTAIN ? "warning" : "notice", f->place.file, f->place.line, fw_finding_name(f->code),
				f->message, f->hint);
	}
}

/* Loads, tests, checks. A failing test keeps a set from loading just as well as an error. */
static void check(struct job *j, const char *config, const char *rules)
{
	struct fw_opened *o = &j->opened;
	j->ret = fw_opened_open(o, config, rules);
	if (j->ret == 0)
		j->ret = fw_selftest_run(&o->decider, o->zones, NULL, &o->errors, &j->tests);
	if (j->ret == 0 && fw_check(&o->decider, o->zones, fw_now_us(), &j->arena, &j->found) < 0) {
		fw_fail(fw_errors_add(&o->errors), FW_ENOMEM, NULL, 0, "out of memory");
		j->ret = FW_ENOMEM;
	}
	j->rules = rules ? rules : o->config ? o->config->rules : ".";
	j->compliance = o->config ? o->config->compliance : NULL;
}

struct wanted {
	const char *config, *rules;
	enum form form;
	bool all;
};

static int check_once(void *ctx, struct fw_watched *ret)
{
	const struct wanted *w = ctx;
	struct job j = { .all = w->all };
	fw_arena_init(&j.arena, NULL, 0, 0);
	check(&j, w->config, w->rules);
	if (w->form == FORM_JSON)
		print_json(&j);
	else if (w->form == FORM_ANNOTATIONS)
		print_annotations(&j);
	else
		print_text(&j);
	fw_watched_note(ret, &j.opened, w->config, w->rules);
	int status = j.ret || j.found.certain ? FW_EXIT_NO : FW_EXIT_DONE;
	fw_arena_finish(&j.arena);
	fw_opened_close(&j.opened);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' }, { "annotations", no_argument, NULL, 'a' }, { "all", no_argument, NULL, 'A' },
		{ "watch", no_argument, NULL, 'w' }, { NULL, 0, NULL, 0 } };
	struct wanted w = { .form = FORM_TEXT };
	bool watches = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': w.rules = optarg; break;
		case 'c': w.config = optarg; break;
		case 'j': w.form = FORM_JSON; break;
		case 'a': w.form = FORM_ANNOTATIONS; break;
		case 'A': w.all = true; break;
		case 'w': watches = true; break;
		default: return fw_command_misused(&fw_command_check, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_check, "it takes no arguments; name the folder with --rules DIR");
	return fw_watch(watches, check_once, &w);
}

const struct fw_command fw_command_check = {
	.name = "check",
	.summary = "reads a rule set without serving it: every error, and what can hardly be meant",
	.usage = "usage: floorwalker check [--rules DIR] [--config FILE] [--all] [--json | --annotations] [--watch]\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts (else ./floorwalker.lua,\n"
		 "                 /etc/floorwalker/floorwalker.lua)\n"
		 "  --all          findings, too, that are only possible: a function decides\n"
		 "  --json         {\"errors\":[…],\"findings\":[…]}\n"
		 "  --annotations  as GitHub's workflows put them beside the line of a change\n"
		 "  --watch        again after every save, until it is ended\n\n"
		 "Exit status: 0 the set would load and nothing was found, 1 it would not, or something was, 2 used wrongly.\n",
	.run = run,
};

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/reload.h"
#include "cli/running.h"
#include "server/report.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_reload = {
	.name = "reload",
	.summary = "load the files anew in the running daemon, and wait for the outcome",
	.usage = "usage: floorwalker reload [--config FILE] [--json]\n\n"
		"Exit status 1, with the errors, when the new set is refused; the former one goes on then.\n\n"
		"  --config FILE  the configuration of the running daemon\n"
		"  --json         the outcome as JSON\n",
	.run = run,
};

static void print_error(const struct fw_error *err, void *ctx)
{
	char text[1200];
	(void)ctx;
	fprintf(stderr, "%s\n", fw_error_text(err, text, sizeof text));
}

/* What came of each step, "rules ok (12 ms)". */
static void print_steps(const struct fw_json *steps, FILE *to)
{
	for (const struct fw_json *s = steps ? steps->child : NULL; s; s = s->next) {
		struct fw_str step = fw_json_text(s, "step"), outcome = fw_json_text(s, "outcome"), note = fw_json_text(s, "note");
		const struct fw_json *ms = fw_json_get(s, "ms");
		fprintf(to, "  %-13s %-7s %6.0f ms%s%s\n", step.p ? step.p : "", outcome.p ? outcome.p : "", ms ? ms->number : 0,
			note.n ? "  " : "", note.n ? note.p : "");
	}
}

static int print_refusal(const struct fw_json *outcome, const char *stays)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	if (fw_json_get(outcome, "errors"))
		fw_json_tree(&o, fw_json_get(outcome, "errors"));
	fw_report_each(fw_buf_text(&b), print_error, NULL);
	print_steps(fw_json_get(outcome, "steps"), stderr);
	fprintf(stderr, "refused: the %s goes on\n", stays);
	fw_buf_finish(&b);
	return FW_EXIT_NO;
}

static int print_outcome(const struct fw_json *outcome, bool ok, const struct fw_reload_words *words)
{
	const struct fw_json *loaded = fw_json_get(outcome, "loaded"), *unchanged = fw_json_get(loaded, "unchanged");
	const struct fw_json *generation = fw_json_get(outcome, "generation");
	struct fw_str hash = fw_json_text(loaded, "ruleSet");
	if (!ok)
		return print_refusal(outcome, words->stays);
	printf("%s: generation %d serves rule set %.*s\n", words->done, generation ? (int)generation->number : 0, (int)hash.n,
		hash.p ? hash.p : "");
	print_steps(fw_json_get(outcome, "steps"), stdout);
	const char *broken = fw_json_text(fw_json_get(loaded, "catalog"), "broken").p;
	if (broken)
		fprintf(stderr, "%s\nthe feed is broken; the former products stay\n", broken);
	for (const struct fw_json *u = unchanged ? unchanged->child : NULL; u; u = u->next)
		fprintf(stderr, "%s: changes with the next start only\n", u->string.p ? u->string.p : "");
	return FW_EXIT_DONE;
}

int fw_reload_ask(const struct fw_command *command, const struct fw_reload_words *words, int argc, char **argv)
{
	struct fw_plain_options options;
	if (fw_plain_options_read(command, argc, argv, &options) != FW_EXIT_DONE)
		return FW_EXIT_USAGE;
	if (optind < argc)
		return fw_command_misused(command, "takes no arguments");
	struct fw_running running;
	int status = fw_running_ask(&running, options.config, command->name);
	if (status == FW_EXIT_DONE) {
		const struct fw_json *ok = fw_json_get(running.answer, "ok");
		bool fine = ok && ok->boolean;
		if (options.json)
			printf("%s", fw_buf_text(&running.text));
		status = options.json ? (fine ? FW_EXIT_DONE : FW_EXIT_NO) : print_outcome(running.answer, fine, words);
	}
	fw_running_finish(&running);
	return status;
}

static int run(int argc, char **argv)
{
	return fw_reload_ask(&fw_command_reload, &(struct fw_reload_words){ "reloaded", "former rule set" }, argc, argv);
}

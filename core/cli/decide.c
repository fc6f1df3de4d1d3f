#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "profile/given.h"
#include "signal/signal.h"
#include "trace/trace.h"

struct job {
	struct fw_opened *o;
	uint32_t *slots, n_slots;
	bool explain, record;
	struct fw_buf out;
};

/* One line in, one line out. A wrong line is named on stderr and answered with an error object in its place. */
static int answer_line(struct job *j, struct fw_arena *arena, char *line, size_t n, unsigned long number)
{
	struct fw_json *visitor;
	struct fw_facts facts;
	struct fw_error err = { .message = "out of memory" };
	struct fw_json_out out;
	struct fw_decision decision;
	struct fw_explanation explanation;
	const struct fw_ruleset *set = j->o->set;
	fw_json_out_init(&out, &j->out);
	int ret = fw_json_parse(arena, line, n, &visitor, &err);
	if (ret == 0)
		ret = fw_profile_given(&facts, arena, visitor, set->zone, set->currency, &err);
	if (ret == 0)
		ret = fw_signal_derive(j->o->zones, &facts);
	if (ret == 0 && j->explain) {
		if ((ret = fw_explain(&j->o->decider, &facts, j->slots, j->n_slots, arena, &explanation)) == 0)
			fw_trace_explanation(&out, set, &facts, &explanation);
	} else if (ret == 0) {
		ret = fw_decide(&j->o->decider, &facts, j->slots, j->n_slots, arena, &decision);
		if (ret == 0 && j->record)
			fw_trace_record(&out, &j->o->decider, &facts, &decision);
		else if (ret == 0)
			fw_trace_answer(&out, set, &decision, NULL, 0, false);
	}
	if (ret < 0) {
		snprintf(err.file, sizeof err.file, "stdin");
		err.line = (int)number;
		fw_opened_print(&err);
		fw_json_open_object(&out);
		fw_json_key(&out, "error");
		fw_opened_error_json(&out, &err);
		fw_json_close_object(&out);
	}
	fw_buf_putc(&j->out, '\n');
	return ret;
}

static int answer_all(struct job *j)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int status = FW_EXIT_DONE;
	static char first[1 << 16];
	bool tell = isatty(STDERR_FILENO) && !isatty(STDIN_FILENO) && !isatty(STDOUT_FILENO);
	for (unsigned long number = 1; (n = getline(&line, &size, stdin)) > 0; number++) {
		struct fw_arena arena;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		fw_arena_init(&arena, first, sizeof first, 0);
		fw_buf_clear(&j->out);
		if (answer_line(j, &arena, line, (size_t)n, number) < 0)
			status = FW_EXIT_NO;
		fwrite(j->out.data, 1, j->out.n, stdout);
		fw_arena_finish(&arena);
		fw_sandbox_collect(j->o->set->sandbox);
		if (tell && number % 10000 == 0)
			fprintf(stderr, "\r%lu visitors", number);
	}
	if (tell)
		fputc('\n', stderr);
	free(line);
	if (fflush(stdout) != 0) {
		perror("floorwalker decide: stdout");
		status = FW_EXIT_NO;
	}
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "slots", required_argument, NULL, 's' }, { "explain", no_argument, NULL, 'e' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	const char *rules = NULL, *config = NULL, *slots = NULL;
	struct fw_opened o;
	struct job j = { .o = &o };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': rules = optarg; break;
		case 'c': config = optarg; break;
		case 's': slots = optarg; break;
		case 'e': j.explain = true; break;
		case 'j': j.record = true; break;
		default: return fw_command_misused(&fw_command_decide, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_decide, "visitors are read from standard input, one JSON object a line");
	int status = FW_EXIT_NO, ret = fw_opened_open(&o, config, rules);
	fw_buf_init(&j.out, 0);
	if (ret < 0) {
		fw_opened_report(&o);
	} else if (fw_opened_slots(&o, slots, &j.slots, &j.n_slots) == 0) {
		o.decider.holdout = o.config ? o.config->holdout : 0;
		status = answer_all(&j);
	}
	free(j.slots);
	fw_buf_finish(&j.out);
	fw_opened_close(&o);
	return status;
}

const struct fw_command fw_command_decide = {
	.name = "decide",
	.summary = "reads a visitor a line, writes a decision a line",
	.usage = "usage: floorwalker decide [--rules DIR] [--config FILE] [--slots a,b] [--explain | --json] <visitors.jsonl\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts\n"
		 "  --slots a,b    the slots to decide (else all)\n"
		 "  --explain      every candidate and what became of it, in place of the answer\n"
		 "  --json         the record of the decision, in place of the answer\n\n"
		 "A visitor is an object of facts as in a rule test's `given`: {\"country\":\"CA\",\"device\":\"mobile\"}.\n"
		 "Exit status: 0 all lines were answered, 1 a line was wrong or the set does not load, 2 used wrongly.\n",
	.run = run,
};

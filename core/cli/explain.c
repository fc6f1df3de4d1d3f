#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "check/needs.h"
#include "cli/commands.h"
#include "cli/explain_decision.h"
#include "cli/open.h"
#include "profile/given.h"
#include "signal/signal.h"
#include "trace/trace.h"

/* "email,sms": each must have a message. */
static int explain_channels(struct fw_opened *o, const char *list, const struct fw_facts *facts, struct fw_arena *arena,
	struct fw_explanation *e, struct fw_error *err)
{
	int rc = 0;
	while (list && *list && rc == 0) {
		size_t n = strcspn(list, ",");
		char *channel = fw_arena_strndup(arena, list, n);
		rc = channel ? fw_explain_channel(&o->decider, facts, channel, FW_REASON_WON, arena, e) : FW_ENOMEM;
		if (rc == 0 && e->slots[e->n_slots - 1].n == 0)
			return fw_fail(err, FW_EINVAL, NULL, 0, "no rule has the channel \"%s\"", channel);
		list += n + (list[n] == ',');
	}
	return rc;
}

static int explain(struct fw_opened *o, const char *slots_text, const char *channels, const char *facts_text, bool json, bool changes,
	bool orders, struct fw_arena *arena)
{
	struct fw_json *visitor;
	struct fw_facts facts;
	struct fw_error err = { .message = "out of memory" };
	struct fw_explanation e;
	uint32_t *slots, n;
	if (fw_opened_slots(o, slots_text, &slots, &n) < 0)
		return FW_EXIT_NO;
	if (channels && !slots_text)
		n = 0; /* they alone */
	int ret = fw_json_parse(arena, facts_text, strlen(facts_text), &visitor, &err);
	if (ret == 0)
		ret = fw_profile_given(&facts, arena, visitor, o->set->zone, o->set->currency, &err);
	if (ret == 0)
		ret = fw_signal_derive(o->zones, &facts);
	if (ret == 0)
		ret = fw_explain(&o->decider, &facts, slots, n, arena, &e);
	bool asked = ret == 0;
	if (ret == 0)
		ret = explain_channels(o, channels, &facts, arena, &e, &err);
	if (ret == 0 && changes)
		ret = fw_needs_find(&o->decider, &facts, slots, n, arena, &e);
	free(slots);
	if (ret < 0) {
		snprintf(err.file, sizeof err.file, "%s", asked ? "--channel" : "--facts");
		fw_opened_print(&err);
		return FW_EXIT_NO;
	}
	struct fw_buf buf;
	struct fw_json_out out;
	e.orders = orders;
	fw_buf_init(&buf, 0);
	fw_json_out_init(&out, &buf);
	if (json) {
		fw_trace_explanation(&out, o->set, &facts, &e);
		fw_buf_putc(&buf, '\n');
	} else {
		fw_trace_table(&buf, o->set, &facts, &e);
	}
	fwrite(buf.data, 1, buf.n, stdout);
	fw_buf_finish(&buf);
	return FW_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "slot", required_argument, NULL, 's' }, { "channel", required_argument, NULL, 'n' },
		{ "facts", required_argument, NULL, 'f' }, { "decision", required_argument, NULL, 'd' },
		{ "changes", no_argument, NULL, 'x' }, { "order", no_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	const char *rules = NULL, *config = NULL, *slots = NULL, *channels = NULL, *facts = NULL, *decision = NULL;
	bool json = false, changes = false, orders = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': rules = optarg; break;
		case 'c': config = optarg; break;
		case 's': slots = optarg; break;
		case 'n': channels = optarg; break;
		case 'f': facts = optarg; break;
		case 'd': decision = optarg; break;
		case 'x': changes = true; break;
		case 'o': orders = true; break;
		case 'j': json = true; break;
		default: return fw_command_misused(&fw_command_explain, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_explain, "it takes options only");
	if (decision && (rules || slots || channels || facts))
		return fw_command_misused(&fw_command_explain,
			"with --decision the rules, the slots and the visitor are those of the decision");
	if (decision)
		return fw_explain_decision(config, decision, json, changes, orders);
	if (!facts)
		return fw_command_misused(&fw_command_explain, "which visitor? Say it with --facts '{\"country\":\"CA\"}'");
	struct fw_opened o;
	struct fw_arena arena;
	fw_arena_init(&arena, NULL, 0, 0);
	int status = FW_EXIT_NO;
	if (fw_opened_open(&o, config, rules) < 0)
		fw_opened_report(&o);
	else
		status = explain(&o, slots, channels, facts, json, changes, orders, &arena);
	fw_arena_finish(&arena);
	fw_opened_close(&o);
	return status;
}

const struct fw_command fw_command_explain = {
	.name = "explain",
	.summary = "shows every candidate of a slot and what became of it",
	.usage = "usage: floorwalker explain [--rules DIR] [--config FILE] [--slot S] [--channel C] --facts JSON\n"
		 "                           [--changes] [--order] [--json]\n"
		 "       floorwalker explain --decision ID [--config FILE] [--changes] [--order] [--json]\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts\n"
		 "  --slot S       the slot, or several with commas (else all)\n"
		 "  --channel C    the messages of a channel as if they were due now, or of several with commas\n"
		 "  --facts JSON   the visitor, as in a rule test's `given`\n"
		 "  --decision ID  a decision of the log, as it was made: with its rules, for its visitor, at its time\n"
		 "  --changes      for each rule that does not win, the smallest change that would make it win\n"
		 "  --order        of each rule that wins, where the items of its lists stand, and why\n"
		 "  --json         as /v1/explain answers\n",
	.run = run,
};

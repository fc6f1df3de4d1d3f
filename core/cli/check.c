#include <getopt.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "decide/selftest.h"

static int print_json(const struct fw_opened *o, int failed)
{
	struct fw_buf buf;
	struct fw_json_out out;
	fw_buf_init(&buf, 0);
	fw_json_out_init(&out, &buf);
	fw_json_open_object(&out);
	fw_json_key(&out, "errors");
	fw_json_open_array(&out);
	for (uint32_t i = 0; i < o->errors.n; i++)
		fw_opened_error_json(&out, &o->errors.items[i]);
	fw_json_close_array(&out);
	fw_json_key(&out, "findings");
	fw_json_open_array(&out);
	fw_json_close_array(&out);
	fw_json_close_object(&out);
	puts(fw_buf_text(&buf));
	fw_buf_finish(&buf);
	return failed ? FW_EXIT_NO : FW_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' }, { NULL, 0, NULL, 0 } };
	const char *rules = NULL, *config = NULL;
	bool json = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': rules = optarg; break;
		case 'c': config = optarg; break;
		case 'j': json = true; break;
		default: return fw_command_misused(&fw_command_check, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_check, "it takes no arguments; name the folder with --rules DIR");
	struct fw_opened o;
	uint32_t ran = 0;
	int ret = fw_opened_open(&o, config, rules);
	if (ret == 0) /* a failing test keeps a set from loading just as well */
		ret = fw_selftest_run(&o.decider, o.zones, NULL, &o.errors, &ran);
	int status = ret ? FW_EXIT_NO : FW_EXIT_DONE;
	if (json)
		status = print_json(&o, ret);
	else if (ret)
		fw_opened_report(&o);
	else
		printf("no errors: rules %u, slots %u, guards %u, segments %u; tests passed %u\n", o.set->n_rules,
			o.set->n_slots, o.set->n_guards, o.set->n_segments, ran);
	fw_opened_close(&o);
	return status;
}

const struct fw_command fw_command_check = {
	.name = "check",
	.summary = "reads a rule set without serving it: every error with its place",
	.usage = "usage: floorwalker check [--rules DIR] [--config FILE] [--json]\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts (else ./floorwalker.lua,\n"
		 "                 /etc/floorwalker/floorwalker.lua)\n"
		 "  --json         {\"errors\":[…],\"findings\":[…]}\n\n"
		 "Exit status: 0 the set would load, 1 it would not, 2 used wrongly.\n",
	.run = run,
};

#include <getopt.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "decide/selftest.h"

static void print_json(const struct fw_opened *o, uint32_t ran, int failed)
{
	struct fw_buf buf;
	struct fw_json_out out;
	fw_buf_init(&buf, 0);
	fw_json_out_init(&out, &buf);
	fw_json_open_object(&out);
	fw_json_key(&out, "passed");
	fw_json_number(&out, failed < 0 ? 0 : ran - (unsigned)failed);
	fw_json_key(&out, "failed");
	fw_json_number(&out, failed < 0 ? 0 : failed);
	fw_json_key(&out, "errors");
	fw_json_open_array(&out);
	for (uint32_t i = 0; i < o->errors.n; i++)
		fw_opened_error_json(&out, &o->errors.items[i]);
	fw_json_close_array(&out);
	fw_json_close_object(&out);
	puts(fw_buf_text(&buf));
	fw_buf_finish(&buf);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' }, { NULL, 0, NULL, 0 } };
	const char *rules = NULL, *config = NULL, *only = NULL;
	bool json = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': rules = optarg; break;
		case 'c': config = optarg; break;
		case 'o': only = optarg; break;
		case 'j': json = true; break;
		default: return fw_command_misused(&fw_command_test, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_test, "it takes no arguments; name the folder with --rules DIR");
	struct fw_opened o;
	uint32_t ran = 0;
	int failed = fw_opened_open(&o, config, rules);
	if (failed == 0)
		failed = fw_selftest_run(&o.decider, o.zones, only, &o.errors, &ran);
	if (json)
		print_json(&o, ran, failed);
	else
		fw_opened_report(&o);
	if (!json && failed >= 0)
		printf("%u passed, %d failed\n", ran - (unsigned)failed, failed);
	fw_opened_close(&o);
	return failed ? FW_EXIT_NO : FW_EXIT_DONE;
}

const struct fw_command fw_command_test = {
	.name = "test",
	.summary = "runs the rule set's tests",
	.usage = "usage: floorwalker test [--rules DIR] [--config FILE] [--only TEXT] [--json]\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts\n"
		 "  --only TEXT    only tests whose name contains it\n"
		 "  --json         {\"passed\",\"failed\",\"errors\":[…]}\n\n"
		 "Exit status: 0 all passed, 1 one failed or the set does not load, 2 used wrongly.\n",
	.run = run,
};

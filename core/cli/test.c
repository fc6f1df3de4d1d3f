#include <getopt.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/open.h"
#include "cli/watch.h"
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

struct wanted {
	const char *config, *rules, *only;
	bool json;
};

static int test_once(void *ctx, struct fw_watched *ret)
{
	const struct wanted *w = ctx;
	struct fw_opened o;
	uint32_t ran = 0;
	int failed = fw_opened_open(&o, w->config, w->rules);
	if (failed == 0)
		failed = fw_selftest_run(&o.decider, o.zones, w->only, &o.errors, &ran);
	if (w->json)
		print_json(&o, ran, failed);
	else
		fw_opened_report(&o);
	if (!w->json && failed >= 0)
		printf("%u passed, %d failed\n", ran - (unsigned)failed, failed);
	fw_watched_note(ret, &o, w->config, w->rules);
	fw_opened_close(&o);
	return failed ? FW_EXIT_NO : FW_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "only", required_argument, NULL, 'o' }, { "json", no_argument, NULL, 'j' }, { "watch", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 } };
	struct wanted w = { .json = false };
	bool watches = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': w.rules = optarg; break;
		case 'c': w.config = optarg; break;
		case 'o': w.only = optarg; break;
		case 'j': w.json = true; break;
		case 'w': watches = true; break;
		default: return fw_command_misused(&fw_command_test, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_test, "it takes no arguments; name the folder with --rules DIR");
	return fw_watch(watches, test_once, &w);
}

const struct fw_command fw_command_test = {
	.name = "test",
	.summary = "runs the rule set's tests",
	.usage = "usage: floorwalker test [--rules DIR] [--config FILE] [--only TEXT] [--json] [--watch]\n\n"
		 "  --rules DIR    the rule folder (else the configuration's)\n"
		 "  --config FILE  the configuration, whose compliance folder counts\n"
		 "  --only TEXT    only tests whose name contains it\n"
		 "  --json         {\"passed\",\"failed\",\"errors\":[…]}\n"
		 "  --watch        again after every save, until it is ended\n\n"
		 "Exit status: 0 all passed, 1 one failed or the set does not load, 2 used wrongly.\n",
	.run = run,
};

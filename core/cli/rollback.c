#include "cli/commands.h"
#include "cli/reload.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_rollback = {
	.name = "rollback",
	.summary = "have the running daemon serve the rule set from before, and wait for the outcome",
	.usage = "usage: floorwalker rollback [--config FILE] [--json]\n\n"
		"Rules, compliance, configuration and plugins as they were when the set before the one in service was loaded, from\n"
		"the copy in the run folder. The files stay as they are: the next reload or start loads them, so mend them first.\n"
		"Asked again it leads back. Exit status 1 when there is no set from before, or it does not load.\n\n"
		"  --config FILE  the configuration of the running daemon\n"
		"  --json         the outcome as JSON\n",
	.run = run,
};

static int run(int argc, char **argv)
{
	return fw_reload_ask(&fw_command_rollback, &(struct fw_reload_words){ "rolled back", "rule set in service" }, argc, argv);
}

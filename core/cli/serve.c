#include <getopt.h>
#include <stdio.h>

#include "cli/commands.h"
#include "server/master.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_serve = {
	.name = "serve",
	.summary = "run the daemon in the foreground",
	.usage = "usage: floorwalker serve [--config FILE]\n\n"
		"Serves until SIGTERM. Says first, on stderr, where it listens.\n\n"
		"  --config FILE  the configuration; else ./floorwalker.lua, else /etc/floorwalker/floorwalker.lua\n",
	.run = run,
};

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { 0 } };
	const char *file = NULL;
	struct fw_config *config;
	struct fw_error err;
	char text[1200];
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'c')
			return fw_command_misused(&fw_command_serve, NULL);
		file = optarg;
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_serve, "takes no arguments");
	if (!(file = fw_config_find(file))) {
		fputs("floorwalker: no configuration: neither ./floorwalker.lua nor /etc/floorwalker/floorwalker.lua is there\n", stderr);
		return FW_EXIT_NO;
	}
	if (fw_config_load(file, &config, &err) < 0) {
		fprintf(stderr, "floorwalker: not started: %s\n", fw_error_text(&err, text, sizeof text));
		return FW_EXIT_NO;
	}
	int status = fw_master_run(config);
	fw_config_destroy(config);
	return status;
}

#include "cli/options.h"

#include <getopt.h>
#include <stddef.h>

int fw_plain_options_read(const struct fw_command *command, int argc, char **argv, struct fw_plain_options *ret)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' }, { 0 } };
	*ret = (struct fw_plain_options){ 0 };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'c')
			ret->config = optarg;
		else if (c == 'j')
			ret->json = true;
		else
			return fw_command_misused(command, NULL);
	}
	return FW_EXIT_DONE;
}

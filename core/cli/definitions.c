#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/commands.h"
#include "rules/definitions.h"

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "luacheck", no_argument, NULL, 'l' }, { NULL, 0, NULL, 0 } };
	bool luacheck = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'l')
			return fw_command_misused(&fw_command_definitions, NULL);
		luacheck = true;
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_definitions, "it takes no arguments; it writes to standard output");
	struct fw_buf text;
	fw_buf_init(&text, 0);
	if (luacheck)
		fw_definitions_luacheck(&text);
	else
		fw_definitions_write(&text);
	bool fine = fwrite(fw_buf_text(&text), 1, text.n, stdout) == text.n && fflush(stdout) == 0;
	fw_buf_finish(&text);
	if (!fine)
		fputs("floorwalker: the definitions could not be written\n", stderr);
	return fine ? FW_EXIT_DONE : FW_EXIT_NO;
}

const struct fw_command fw_command_definitions = {
	.name = "definitions",
	.summary = "what rule files may say, for editors",
	.usage = "usage: floorwalker definitions [--luacheck]\n\n"
		 "Writes a definitions file of the Lua language server: declarations, fields, facts and matchers, with\n"
		 "what each is. A file whose name begins with \"_\" may lie among the rules and is not read with them.\n\n"
		 "  --luacheck     a .luacheckrc instead: the names that there are\n\n"
		 "Exit status: 0 written, 1 it could not be, 2 used wrongly.\n",
	.run = run,
};

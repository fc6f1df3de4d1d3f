/* A subcommand of the one executable. Each lives in a file of its own and is named in main.c's table. */
#ifndef FW_CLI_COMMAND_H
#define FW_CLI_COMMAND_H

/* Exit statuses of every subcommand. */
enum fw_exit {
	FW_EXIT_DONE = 0,
	FW_EXIT_NO = 1,    /* the answer is no: findings, failed tests, a refused reload; or it could not be done */
	FW_EXIT_USAGE = 2, /* used wrongly */
};

struct fw_command {
	const char *name;
	const char *summary; /* one line, lower case, for `floorwalker --help` */
	const char *usage;   /* what `--help` prints: "usage: floorwalker NAME …", then the options; ends with a newline */
	/* argv[0] is the subcommand's name; getopt_long is ready to use, and `--help` has been answered already. Returns an
	 * exit status. */
	int (*run)(int argc, char **argv);
};

/* For a wrong option or argument: the cause (may be NULL when getopt has said it) and where to read on, on stderr.
 * Returns FW_EXIT_USAGE. */
int fw_command_misused(const struct fw_command *command, const char *cause);

#endif

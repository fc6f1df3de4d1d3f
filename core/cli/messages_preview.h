/* What a message would look like: written to files, sent to nobody. */
#ifndef FW_CLI_MESSAGES_PREVIEW_H
#define FW_CLI_MESSAGES_PREVIEW_H

#include <stdbool.h>

struct fw_preview_options {
	const char *config, *rules; /* as the command was told, or NULL */
	const char *rule;
	const char *facts;          /* JSON, a file's name, or "-" */
	const char *to, *out;       /* or NULL */
	bool json;
};

/* `messages preview`. An exit status; what goes wrong is said. */
int fw_messages_preview(const struct fw_preview_options *options);

#endif

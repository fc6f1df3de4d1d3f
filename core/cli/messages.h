/* What the command `messages` reads and writes. */
#ifndef FW_CLI_MESSAGES_H
#define FW_CLI_MESSAGES_H

#include "cli/stored.h"
#include "message/id.h"
#include "profile/due.h"

struct fw_messages_job {
	struct fw_stored stored;
	struct fw_arena arena; /* of the person in hand */
	size_t changed;        /* messages, for good */
};

/* As it is in the record of its person. */
struct fw_found_message {
	char id[FW_MESSAGE_ID + 1];
	struct fw_due due;
	struct fw_str visitor;    /* the userId, else the id of first sight */
	struct fw_record *record;
};

/* Looks at one, and may change its record: then it is written. False: it could not do what it wanted. */
typedef bool (*fw_messages_act)(void *ctx, struct fw_found_message *f, bool *ret_changed);

int fw_messages_open(struct fw_messages_job *j, const char *config);
void fw_messages_close(struct fw_messages_job *j);
/* Each that there is, bucket by bucket; one, by its id. An exit status; what goes wrong is said. */
int fw_messages_each(struct fw_messages_job *j, fw_messages_act act, void *ctx);
int fw_messages_one(struct fw_messages_job *j, const char *id, fw_messages_act act, void *ctx);

#endif

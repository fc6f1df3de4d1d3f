/* The id of a message, as channels and their peers have it: 32 hexadecimal digits that say whose message it is, and which, to whoever
 * has the store's secret, and nothing to anybody else. */
#ifndef FW_MESSAGE_ID_H
#define FW_MESSAGE_ID_H

#include "people/secret.h"

enum { FW_MESSAGE_ID = 32 };

struct fw_message_id {
	uint64_t person; /* the hash in the key of the row that the message was sent from */
	uint64_t number; /* struct fw_due's */
};

/* One block of AES-128 (FIPS 197), under a key made of the secret. 0 or FW_ENOMEM. */
int fw_message_id_write(const struct fw_secret *s, struct fw_message_id id, char text[FW_MESSAGE_ID + 1]);
/* 0; FW_EINVAL: it is none; FW_ENOMEM. A text that nobody was given leads to nobody. */
int fw_message_id_read(const struct fw_secret *s, struct fw_str text, struct fw_message_id *ret);

#endif

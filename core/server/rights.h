/* A person's rights over what is kept: what plugins and commands say of it in the same words. */
#ifndef FW_SERVER_RIGHTS_H
#define FW_SERVER_RIGHTS_H

#include "base/json.h"
#include "people/erase.h"

/* An id that leads to nobody. */
#define FW_RIGHTS_NOBODY "nobody is known by this id"
#define FW_RIGHTS_IDS "write a userId, or anonymous:, email:, phone: or external: and what comes behind it"

/* Members of an open object: id, timeline, and unverified where something was told of the userId without proof. Either record may
 * be n 0. As fw_profile_timeline returns. */
int fw_rights_timeline(struct fw_arena *a, struct fw_str id, struct fw_str record, struct fw_str unverified, struct fw_json_out *o,
	struct fw_error *err);

/* Members of an open object: erasure, state, begun, done (once it is), ids, deadLetters, scrubbed. */
void fw_rights_receipt(struct fw_json_out *o, const struct fw_receipt *r);

/* The audit's line for what has a receipt: nobody is named. */
void fw_rights_audit_erasure(const char *receipt, const char *by);

#endif

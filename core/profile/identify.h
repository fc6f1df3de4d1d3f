/* Which ids an event tells, in the form in which people are found by them. Pure. */
#ifndef FW_PROFILE_IDENTIFY_H
#define FW_PROFILE_IDENTIFY_H

#include "profile/event.h"

enum { FW_CLAIMS_MOST = 16, FW_EMAIL_BYTES = 256, FW_PHONE_BYTES = 20 };

/* An id that an event tells and that is proven. */
struct fw_claim {
	enum fw_id_kind kind;
	struct fw_str text; /* in its normal form; in the arena, or the event's own text */
};

/* The ids that the event proves, the anonymousId first, then the userId; each once. An anonymousId is a secret and so its own
 * proof. `proven_user`: its userId is proven, and the previousId of an alias, an anonymous id, with it. `proven_all`: it comes
 * from a server with a secret key; then `email`, `phone` and `ids` ({"loyalty": "123"}) of its traits and of context.traits are ids,
 * and so are those of context.externalIds ([{ "type", "id" }]). Ids of other systems are "system:id", the system folded.
 * Placeholders (fw_id_is_blocked) are left out and counted in `ret_blocked`, unproven ones too; what is no address or no
 * number is just no id. Those beyond FW_CLAIMS_MOST are left out. 0 or FW_ENOMEM. */
int fw_identify(struct fw_arena *a, const struct fw_event *e, bool proven_user, bool proven_all, struct fw_claim claims[FW_CLAIMS_MOST],
	unsigned *ret_n, unsigned *ret_blocked);

/* Whether the text is what programs put where they have no id: nothing but zeros and hyphens (a nil UUID, "0", "-"), or one of a closed
 * list ("null", "undefined", "guest", "test@test.com" …; identify.c, core/README.md), whatever its case. Many people would become one. */
bool fw_id_is_blocked(struct fw_str text);
/* The id, or {NULL, 0} in place of such a text: the event or request goes without it. */
struct fw_str fw_id_or_none(struct fw_str id);

/* The normal form of an e-mail address: trimmed, ASCII case folded. False: it is none (local@domain.tld, at most 64 and 254 bytes,
 * no quoted local parts, no address literals). Dots and tags of single providers stay as they are. */
bool fw_normal_email(struct fw_str text, char out[FW_EMAIL_BYTES], size_t *ret_n);

/* The normal form of a phone number: E.164, "+" and 7 to 15 digits (ITU-T E.164, 6.1). Spaces, hyphens, points, slashes and brackets
 * are dropped, so is a trunk zero in brackets, "+49 (0)30 …"; 00 is read as +. False: it is none; a national number says nothing
 * without its country. */
bool fw_normal_phone(struct fw_str text, char out[FW_PHONE_BYTES], size_t *ret_n);

/* What an address of a channel says of who it is: of "email" and "sms" the id, in its normal form, which lies in `out`. False: it is no
 * address, or nobody is found by those of this channel. */
bool fw_normal_address(struct fw_str channel, struct fw_str address, char out[FW_EMAIL_BYTES], struct fw_claim *ret);

#endif

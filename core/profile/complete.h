/* Who asks becomes a visitor: the facts of a request are completed by what was read of the person. One way, for whoever decides and for
 * whoever makes a decision again. */
#ifndef FW_PROFILE_COMPLETE_H
#define FW_PROFILE_COMPLETE_H

#include "profile/record.h"

/* What became of reading the person. */
enum fw_profile_read {
	FW_PROFILE_NOT_READ, /* nobody in particular asks, or a crawler, or there is no store */
	FW_PROFILE_READ,     /* the record is what there is, n 0: nobody has seen this person yet */
	FW_PROFILE_LOST,     /* it could not be read */
};

struct fw_profile_reading {
	enum fw_profile_read read;
	struct fw_str record;
	struct fw_str id;    /* that was asked with, by which rollouts draw where no record tells another; n 0: none */
	bool withhold;       /* what a known customer told of himself is not for whoever asks: no traits */
};

/* `f` as the request made it. 0; FW_EINVAL: the record is damaged; FW_ENOMEM: with either `f` is good for nothing. */
int fw_profile_complete(struct fw_facts *f, const struct fw_profile_reading *r);

/* The id by which a visitor is told from others, whatever id he comes with: that of first sight, else the one asked with. In the arena, or
 * the reading's. n 0: nobody in particular. */
struct fw_str fw_profile_visitor(struct fw_arena *a, const struct fw_profile_reading *r);

#endif

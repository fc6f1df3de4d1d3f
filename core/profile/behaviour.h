/* What the events of a store mean: the names of e-commerce v2, those of v1 that are still in use, and those of e-mail, in
 * one table. */
#ifndef FW_PROFILE_BEHAVIOUR_H
#define FW_PROFILE_BEHAVIOUR_H

#include <stdbool.h>

#include "base/str.h"

/* What is counted; the numbers are part of the record's format. */
enum fw_did { FW_DID_VIEW, FW_DID_SEARCH, FW_DID_ADD, FW_DID_BUY, FW_DID_CLICK, FW_DID_OPEN, FW_DID_KINDS, FW_DID_NOTHING = FW_DID_KINDS };

enum fw_cart_change { FW_CART_SAME, FW_CART_ADD, FW_CART_REMOVE, FW_CART_IS, FW_CART_EMPTY };
enum fw_order_change { FW_ORDER_SAME, FW_ORDER_COMPLETE, FW_ORDER_UPDATE, FW_ORDER_REFUND, FW_ORDER_CANCEL };
enum fw_ask_change { FW_ASK_SAME, FW_ASK_PUT, FW_ASK_DROP };
enum fw_message_change { FW_MESSAGE_SAME, FW_MESSAGE_SENT, FW_MESSAGE_ENGAGED };

struct fw_behaviour {
	const char *name;
	enum fw_did did;
	enum fw_cart_change cart;
	enum fw_order_change order;
	enum fw_message_change message;
	enum fw_ask_change ask;
	const char *channel; /* of a message, or NULL */
	bool away;           /* the visitor need not have been in the store: no visit begins with it */
	const char *object;  /* the property that the timeline shows, or NULL */
};

/* By the name of a track event, ASCII case folded; NULL: it means nothing beyond having happened. */
const struct fw_behaviour *fw_behaviour_find(struct fw_str name);

/* Numbers of well-known names, from 1, as the record has them; 0: it is not one of them. NULL: no such number. */
unsigned fw_behaviour_number(struct fw_str name);
const char *fw_behaviour_name(unsigned number);

#endif

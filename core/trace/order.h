/* Where the items of a winner's lists stand, and why (decide/order.h). Not for other rooms. */
#ifndef FW_TRACE_ORDER_H
#define FW_TRACE_ORDER_H

#include "base/json.h"
#include "decide/decide.h"

/* A member "order" of the candidate's object, if it won and has lists that were put in order. */
void fw_trace_orders(struct fw_json_out *o, const struct fw_ruleset *set, const struct fw_candidate *c);
/* The same for a terminal: a line a list and a line an item. */
void fw_trace_order_lines(struct fw_buf *out, const struct fw_ruleset *set, const struct fw_candidate *c, int indent);

#endif

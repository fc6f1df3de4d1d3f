/* Rules set aside: one whose calls run over their budget for FW_LIMIT_SET_ASIDE_VISITORS different visitors within a
 * minute is not tried for a minute, on the whole node. Lives in memory that all workers share. */
#ifndef FW_DECIDE_SET_ASIDE_H
#define FW_DECIDE_SET_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct fw_set_aside;

/* How much memory, zeroed, a set of so many rules needs. */
size_t fw_set_aside_bytes(uint32_t n_rules);
/* Whether the rule is not to be tried now. */
bool fw_set_aside_is(const struct fw_set_aside *s, uint32_t rule, int64_t now_us);
/* Whether any rule may be set aside now; false: none is. */
bool fw_set_aside_any(const struct fw_set_aside *s, int64_t now_us);
/* When it will be tried again, in microseconds; 0: it is not set aside. */
int64_t fw_set_aside_until(const struct fw_set_aside *s, uint32_t rule, int64_t now_us);
/* A budget failure; `visitor` tells visitors apart. True when this one set the rule aside. */
bool fw_set_aside_note(struct fw_set_aside *s, uint32_t rule, uint64_t visitor, int64_t now_us);
/* Another node has set it aside, until then. */
void fw_set_aside_put(struct fw_set_aside *s, uint32_t rule, int64_t until_us);

#endif

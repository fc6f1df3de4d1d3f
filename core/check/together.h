/* Which facts go together. A visitor who is shown to somebody should be one that there can be; where it is not known whether two
 * facts go together, they do. */
#ifndef FW_CHECK_TOGETHER_H
#define FW_CHECK_TOGETHER_H

#include "check/domain.h"

/* Whether a visitor can have both: a cell of one fact's dimension and a cell of another's. */
bool fw_go_together(const struct fw_domain *d, uint32_t dim, uint32_t cell, uint32_t other_dim, uint32_t other_cell);

#endif

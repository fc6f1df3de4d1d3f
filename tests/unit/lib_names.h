/* The names of facts as this program packs them, which go with what it logs. */
#ifndef FW_TESTS_LIB_NAMES_H
#define FW_TESTS_LIB_NAMES_H

#include <stdlib.h>

#include "base/buf.h"
#include "fact/facts_pack.h"

/* In the arena. */
static inline struct fw_facts_names current_names(struct fw_arena *a)
{
	struct fw_facts_names ret;
	struct fw_unpack u;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_facts_pack_names(&b);
	fw_unpack_init(&u, (struct fw_str){ b.data, b.n });
	if (fw_facts_unpack_names(&u, a, &ret) < 0)
		abort();
	fw_buf_finish(&b);
	return ret;
}

#endif

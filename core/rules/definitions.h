/* What rule files may say, written down for editors from the tables by which it is read: so it is never another language. */
#ifndef FW_RULES_DEFINITIONS_H
#define FW_RULES_DEFINITIONS_H

#include "base/buf.h"

/* A definitions file of the Lua language server (its annotations: https://luals.github.io/wiki/annotations): declarations with their
 * fields, facts, matchers and the visitor that functions get. */
void fw_definitions_write(struct fw_buf *out);
/* A .luacheckrc: the names that there are, and no others. */
void fw_definitions_luacheck(struct fw_buf *out);

#endif

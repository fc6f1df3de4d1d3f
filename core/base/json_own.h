/* What the files that read JSON share. Private to this folder. */
#ifndef FW_BASE_JSON_OWN_H
#define FW_BASE_JSON_OWN_H

#include "base/json.h"

/* Reads what nearly every text is made of. False: it has a \u, or something that is to be refused, or memory is used up;
 * nothing is kept then, and the whole text is yajl's to read and to judge. */
bool fw_json_quick(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value);
/* Reads any text, with yajl, as fw_json_parse does. A fuzzer holds one against the other. */
int fw_json_thorough(struct fw_arena *a, const char *text, size_t n, struct fw_json **ret_value, struct fw_error *err);

/* Of members with one key the last counts: takes out the others. False when memory is used up. */
bool fw_json_drop_duplicates(struct fw_arena *a, struct fw_json *object);

#endif

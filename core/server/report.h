/* Errors on their way between processes and to people: a JSON array of {"file","line","message","hint"}. */
#ifndef FW_SERVER_REPORT_H
#define FW_SERVER_REPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

struct fw_report {
	struct fw_buf buf;
	unsigned n, dropped;
};

/* An empty one. */
void fw_report_init(struct fw_report *r);
void fw_report_finish(struct fw_report *r);
/* What no longer fits a message between processes is counted, not kept. */
void fw_report_add(struct fw_report *r, const struct fw_error *err);
/* The array as terminated text, valid until the next call; "[]" when memory ran out. */
const char *fw_report_text(struct fw_report *r);

/* Back from JSON: `each` is called for every error in the array, which may be any text. */
void fw_report_each(const char *json, void (*each)(const struct fw_error *err, void *ctx), void *ctx);
/* An array of one. Into `r`, which is initialized. */
const char *fw_report_one(struct fw_report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

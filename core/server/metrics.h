/* /metrics: Prometheus text over all workers, those that are gone included. */
#ifndef FW_SERVER_METRICS_H
#define FW_SERVER_METRICS_H

#include "server/made.h"

/* Appends the whole text. */
void fw_metrics_write(const struct fw_made *made, struct fw_buf *out);

/* The two lines before a metric's own, without "floorwalker_" in `name`; and with them one that has no labels. */
void fw_metrics_head(struct fw_buf *out, const char *name, const char *type, const char *help);
void fw_metrics_one(struct fw_buf *out, const char *name, const char *type, const char *help, uint64_t n);
/* A line floorwalker_NAME{LABEL="VALUE"} N; the value is escaped. */
void fw_metrics_series(struct fw_buf *out, const char *name, const char *label, const char *value, uint64_t n);

#endif

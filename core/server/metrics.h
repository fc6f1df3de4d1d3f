/* /metrics: Prometheus text over all workers, those that are gone included. */
#ifndef FW_SERVER_METRICS_H
#define FW_SERVER_METRICS_H

#include "server/made.h"

/* Appends the whole text. */
void fw_metrics_write(const struct fw_made *made, struct fw_buf *out);

#endif

/* The streams of a worker: pages that stay open and are told when what their slots show is something else. Fed by the store's change
 * notices, so it does not matter which worker or node wrote. */
#ifndef FW_SERVER_STREAMS_H
#define FW_SERVER_STREAMS_H

#include <stdbool.h>

#include "base/str.h"

struct fw_plugin_request;
struct fw_streams;
struct fw_worker;

/* A product has become another (fw_stock_listen); `ctx` is the streams. */
void fw_streams_product_changed(void *ctx, uint32_t number);

/* Before the worker accepts. NULL: out of memory. */
struct fw_streams *fw_streams_create(struct fw_worker *worker);
/* From now on changes are heard of. */
void fw_streams_start(struct fw_streams *s);

/* Answers `request` with server-sent events (WHATWG HTML, 9.2). `json` is a decide request, and may tell "notice", a text of one line
 * which each event has in place of the answer; for such a one nothing is taken under caps. First the answer, unless Last-Event-ID or
 * "shown" says that it is what is shown already, then whenever it is another. Or with an error, as decide has it; 429 and 413, too. */
void fw_streams_open(struct fw_streams *s, struct fw_plugin_request *request, struct fw_str json);

/* Tells them all to come back, a few at a time; `stopping`: nobody takes over at once. */
void fw_streams_drain(struct fw_streams *s, bool stopping);
/* The HTTP server and the store must have been closed before. NULL is fine. */
void fw_streams_destroy(struct fw_streams *s);

#endif

/* What is told of products between feeds, in a worker: taken in over HTTP, written into the store, and heard of from there, whoever
 * told it. */
#ifndef FW_SERVER_STOCK_H
#define FW_SERVER_STOCK_H

#include "catalog/catalog.h"
#include "http/server.h"

struct event_base;
struct fw_stock;
struct fw_store;

/* Once the store is open; reads what is there. `catalog` is this process's copy: decisions read what is told of it. NULL: out of memory. */
struct fw_stock *fw_stock_create(struct fw_catalog *catalog, struct fw_store *store, struct event_base *base);
/* Hears of each product that becomes another by what is told, by its number, from now on; by nothing that closing the store brings. */
void fw_stock_listen(struct fw_stock *s, void (*on_change)(void *ctx, uint32_t number), void *ctx);
/* Turns the loop until all that was told is known, for FW_LIMIT_STORE_GREET_MS at most: nothing sold out is shown because a worker is new.
 * NULL is fine. */
void fw_stock_greet(struct fw_stock *s);
/* Once the store is closed. NULL is fine. */
void fw_stock_destroy(struct fw_stock *s);

/* POST /v1/products, GET /v1/products/{id}; `s` NULL: there is no catalogue, 404. Answers later. */
void fw_stock_post(struct fw_stock *s, struct fw_http_request *http);
void fw_stock_get(struct fw_stock *s, struct fw_http_request *http, struct fw_str id);

#endif

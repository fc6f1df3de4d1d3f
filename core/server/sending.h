/* Messages of a worker: which plugin is which channel, what is counted, and what channels and their peers say. */
#ifndef FW_SERVER_SENDING_H
#define FW_SERVER_SENDING_H

#include "message/messages.h"
#include "server/engine_people.h"
#include "server/plugins.h"

struct fw_sending;

/* Once the plugins have started. NULL: out of memory. */
struct fw_sending *fw_sending_create(struct fw_worker *worker);
/* The worker is in service: it begins to send; and it is to end: it claims no more. NULL is fine. */
void fw_sending_start(struct fw_sending *s);
void fw_sending_drain(struct fw_sending *s);
/* As fw_messages_product; NULL is fine. */
void fw_sending_product(struct fw_sending *s, uint32_t number);
/* Calls `done` once everything that was claimed is told of, or at that time (monotonic); maybe before it returns. NULL is fine. */
void fw_sending_finish(struct fw_sending *s, int64_t until_us, void (*done)(void *ctx), void *ctx);
/* After the store was closed. */
void fw_sending_destroy(struct fw_sending *s);
void fw_sending_publish(struct fw_sending *s);

/* As the plugin interface has them. */
int fw_sending_result(struct fw_sending *s, const char *id, int outcome, int64_t after_ms, const char *reason);
void fw_sending_hear(struct fw_sending *s, const char *id, const char *name, struct fw_str json, fw_engine_done done, void *data);
void fw_sending_suppress(struct fw_sending *s, const char *channel, const char *address, struct fw_str json, fw_engine_done done,
	void *data);

#endif

/* How far a shadow's decisions are from those that were shown: counted by the workers, read by the master and /metrics. */
#ifndef FW_SERVER_SHADOW_PAGE_H
#define FW_SERVER_SHADOW_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"

/* A slot or a rule. Its place is found by its hash, and taken by whoever comes first: no lock that a worker could die with. */
struct fw_shadow_count {
	_Atomic uint64_t hash;                /* 0: nobody's */
	char id[FW_LIMIT_ID_BYTES + 1];
	_Atomic uint64_t a, b;                /* slots: decided, changed; rules: lost, gained */
};

struct fw_shadow_page {
	char rules[256];                      /* the folder; "": there is no shadow */
	char hash[33];                        /* of the rule set; "": it does not load */
	char error[600];                      /* why it does not */
	double sample;
	_Atomic uint64_t decisions, changed;
	_Atomic uint64_t failed;              /* decisions that the shadow had no memory for */
	_Atomic uint64_t functions_failed;    /* of its rules */
	struct fw_shadow_count slots[FW_LIMIT_SHADOW_SLOTS], by_rule[FW_LIMIT_SHADOW_RULES];
	_Atomic uint64_t uncounted;           /* times that there was no place for a slot or a rule */
};

/* The place of that id, taken if need be; NULL: there is none left. `hash` is fw_hash's. */
struct fw_shadow_count *fw_shadow_count_of(struct fw_shadow_count *places, unsigned n, uint64_t hash, const char *id);

/* The value of "shadow": null without one. */
void fw_shadow_write(const struct fw_shadow_page *page, struct fw_json_out *o);
/* Prometheus text; nothing without one. */
void fw_shadow_metrics(const struct fw_shadow_page *page, struct fw_buf *out);

#endif

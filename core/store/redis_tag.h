/* Where a bucket's rows lie on Redis: under a hash tag, so that they are in one slot of a Redis Cluster. */
#ifndef FW_STORE_REDIS_TAG_H
#define FW_STORE_REDIS_TAG_H

#include <stdint.h>

#include "store/store.h"

enum {
	FW_REDIS_SLOTS = 16384,
	FW_REDIS_SLOTS_A_BUCKET = FW_REDIS_SLOTS / FW_STORE_BUCKETS,
};

/* The slot of a hash tag: CRC-16/XMODEM of it, modulo the number of slots (Redis Cluster specification, "Key distribution model"). */
uint16_t fw_redis_slot(struct fw_str tag);

/* The tag of every bucket is a number in decimal: the least whose slot is one of the sixteen that begin at sixteen times the bucket.
 * So whoever has a range of slots has as large a share of the buckets. */
void fw_redis_tags(uint32_t ret[FW_STORE_BUCKETS]);

#endif

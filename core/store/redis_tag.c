#include "store/redis_tag.h"

#include <stdio.h>

uint16_t fw_redis_slot(struct fw_str tag)
{
	unsigned crc = 0;
	for (size_t i = 0; i < tag.n; i++) {
		crc ^= (unsigned)(unsigned char)tag.p[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return (uint16_t)(crc % FW_REDIS_SLOTS);
}

void fw_redis_tags(uint32_t ret[FW_STORE_BUCKETS])
{
	bool found[FW_STORE_BUCKETS] = { false };
	char text[16];
	for (uint32_t number = 0, n = 0; n < FW_STORE_BUCKETS; number++) {
		int length = snprintf(text, sizeof text, "%u", (unsigned)number);
		uint32_t bucket = fw_redis_slot((struct fw_str){ text, (size_t)length }) / FW_REDIS_SLOTS_A_BUCKET;
		if (found[bucket])
			continue;
		found[bucket] = true;
		ret[bucket] = number;
		n++;
	}
}

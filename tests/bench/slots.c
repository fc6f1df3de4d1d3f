/* Prints the slot of every bucket's tag on a Redis Cluster, one a line. */
#include <stdio.h>

#include "store/redis_tag.h"

int main(void)
{
	uint32_t tags[FW_STORE_BUCKETS];
	char text[16];
	fw_redis_tags(tags);
	for (unsigned i = 0; i < FW_STORE_BUCKETS; i++) {
		int n = snprintf(text, sizeof text, "%u", (unsigned)tags[i]);
		printf("%u\n", (unsigned)fw_redis_slot((struct fw_str){ text, (size_t)n }));
	}
	return 0;
}

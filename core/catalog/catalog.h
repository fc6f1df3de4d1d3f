/* The catalogue: a feed from a file, and the copy that was kept of the last good one. */
#ifndef FW_CATALOG_CATALOG_H
#define FW_CATALOG_CATALOG_H

#include "catalog/feed.h"

struct fw_catalog_options {
	const char *file;     /* the feed */
	const char *kept;     /* where the last good one is kept, ready to be read; NULL: nowhere */
	const char *currency; /* of the store */
};

struct fw_catalog {
	struct fw_products products; /* nothing is told */
	struct fw_products_head *block;
	struct fw_feed_outcome outcome; /* of a feed that was read now */
	bool kept;                   /* nothing was read: it is the copy … */
	bool is_broken;              /* … since the feed is broken: */
	struct fw_error broken;
};

/* Reads the feed; one that has not changed since the copy was kept is not read again. With a broken feed it is the copy, and `broken` says
 * why: the former products stay. What was read is kept. 0; FW_EINVAL, FW_ELIMIT, FW_EIO: the feed is broken (file, line, cause) and there
 * is no copy; FW_ENOMEM. */
int fw_catalog_load(const struct fw_catalog_options *options, struct fw_catalog **ret, struct fw_error *err);
void fw_catalog_destroy(struct fw_catalog *c);

#endif

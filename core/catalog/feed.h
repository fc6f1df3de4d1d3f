/* Reads a feed, as bytes come: products as JSON lines, as RSS 2.0 or Atom with the fields of Google Merchant (g:), or as its text with
 * tabs. Which of them it is its first bytes tell. Nobody vouches for a feed: it is bounded everywhere, and an XML feed has no document
 * type and no entities of its own. */
#ifndef FW_CATALOG_FEED_H
#define FW_CATALOG_FEED_H

#include "catalog/build.h"

struct fw_feed;

/* What became of its products. */
struct fw_feed_outcome {
	uint32_t left_out;
	struct fw_error faults[FW_LIMIT_FEED_FAULTS_TOLD]; /* of the first that were left out: line and cause, no file */
	unsigned n_faults;
};

/* Products go into `build`. NULL: out of memory. */
struct fw_feed *fw_feed_create(struct fw_catalog_build *build);
void fw_feed_destroy(struct fw_feed *feed);

/* The next bytes. 0; FW_EINVAL, FW_ELIMIT: the feed is broken, with line and cause (no file); FW_ENOMEM. After an error nothing more may be
 * handed in. */
int fw_feed_read(struct fw_feed *feed, const char *bytes, size_t n, struct fw_error *err);
/* There are no more. The same; also where too many products could not be used, or there is none. */
int fw_feed_end(struct fw_feed *feed, struct fw_error *err);
const struct fw_feed_outcome *fw_feed_outcome(const struct fw_feed *feed);

#endif

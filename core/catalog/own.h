/* What the readers of feeds share. Not for other rooms. */
#ifndef FW_CATALOG_OWN_H
#define FW_CATALOG_OWN_H

#include "catalog/feed.h"

struct fw_feed_xml;

struct fw_feed {
	struct fw_catalog_build *build;
	struct fw_feed_outcome outcome;
	struct fw_item item;
	enum { FW_FEED_UNKNOWN, FW_FEED_LINES, FW_FEED_TABS, FW_FEED_XML } form;
	/* Of lines. */
	struct fw_buf line;      /* begun, not ended */
	int lines;               /* how many there were */
	int8_t *columns;         /* FW_FEED_TABS: the field of each column, -1: none that is used; NULL: the header has not come */
	size_t n_columns;
	struct fw_arena scratch; /* of one line */
	bool quoted;             /* FW_FEED_TABS: the line goes on within quotes */
	/* Of XML. */
	struct fw_feed_xml *xml;
};

/* Hands the item over; one that cannot be used is counted. 0, FW_ELIMIT, FW_ENOMEM. */
int fw_feed_add(struct fw_feed *f, struct fw_error *err);

/* feed_lines.c: JSON lines, and text with tabs. `last`: there is no more. */
int fw_feed_lines(struct fw_feed *f, const char *bytes, size_t n, bool last, struct fw_error *err);
/* feed_xml.c */
int fw_feed_xml_create(struct fw_feed *f);
int fw_feed_xml_read(struct fw_feed *f, const char *bytes, size_t n, bool last, struct fw_error *err);
void fw_feed_xml_destroy(struct fw_feed_xml *x);

#endif

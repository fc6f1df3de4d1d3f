/* A catalogue from the text of a feed, and what is told of it, for unit tests. */
#ifndef FW_TEST_LIB_PRODUCTS_H
#define FW_TEST_LIB_PRODUCTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/feed.h"
#include "catalog/told.h"
#include "store/wire.h"

#define FEED_US INT64_C(1000000000)

struct products {
	struct fw_products products;
	struct fw_products_head *head;
	struct fw_arena arena;
	char said[600];
};

/* Reads the feed, or ends the test with what is wrong. */
static inline void products_open(struct products *s, const char *feed)
{
	struct fw_catalog_build *b = fw_catalog_build_create("EUR");
	struct fw_feed *f = fw_feed_create(b);
	const struct fw_products_head head = { .feed_us = FEED_US };
	struct fw_error err = { .message = "" };
	*s = (struct products){ .head = NULL };
	int rc = fw_feed_read(f, feed, strlen(feed), &err);
	if (rc == 0)
		rc = fw_feed_end(f, &err);
	if (rc < 0 || fw_catalog_build_finish(b, &head, &s->head) < 0) {
		fprintf(stderr, "%d: %s\n", err.line, err.message);
		abort();
	}
	fw_feed_destroy(f);
	fw_catalog_build_destroy(b);
	fw_arena_init(&s->arena, NULL, 0, 0);
	s->products = (struct fw_products){ .head = s->head, .told = calloc(s->head->n, sizeof *s->products.told) };
}

static inline void products_finish(struct products *s)
{
	free(s->products.told);
	free(s->head);
	fw_arena_finish(&s->arena);
}

/* Tells a request's body at that time: "2 []", how many products changed and the list of those that could not be; or "refused: …". */
static inline const char *products_tell(struct products *s, const char *body, int64_t at_us)
{
	struct fw_json *json;
	struct fw_buf b;
	struct fw_json_out o;
	struct fw_told_row *rows;
	struct fw_error err;
	unsigned n = 0, changed = 0;
	uint32_t number;
	fw_arena_reset(&s->arena);
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_array(&o);
	if (fw_json_parse(&s->arena, body, strlen(body), &json, &err) < 0)
		abort();
	int rc = fw_told_read(&s->products, json, at_us, &s->arena, &o, &rows, &n, &changed, &err);
	fw_json_close_array(&o);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		fw_told_apply(&s->products, (struct fw_str){ rows[i].key, rows[i].key_n },
			(struct fw_str){ rows[i].value, rows[i].value_n }, &number);
	if (rc == 0)
		snprintf(s->said, sizeof s->said, "%u %s", changed, fw_buf_text(&b));
	else
		snprintf(s->said, sizeof s->said, "refused: %s", err.message);
	fw_buf_finish(&b);
	return s->said;
}

#endif

/* A feed of products, in whichever form, handed in by as many bytes at a time as its first byte says: what is made of it is whole, each
 * product is found by its id, and every text lies in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void look(const struct fw_products_head *head)
{
	const struct fw_products p = { .head = head };
	volatile unsigned char sum = 0;
	if (!fw_products_fit(head, head->bytes))
		abort();
	for (uint32_t i = 0; i < head->n; i++) {
		struct fw_product x;
		fw_products_get(&p, i, 1, &x);
		const struct fw_str texts[] = { x.id, x.title, x.link, x.image, x.brand };
		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			for (size_t at = 0; at < texts[k].n; at++)
				sum = (unsigned char)(sum + (unsigned char)texts[k].p[at]);
		for (uint32_t k = 0; k < x.n_categories; k++)
			if (!fw_products_category(&p, i, k, NULL).n)
				abort();
		if (fw_products_find(&p, x.id) != i)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_catalog_build *b = fw_catalog_build_create("EUR");
	struct fw_feed *f = b ? fw_feed_create(b) : NULL;
	struct fw_products_head *head, none = { .feed_us = 1 };
	struct fw_error err;
	int rc = 0;
	if (!f)
		abort();
	size_t step = n ? data[0] + (size_t)1 : 1;
	for (size_t at = 1; at < n && rc == 0; at += step)
		rc = fw_feed_read(f, (const char *)data + at, n - at < step ? n - at : step, &err);
	if (rc == 0)
		rc = fw_feed_end(f, &err);
	if (rc == 0 && fw_catalog_build_finish(b, &none, &head) == 0) {
		look(head);
		free(head);
	}
	if (rc < 0 && !err.message[0])
		abort();
	fw_feed_destroy(f);
	fw_catalog_build_destroy(b);
	return 0;
}

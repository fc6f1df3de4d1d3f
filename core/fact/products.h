/* What the store sells, as rules and decisions look at it: a catalogue that is only read, in one block of memory without a
 * pointer in it, so that processes share it and a file holds it. catalog/ makes it from a feed. Beside it lies what was told
 * of products since the feed was written: a process's own.
 *
 * The block, in the byte order of the machine that made it, each part at a multiple of 8:
 *
 *   head      struct fw_products_head
 *   index     2^index_bits places: the number of a product and 1, or 0; open addressing by fw_hash of its folded id
 *   rows      struct fw_product_row, in the order of the feed
 *   labels    struct fw_product_label: categories and brands, each once
 *   lists     numbers of labels: the categories of each product, one product's after the other's
 *   texts     what rows and labels point to, none terminated
 */
#ifndef FW_FACT_PRODUCTS_H
#define FW_FACT_PRODUCTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "fact/facts.h"

#define FW_PRODUCTS_MAGIC "FWPROD1\n"
#define FW_NO_PRODUCT UINT32_MAX
#define FW_NO_LABEL UINT32_MAX

/* As the Google Merchant specification has them. Only what is out of stock cannot be bought. */
enum fw_availability { FW_IN_STOCK, FW_OUT_OF_STOCK, FW_PREORDER, FW_BACKORDER, FW_AVAILABILITIES };
const char *fw_availability_name(enum fw_availability availability); /* "in_stock" … */
/* A name of that specification as it is written in tables: ASCII case folded, with "_" for "-" and a space between the words. False: it has
 * no bytes, or not room in `word`, of `size`. */
bool fw_products_word(struct fw_str name, char *word, size_t size);
/* By its name, ASCII case folded, with "_", "-" or a space between the words; -1: it is none. */
int fw_availability_find(struct fw_str name);

struct fw_product_row {
	uint64_t text;           /* where its texts begin, among all: id, title, link, image, one behind the other */
	uint16_t id_n, title_n, link_n, image_n;
	uint32_t brand;          /* label, or FW_NO_LABEL */
	uint32_t first_category; /* in lists */
	uint16_t n_categories;
	uint8_t availability;
	uint8_t padding[5];
	double price, sale_price; /* NaN: none is told */
	int64_t sale_from_us, sale_until_us; /* INT64_MIN, INT64_MAX: open */
};

struct fw_product_label {
	uint32_t text, folded, n; /* where its text and its folded text are, and how long both */
};

struct fw_products_head {
	char magic[8];
	uint64_t checksum;       /* fw_hash of all that follows it */
	uint64_t bytes;          /* of the block */
	int64_t feed_us;         /* when the feed was written */
	uint64_t feed_bytes, feed_file; /* its size, and which file it was: to see whether it is the same */
	char currency[4];        /* of the prices; terminated */
	uint32_t n, n_labels, n_listed, index_bits;
	uint32_t left_out;       /* products of the feed that could not be used */
	uint64_t index, rows, labels, lists, texts, texts_n; /* where the parts begin; how long the last is */
};

/* What was told of a product since the feed was written. A moment of 0: nothing was. */
struct fw_product_told {
	int64_t availability_us, price_us;
	double price, sale_price; /* NaN: none */
	uint8_t availability;
};

struct fw_products {
	const struct fw_products_head *head;
	struct fw_product_told *told; /* by product; NULL: nobody is listening */
	uint32_t n_told;              /* products of which something is */
};

/* One product, as it is now; texts point into the block. */
struct fw_product {
	struct fw_str id, title, link, image, brand; /* n 0: not told */
	double price, sale_price;     /* NaN: none; `sale_price` only while it holds */
	enum fw_availability availability;
	uint32_t n_categories;
	int64_t told_us;              /* when something of it was told last, after the feed; 0: nothing was */
};

/* Whether these bytes are a catalogue: whole, unharmed, and made as this program makes them. Everything in one can be read. */
bool fw_products_fit(const void *block, size_t n);

/* The number of a product by its id, ASCII case folded here; FW_NO_PRODUCT: there is none. */
uint32_t fw_products_find(const struct fw_products *p, struct fw_str id);
/* `now_us` 0: there is no clock, and a sale counts that has no end. */
void fw_products_get(const struct fw_products *p, uint32_t number, int64_t now_us, struct fw_product *ret);
/* The i-th of its categories, as it is written, and folded (may be NULL). */
struct fw_str fw_products_category(const struct fw_products *p, uint32_t number, uint32_t i, struct fw_str *ret_folded);
/* Whether nobody can buy it now. */
bool fw_products_sold_out(const struct fw_products *p, uint32_t number);

/* The products of which something was asked, each once; more than there is room for are not noted. */
struct fw_products_asked {
	uint32_t n, numbers[FW_LIMIT_STREAM_PRODUCTS];
};
/* `asked` NULL, or a number of no product: nothing is noted. */
void fw_products_note_asked(struct fw_products_asked *asked, uint32_t number);

/* What a query asks of the product that is its key (folded). Absent: there is no such product, the feed does not tell, or memory
 * ran out. */
struct fw_value fw_products_ask(const struct fw_products *p, const struct fw_query *query, int64_t now_us, struct fw_arena *a);

#endif

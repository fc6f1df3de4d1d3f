/* What is read and written again is read as the same: the text written is a fixed point. The quick reader takes what yajl
 * takes, for the same value, except for \u. A member that is only looked for is the one that a tree has. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct fw_str written(struct fw_arena *a, const struct fw_json *v)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_tree(&o, v);
	struct fw_str copy = { fw_arena_strndup(a, b.data, b.n), b.n };
	if (b.failed || !copy.p)
		abort();
	fw_buf_finish(&b);
	return copy;
}

/* The value written out, or {NULL, 0} when the text is refused. */
static struct fw_str rewrite(struct fw_arena *a, const char *text, size_t n)
{
	struct fw_json *v = NULL;
	struct fw_error err = { 0 };
	if (fw_json_parse(a, text, n, &v, &err) == 0)
		return written(a, v);
	if (!err.message[0])
		abort();
	return (struct fw_str){ 0 };
}

static void compare_readers(struct fw_arena *a, const char *text, size_t n)
{
	struct fw_json *quick = NULL, *thorough = NULL;
	struct fw_error err;
	size_t before = a->used;
	bool quickly = fw_json_quick(a, text, n, &quick);
	if (!quickly && a->used != before)
		abort();
	bool at_all = fw_json_thorough(a, text, n, &thorough, &err) == 0;
	if (quickly && (!at_all || !fw_str_equal(written(a, quick), written(a, thorough))))
		abort();
	if (!quickly && at_all && !memmem(text, n, "\\u", 2))
		abort();
}

/* The same member in the tree and without one. */
static void compare_peek(struct fw_arena *a, struct fw_str text)
{
	struct fw_json *v = NULL;
	struct fw_str peeked = fw_json_peek(a, text.p, text.n, "k");
	if (fw_json_parse(a, text.p, text.n, &v, NULL) != 0)
		return;
	const struct fw_json *member = fw_json_get(v, "k");
	bool is_text = member && member->type == FW_JSON_STRING;
	if (is_text != (peeked.p != NULL) || (is_text && !fw_str_equal(peeked, member->string)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	compare_readers(&a, (const char *)data, n);
	struct fw_str once = rewrite(&a, (const char *)data, n);
	compare_peek(&a, (struct fw_str){ (const char *)data, n });
	if (once.p) {
		struct fw_str twice = rewrite(&a, once.p, once.n);
		if (!twice.p || twice.n != once.n || memcmp(twice.p, once.p, once.n) != 0)
			abort();
	}
	fw_arena_finish(&a);
	return 0;
}

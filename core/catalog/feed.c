#include "catalog/own.h"

#include <stdlib.h>
#include <string.h>

struct fw_feed *fw_feed_create(struct fw_catalog_build *build)
{
	struct fw_feed *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->build = build;
	fw_item_init(&f->item);
	fw_buf_init(&f->line, FW_LIMIT_FEED_LINE_BYTES);
	fw_arena_init(&f->scratch, NULL, 0, 0);
	return f;
}

void fw_feed_destroy(struct fw_feed *f)
{
	if (!f)
		return;
	fw_feed_xml_destroy(f->xml);
	fw_item_finish(&f->item);
	fw_buf_finish(&f->line);
	fw_arena_finish(&f->scratch);
	free(f->columns);
	free(f);
}

const struct fw_feed_outcome *fw_feed_outcome(const struct fw_feed *f)
{
	return &f->outcome;
}

int fw_feed_add(struct fw_feed *f, struct fw_error *err)
{
	struct fw_error why;
	int rc = fw_catalog_build_add(f->build, &f->item, &why);
	if (rc == FW_EINVAL) {
		struct fw_feed_outcome *o = &f->outcome;
		if (o->n_faults < FW_LIMIT_FEED_FAULTS_TOLD)
			o->faults[o->n_faults++] = why;
		o->left_out++;
		return 0;
	}
	if (rc < 0 && err)
		*err = why;
	return rc;
}

/* What the first bytes tell; those that tell nothing (a mark of the byte order, blanks) are left behind. */
static int tell_form(struct fw_feed *f, const char **bytes, size_t *n, struct fw_error *err)
{
	static const unsigned char mark[3] = { 0xef, 0xbb, 0xbf };
	const unsigned char *p = (const unsigned char *)*bytes;
	if (*n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
		f->form = FW_FEED_XML; /* in UTF-16, which an XML feed may be */
	} else if (*n >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
		fw_fail(err, FW_EINVAL, NULL, 1, "it is packed (gzip)");
		fw_hint(err, "unpack it: gunzip");
		return FW_EINVAL;
	} else {
		if (*n >= sizeof mark && memcmp(p, mark, sizeof mark) == 0) {
			*bytes += sizeof mark;
			*n -= sizeof mark;
		}
		size_t at = 0;
		while (at < *n && memchr(" \t\r\n", (*bytes)[at], 4))
			at++;
		if (at == *n && *n < FW_LIMIT_FEED_LINE_BYTES)
			return 0; /* nothing yet */
		char first = at < *n ? (*bytes)[at] : 'x';
		f->form = first == '<' ? FW_FEED_XML : first == '{' ? FW_FEED_LINES : FW_FEED_TABS;
		if (first == '[') {
			fw_fail(err, FW_EINVAL, NULL, 1, "it is an array");
			fw_hint(err, "write JSON lines: an object a line, with nothing between them");
			return FW_EINVAL;
		}
	}
	return f->form == FW_FEED_XML && fw_feed_xml_create(f) < 0 ? fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory") : 0;
}

static int read_some(struct fw_feed *f, const char *bytes, size_t n, bool last, struct fw_error *err)
{
	switch (f->form) {
	case FW_FEED_UNKNOWN: return 0;
	case FW_FEED_XML: return fw_feed_xml_read(f, bytes, n, last, err);
	default: return fw_feed_lines(f, bytes, n, last, err);
	}
}

int fw_feed_read(struct fw_feed *f, const char *bytes, size_t n, struct fw_error *err)
{
	if (f->form == FW_FEED_UNKNOWN && f->line.n) { /* the first bytes came in pieces */
		fw_buf_add(&f->line, bytes, n);
		if (f->line.failed)
			return fw_fail(err, FW_ELIMIT, NULL, 1, "nothing but blanks");
		struct fw_buf first = f->line;
		fw_buf_init(&f->line, FW_LIMIT_FEED_LINE_BYTES);
		int rc = fw_feed_read(f, first.data, first.n, err);
		fw_buf_finish(&first);
		return rc;
	}
	const char *from = bytes;
	size_t left = n;
	int rc = 0;
	if (f->form == FW_FEED_UNKNOWN) {
		if (n >= 4 || memchr(bytes, '\n', n))
			rc = tell_form(f, &from, &left, err);
		if (rc == 0 && f->form == FW_FEED_UNKNOWN)
			fw_buf_add(&f->line, bytes, n);
	}
	return rc < 0 ? rc : read_some(f, from, left, false, err);
}

int fw_feed_end(struct fw_feed *f, struct fw_error *err)
{
	int rc = read_some(f, NULL, 0, true, err);
	if (rc < 0)
		return rc;
	uint32_t used = fw_catalog_build_count(f->build), left_out = f->outcome.left_out;
	uint64_t all = (uint64_t)used + left_out;
	if (all == 0) {
		fw_fail(err, FW_EINVAL, NULL, 0, "it has no product");
		fw_hint(err, "a feed is JSON lines, RSS 2.0 with the g: fields of Google Merchant, or its text with tabs");
		return FW_EINVAL;
	}
	if (used && (uint64_t)left_out * 100 <= all * FW_LIMIT_FEED_FAULTY_PERCENT)
		return 0;
	const struct fw_error *first = &f->outcome.faults[0];
	fw_fail(err, FW_EINVAL, NULL, first->line, "%u of %llu products cannot be used, the first: %.300s", left_out,
		(unsigned long long)all, first->message);
	fw_hint(err, "%s", first->hint);
	return FW_EINVAL;
}

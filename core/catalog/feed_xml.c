/* RSS 2.0 and Atom with the fields of Google Merchant, by expat. */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/own.h"

#define GOOGLE "http://base.google.com/ns/1.0"
#define ATOM "http://www.w3.org/2005/Atom"
enum { SEPARATOR = '|', ITEM_BYTES = 256 << 10, TAG_BYTES = 4 * FW_LIMIT_FEED_LINE_BYTES };

struct fw_feed_xml {
	struct fw_feed *feed;
	XML_Parser parser;
	unsigned depth;      /* elements that are open */
	unsigned item_depth; /* where the item stands; 0: there is none */
	int field;           /* that is being told; -1: none */
	bool google;         /* … with g:, which counts more */
	struct fw_buf text;
	struct fw_str plain[FW_ITEM_FIELDS];
	struct fw_arena arena;
	long long handed; /* bytes, to expat */
	struct fw_error err; /* why it was stopped */
	int rc;
};

static void stop(struct fw_feed_xml *x, int rc, const char *hint, const char *message)
{
	if (x->rc < 0)
		return;
	x->rc = fw_fail(&x->err, rc, NULL, (int)XML_GetCurrentLineNumber(x->parser), "%s", message);
	if (hint)
		fw_hint(&x->err, "%s", hint);
	XML_StopParser(x->parser, XML_FALSE);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public, int has_internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_internal;
	stop(ctx, FW_EINVAL, "take <!DOCTYPE …> away: a feed needs none", "a document type is not allowed");
}

/* The name without its namespace; `ret_google`: it is of Google's. NULL: of another that is not looked at. */
static const char *local_name(const XML_Char *name, bool *ret_google)
{
	const char *bar = strrchr(name, SEPARATOR);
	*ret_google = false;
	if (!bar)
		return name;
	size_t n = (size_t)(bar - name);
	*ret_google = n == sizeof GOOGLE - 1 && memcmp(name, GOOGLE, n) == 0;
	return *ret_google || (n == sizeof ATOM - 1 && memcmp(name, ATOM, n) == 0) ? bar + 1 : NULL;
}

/* What g: does not tell is taken from where it stands without: kept until the item ends. */
static void keep_plain(struct fw_feed_xml *x, int field, struct fw_str text)
{
	text = fw_str_trim(text);
	if (x->plain[field].n || !text.n)
		return;
	char *copy = fw_arena_strndup(&x->arena, text.p, text.n);
	if (copy)
		x->plain[field] = (struct fw_str){ copy, text.n };
	else
		stop(x, FW_ENOMEM, NULL, "out of memory");
}

static void begin_item(struct fw_feed_xml *x)
{
	x->item_depth = x->depth;
	memset(x->plain, 0, sizeof x->plain);
	fw_arena_reset(&x->arena);
	fw_item_clear(&x->feed->item, (int)XML_GetCurrentLineNumber(x->parser));
}

static void XMLCALL on_start(void *ctx, const XML_Char *full, const XML_Char **attributes)
{
	struct fw_feed_xml *x = ctx;
	bool google;
	const char *name = local_name(full, &google);
	if (++x->depth > FW_LIMIT_FEED_DEPTH) {
		stop(x, FW_ELIMIT, NULL, "its elements are nested too deep");
		return;
	}
	if (!x->item_depth && name && !google && (strcmp(name, "item") == 0 || strcmp(name, "entry") == 0)) {
		begin_item(x);
		return;
	}
	if (!x->item_depth || x->depth != x->item_depth + 1)
		return; /* what stands in a field's own elements, as a price of a delivery, is not the product's */
	x->field = name ? fw_item_field(fw_str(name)) : -1;
	x->google = google;
	fw_buf_clear(&x->text);
	for (size_t i = 0; x->field == FW_ITEM_LINK && attributes[i]; i += 2) /* Atom: <link href="…"/> */
		if (strcmp(attributes[i], "href") == 0)
			keep_plain(x, FW_ITEM_LINK, fw_str(attributes[i + 1]));
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int n)
{
	struct fw_feed_xml *x = ctx;
	if (!x->item_depth || x->field < 0 || x->depth != x->item_depth + 1)
		return;
	fw_buf_add(&x->text, text, (size_t)n);
	if (x->text.failed)
		stop(x, FW_ELIMIT, NULL, "a field of a product is longer than a line may be");
}

static void end_item(struct fw_feed_xml *x)
{
	x->item_depth = 0;
	for (int i = 0; i < FW_ITEM_FIELDS; i++)
		if (x->plain[i].n)
			fw_item_set(&x->feed->item, (enum fw_item_field)i, x->plain[i]);
	struct fw_error err;
	int rc = fw_feed_add(x->feed, &err);
	if (rc < 0)
		stop(x, rc, err.hint, err.message);
}

static void XMLCALL on_end(void *ctx, const XML_Char *full)
{
	struct fw_feed_xml *x = ctx;
	struct fw_str text = { x->text.data, x->text.n };
	(void)full;
	if (x->item_depth && x->depth == x->item_depth) {
		end_item(x);
	} else if (x->item_depth && x->depth == x->item_depth + 1 && x->field >= 0 && text.n) {
		if (x->google)
			fw_item_set(&x->feed->item, (enum fw_item_field)x->field, text);
		else
			keep_plain(x, x->field, text);
		x->field = -1;
	}
	if (x->feed->item.text.n > ITEM_BYTES)
		stop(x, FW_ELIMIT, NULL, "a product is larger than a product may be");
	x->depth--;
}

int fw_feed_xml_create(struct fw_feed *f)
{
	struct fw_feed_xml *x = calloc(1, sizeof *x);
	if (!x)
		return FW_ENOMEM;
	f->xml = x;
	x->feed = f;
	x->field = -1;
	fw_buf_init(&x->text, FW_LIMIT_FEED_LINE_BYTES);
	fw_arena_init(&x->arena, NULL, 0, 0);
	if (!(x->parser = XML_ParserCreateNS(NULL, SEPARATOR)))
		return FW_ENOMEM;
	XML_SetUserData(x->parser, x);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	return 0;
}

void fw_feed_xml_destroy(struct fw_feed_xml *x)
{
	if (!x)
		return;
	if (x->parser)
		XML_ParserFree(x->parser);
	fw_buf_finish(&x->text);
	fw_arena_finish(&x->arena);
	free(x);
}

int fw_feed_xml_read(struct fw_feed *f, const char *bytes, size_t n, bool last, struct fw_error *err)
{
	enum { SLICE = 1 << 20 };
	struct fw_feed_xml *x = f->xml;
	do {
		size_t now = n < SLICE ? n : SLICE;
		enum XML_Status status = XML_Parse(x->parser, bytes, (int)now, last && now == n);
		if (x->rc < 0) {
			if (err)
				*err = x->err;
			return x->rc;
		}
		if (status != XML_STATUS_OK) {
			enum XML_Error why = XML_GetErrorCode(x->parser);
			int code = why == XML_ERROR_NO_MEMORY ? FW_ENOMEM : FW_EINVAL, line = (int)XML_GetCurrentLineNumber(x->parser);
			return fw_fail(err, code, NULL, line, "it is no XML: %s", XML_ErrorString(why));
		}
		x->handed += (long long)now;
		if (x->handed - XML_GetCurrentByteIndex(x->parser) > TAG_BYTES) /* expat keeps all of what has not ended */
			return fw_fail(err, FW_ELIMIT, NULL, (int)XML_GetCurrentLineNumber(x->parser), "a tag is longer than %d bytes",
				TAG_BYTES);
		bytes = bytes ? bytes + now : NULL;
		n -= now;
	} while (n);
	return 0;
}

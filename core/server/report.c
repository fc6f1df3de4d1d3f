#include "server/report.h"

#include <stdio.h>

#include "server/shared.h"

/* Room for the array in a message, with what the master writes around it. */
enum { MOST = FW_OUTCOME_BYTES - 700, ONE = 1400 };

void fw_report_init(struct fw_report *r)
{
	fw_buf_init(&r->buf, FW_OUTCOME_BYTES);
	r->n = r->dropped = 0;
}

void fw_report_finish(struct fw_report *r)
{
	fw_buf_finish(&r->buf);
}

static void add(struct fw_report *r, const struct fw_error *err)
{
	struct fw_json_out o;
	fw_json_out_init(&o, &r->buf);
	fw_buf_putc(&r->buf, r->n ? ',' : '[');
	fw_json_open_object(&o);
	if (err->file[0]) {
		fw_json_key(&o, "file");
		fw_json_text_value(&o, err->file);
	}
	if (err->line) {
		fw_json_key(&o, "line");
		fw_json_number(&o, err->line);
	}
	fw_json_key(&o, "message");
	fw_json_text_value(&o, err->message);
	if (err->hint[0]) {
		fw_json_key(&o, "hint");
		fw_json_text_value(&o, err->hint);
	}
	fw_json_close_object(&o);
	r->n++;
}

void fw_report_add(struct fw_report *r, const struct fw_error *err)
{
	if (r->n > 0 && r->buf.n > MOST - ONE)
		r->dropped++;
	else
		add(r, err);
}

const char *fw_report_text(struct fw_report *r)
{
	if (r->n == 0 || r->buf.failed)
		return "[]";
	if (r->dropped) {
		struct fw_error more;
		fw_fail(&more, FW_EINVAL, NULL, 0, "and %u more", r->dropped);
		r->dropped = 0;
		add(r, &more);
	}
	fw_buf_putc(&r->buf, ']');
	return fw_buf_text(&r->buf);
}

void fw_report_each(const char *json, void (*each)(const struct fw_error *err, void *ctx), void *ctx)
{
	struct fw_arena arena;
	struct fw_json *list;
	fw_arena_init(&arena, NULL, 0, 0);
	if (fw_json_parse(&arena, json, strlen(json), &list, NULL) == 0 && list->type == FW_JSON_ARRAY) {
		for (const struct fw_json *e = list->child; e; e = e->next) {
			struct fw_error err;
			struct fw_str file = fw_json_text(e, "file"), hint = fw_json_text(e, "hint");
			const struct fw_json *line = fw_json_get(e, "line");
			struct fw_str message = fw_json_text(e, "message");
			fw_fail(&err, FW_EINVAL, file.p, line ? (int)line->number : 0, "%s", message.p ? message.p : "");
			if (hint.p)
				fw_hint(&err, "%s", hint.p);
			each(&err, ctx);
		}
	}
	fw_arena_finish(&arena);
}

const char *fw_report_one(struct fw_report *r, const char *fmt, ...)
{
	struct fw_error err;
	va_list ap;
	fw_fail(&err, FW_EINVAL, NULL, 0, "%s", "");
	va_start(ap, fmt);
	vsnprintf(err.message, sizeof err.message, fmt, ap);
	va_end(ap);
	fw_report_init(r);
	fw_report_add(r, &err);
	return fw_report_text(r);
}

#include "base/json.h"
#include "check/check.h"

static void put_witness(struct fw_json_out *out, const struct fw_finding *f)
{
	fw_json_key(out, "witness");
	if (f->witness.n)
		fw_json_raw(out, f->witness);
	else
		fw_json_null(out);
}

void fw_finding_write(struct fw_json_out *out, const struct fw_finding *f)
{
	fw_json_open_object(out);
	fw_json_key(out, "code");
	fw_json_text_value(out, fw_finding_name(f->code));
	fw_json_key(out, f->kind);
	fw_json_text_value(out, f->id);
	fw_json_key(out, "with");
	fw_json_open_array(out);
	for (uint32_t i = 0; i < f->n_with; i++)
		fw_json_text_value(out, f->with[i]);
	fw_json_close_array(out);
	fw_json_key(out, "verdict");
	fw_json_text_value(out, fw_verdict_name(f->verdict));
	fw_json_key(out, "message");
	fw_json_text_value(out, f->message);
	fw_json_key(out, "hint");
	fw_json_text_value(out, f->hint[0] ? f->hint : NULL);
	put_witness(out, f);
	fw_json_key(out, "file");
	fw_json_text_value(out, f->place.file);
	fw_json_key(out, "line");
	fw_json_number(out, f->place.line);
	fw_json_close_object(out);
}

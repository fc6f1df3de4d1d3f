#include "server/rights.h"

#include "base/log.h"
#include "trace/trace.h"

void fw_rights_receipt(struct fw_json_out *o, const struct fw_receipt *r)
{
	char at[32];
	fw_json_key(o, "erasure");
	fw_json_text_value(o, r->id);
	fw_json_key(o, "state");
	fw_json_text_value(o, r->done_us ? "complete" : "pending");
	fw_json_key(o, "begun");
	fw_json_text_value(o, fw_trace_time(r->begun_us, at));
	if (r->done_us) {
		fw_json_key(o, "done");
		fw_json_text_value(o, fw_trace_time(r->done_us, at));
	}
	fw_json_key(o, "ids");
	fw_json_number(o, r->ids);
	fw_json_key(o, "deadLetters");
	fw_json_number(o, r->dead_letters);
	fw_json_key(o, "scrubbed");
	fw_json_bool(o, r->scrubbed);
}

void fw_rights_audit_erasure(const char *receipt, const char *by)
{
	fw_log(FW_LOG_INFO, "audit", "action", "erase", "subject", receipt, "by", by, NULL);
}

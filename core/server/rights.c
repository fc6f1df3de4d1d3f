#include "server/rights.h"

#include "base/clock.h"
#include "base/log.h"

int fw_rights_timeline(struct fw_arena *a, struct fw_str id, struct fw_str record, struct fw_str unverified, struct fw_json_out *o,
	struct fw_error *err)
{
	int rc = 0;
	fw_json_key(o, "id");
	fw_json_string(o, id);
	fw_json_key(o, "timeline");
	if (record.n) {
		rc = fw_profile_timeline(a, record, o, err);
	} else {
		fw_json_open_array(o);
		fw_json_close_array(o);
	}
	if (rc == 0 && unverified.n) {
		fw_json_key(o, "unverified");
		rc = fw_profile_timeline(a, unverified, o, err);
	}
	return rc;
}

void fw_rights_receipt(struct fw_json_out *o, const struct fw_receipt *r)
{
	char at[32];
	fw_json_key(o, "erasure");
	fw_json_text_value(o, r->id);
	fw_json_key(o, "state");
	fw_json_text_value(o, r->done_us ? "complete" : "pending");
	fw_json_key(o, "begun");
	fw_json_text_value(o, fw_time_text(r->begun_us, at));
	if (r->done_us) {
		fw_json_key(o, "done");
		fw_json_text_value(o, fw_time_text(r->done_us, at));
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

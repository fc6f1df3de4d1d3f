#include "server/config_decisions.h"

#include "base/limits.h"
#include "server/config_values.h"

enum { LEAST_BYTES = 64 << 10, LEAST_RING_BYTES = 256, LEAST_KEEP_S = 3600 };

static int read_number(const struct fw_json *v, double least, double most, bool whole, double *ret, struct fw_error *err)
{
	return v ? fw_config_number(v, least, most, whole, ret, err) : 0;
}

int fw_config_decisions(const struct fw_config *c, struct fw_arena *a, struct fw_config_decisions *ret, struct fw_error *err)
{
	static const char *const known[] = { "log", "sample", "keep", "bytes", "ring_bytes", NULL };
	const struct fw_json *v = c->decisions, *log = fw_json_get(v, "log"), *keep = fw_json_get(v, "keep");
	double bytes = FW_LIMIT_LOG_BYTES, ring_bytes = FW_LIMIT_LOG_RING_BYTES;
	struct fw_config_decisions d = { .sample = 0.01, .keep_s = FW_LIMIT_LOG_KEEP_S };
	int rc = v ? fw_config_only(v, known, err) : 0;
	if (rc == 0 && log && (rc = fw_config_text(log, &d.log, err)) == 0 && d.log[0] != '/')
		d.log = fw_arena_printf(a, "%s/%s", c->folder, d.log);
	if (rc == 0 && log && !d.log)
		rc = fw_config_no_memory(err);
	if (rc == 0)
		rc = read_number(fw_json_get(v, "sample"), 0, 1, false, &d.sample, err);
	if (rc == 0)
		rc = read_number(fw_json_get(v, "bytes"), LEAST_BYTES, 1e15, true, &bytes, err);
	if (rc == 0)
		rc = read_number(fw_json_get(v, "ring_bytes"), LEAST_RING_BYTES, 1 << 30, true, &ring_bytes, err);
	if (rc == 0 && keep)
		rc = fw_config_age(keep, &d.keep_s, err);
	if (rc == 0 && d.keep_s < LEAST_KEEP_S) {
		fw_fail(err, FW_EINVAL, NULL, 0, "keep wants at least an hour");
		fw_hint(err, "write \"35d\"");
		return FW_EINVAL;
	}
	d.bytes = (uint64_t)bytes;
	d.ring_bytes = (size_t)ring_bytes;
	if (rc == 0)
		*ret = d;
	return rc;
}

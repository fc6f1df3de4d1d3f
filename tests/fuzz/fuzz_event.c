/* Events as a client may send them: whatever is read has what its type needs and a time that can be; whatever is not has a
 * code and a message. What was read is applied, and the record comes back from its bytes as it was. */
#include <stdlib.h>

#include "base/limits.h"
#include "profile/identify.h"
#include "profile/record.h"

static struct fw_str written(struct fw_arena *a, const struct fw_record *r)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	fw_record_write(r, &out);
	if (out.failed || out.n > FW_LIMIT_RECORD_BYTES)
		abort();
	struct fw_str bytes = { fw_arena_strndup(a, out.data, out.n), out.n };
	fw_buf_finish(&out);
	return bytes;
}

/* The ids it tells are in their normal form, are no placeholders and fit into a list of ids. */
static void identify(struct fw_arena *a, const struct fw_event *e)
{
	struct fw_claim claims[FW_CLAIMS_MOST];
	char out[FW_EMAIL_BYTES];
	unsigned n, blocked;
	size_t m;
	if (fw_identify(a, e, true, true, claims, &n, &blocked) < 0 || n > FW_CLAIMS_MOST)
		abort();
	for (unsigned i = 0; i < n; i++) {
		struct fw_str text = claims[i].text;
		if (text.n == 0 || text.n > FW_LIMIT_EVENT_ID_BYTES || fw_id_is_blocked(text))
			abort();
		if (claims[i].kind == FW_ID_EMAIL && !(fw_normal_email(text, out, &m) && fw_str_equal(text, (struct fw_str){ out, m })))
			abort();
		if (claims[i].kind == FW_ID_PHONE && !(fw_normal_phone(text, out, &m) && fw_str_equal(text, (struct fw_str){ out, m })))
			abort();
	}
}

static void apply(struct fw_arena *a, struct fw_record **r, const struct fw_json *element, int64_t received_us)
{
	const struct fw_event_frame frame = { .type = -1, .received_us = received_us };
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	struct fw_event e;
	struct fw_refusal refusal = { .code = NULL };
	struct fw_effects effects;
	struct fw_error err;
	struct fw_record *again;
	if (fw_event_read(a, element, &frame, &e, &refusal) < 0) {
		if (!refusal.code || !refusal.message[0])
			abort();
		return;
	}
	if (e.at_us < 0 || e.at_us > received_us || (e.user_id.n == 0 && e.anonymous_id.n == 0))
		abort();
	identify(a, &e);
	e.trusted = e.message_hash & 1;
	if (fw_event_read_consent(a, NULL, received_us / 1000000 % 2, &e) < 0 || fw_profile_apply(*r, &e, &options, &effects) < 0)
		abort();
	struct fw_str bytes = written(a, *r);
	if (fw_record_read(a, bytes, &again, &err) < 0)
		abort();
	struct fw_str twice = written(a, again);
	if (!fw_str_equal(bytes, twice))
		abort();
	*r = again;
}

/* One event, or a list of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena arena;
	struct fw_json *json;
	struct fw_error err;
	struct fw_facts f;
	fw_arena_init(&arena, NULL, 0, 0);
	struct fw_record *r = fw_record_new(&arena, FW_STR("a-1"));
	if (r && fw_json_parse(&arena, (const char *)data, n, &json, &err) == 0) {
		int64_t at_us = INT64_C(1795435200000000);
		if (json->type != FW_JSON_ARRAY)
			apply(&arena, &r, json, at_us);
		for (const struct fw_json *e = json->type == FW_JSON_ARRAY ? json->child : NULL; e; e = e->next)
			apply(&arena, &r, e, at_us += 1000000);
		fw_facts_init(&f, &arena, true);
		f.now_us = at_us;
		if (fw_profile_fill(written(&arena, r), &f) < 0)
			abort();
	}
	fw_arena_finish(&arena);
	return 0;
}

/* Bytes as a record: they are refused, or facts and descriptions follow, events can be applied, and what is written then is
 * read again as it was. */
#include <stdlib.h>

#include "base/limits.h"
#include "fact/history.h"
#include "profile/own.h"

static const char event_text[] = "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Product Added\","
	"\"properties\":{\"product_id\":\"p-1\",\"category\":"
	"\"boots\",\"price\":3}}";

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

static void ask(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_facts f;
	struct fw_buf text;
	struct fw_json_out out;
	struct fw_error err;
	struct fw_packed boots;
	if (fw_history_pack_key(a, FW_STR("boots"), &boots) < 0)
		abort();
	const struct fw_query q = { .fact = FW_FACT_VIEWED, .key_kind = FW_KEY_CATEGORY, .key = FW_STR("boots"), .packed = boots,
		.within_s = 7 * 86400 };
	const struct fw_query share = { .fact = FW_FACT_AFFINITY, .key_kind = FW_KEY_CATEGORY, .key = FW_STR("boots"), .packed = boots };
	fw_facts_init(&f, a, true);
	f.now_us = INT64_C(1795435200000000);
	if (fw_profile_fill(bytes, &f) == 0) {
		fw_facts_ask(&f, &q);
		fw_facts_ask(&f, &share);
	}
	fw_buf_init(&text, 0);
	fw_json_out_init(&out, &text);
	fw_json_open_object(&out);
	fw_profile_describe(a, bytes, f.now_us, &out, &err);
	fw_json_key(&out, "timeline");
	fw_profile_timeline(a, bytes, &out, &err);
	fw_json_key(&out, "export");
	fw_json_open_object(&out);
	fw_profile_export(a, bytes, bytes, f.now_us, &out, &err);
	fw_buf_finish(&text);
}

/* What series say of a text by one of its labels. */
static double count(const struct fw_record *r, uint32_t text, int label)
{
	double n = 0;
	for (uint32_t i = 0; i < r->series.n; i++)
		for (uint32_t k = 0; k < r->series.items[i].n; k++)
			if (r->series.items[i].labels[label] == text && r->series.items[i].cells[k].kind == 0)
				n += r->series.items[i].cells[k].count;
	return n;
}

/* Each text the record has is found in its bytes: the first, where it is there twice. */
static void find_all(struct fw_arena *a, struct fw_str bytes, struct fw_record *r)
{
	struct fw_facts f;
	fw_facts_init(&f, a, true);
	f.now_us = INT64_C(1795435200000000);
	if (fw_profile_fill(bytes, &f) < 0 || !f.behaviour_in_reach || f.restricted)
		return; /* what a trait says is looked at only by then */
	for (uint32_t i = 0; i < r->texts.n; i++)
		for (int label = 0; label < FW_LABELS; label++) {
			struct fw_str key = r->texts.items[i].text;
			struct fw_query q = { .fact = FW_FACT_VIEWED, .key_kind = (enum fw_key_kind)(label + 1), .key = key };
			if (fw_history_pack_key(a, key, &q.packed) < 0)
				abort();
			if (fw_record_text(r, key) == i + 1 && fw_facts_ask(&f, &q).number != count(r, i + 1, label))
				abort();
		}
}

/* Merged with somebody, and taken out again. */
static void merge(struct fw_arena *a, struct fw_str bytes, struct fw_str other)
{
	struct fw_record *r, *before, *from;
	struct fw_spilled spilled[FW_SPILL_MOST];
	unsigned n;
	if (fw_record_read(a, bytes, &r, NULL) < 0 || fw_record_read(a, bytes, &before, NULL) < 0 ||
			fw_record_read(a, other, &from, NULL) < 0 || fw_record_merge(r, from, spilled, &n) < 0 || n > FW_SPILL_MOST)
		abort();
	written(a, r);
	if (fw_record_split(r, before, from) < 0)
		abort();
	written(a, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena arena;
	struct fw_record *r, *again;
	struct fw_json *json;
	struct fw_event e;
	struct fw_effects effects;
	struct fw_refusal refusal;
	struct fw_error err = { .message = "" };
	const struct fw_str bytes = { (const char *)data, n };
	const struct fw_event_frame frame = { .type = -1, .received_us = INT64_C(1795435200000000) };
	const struct fw_profile_options options = { .currency = "EUR", .behaviour = true };
	fw_arena_init(&arena, NULL, 0, 0);
	ask(&arena, bytes);
	if (fw_record_read(&arena, bytes, &r, &err) < 0) {
		if (!err.message[0])
			abort();
	} else {
		if (fw_json_parse(&arena, event_text, sizeof event_text - 1, &json, &err) < 0 ||
				fw_event_read(&arena, json, &frame, &e, &refusal) < 0 || fw_profile_apply(r, &e, &options, &effects) < 0)
			abort();
		struct fw_str first = written(&arena, r);
		merge(&arena, first, bytes);
		merge(&arena, bytes, first);
		if (fw_record_read(&arena, first, &again, &err) < 0 || !fw_str_equal(first, written(&arena, again)))
			abort();
		ask(&arena, first);
		find_all(&arena, first, again);
	}
	fw_arena_finish(&arena);
	return 0;
}

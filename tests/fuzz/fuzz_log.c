/* Bytes as a file of the decision log, as what is sealed in one, and as the facts in that: they are refused, or they are what they say,
 * and are written again as they were read. */
#include <stdlib.h>

#include "base/limits.h"
#include "trace/log_file.h"
#include "trace/logged.h"

static void read_facts(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_facts_names names;
	struct fw_facts f, again;
	struct fw_unpack u;
	struct fw_buf list, out, once_more;
	fw_buf_init(&list, 0);
	fw_facts_pack_names(&list);
	fw_unpack_init(&u, (struct fw_str){ list.data, list.n });
	if (fw_facts_unpack_names(&u, a, &names) < 0)
		abort();
	fw_buf_finish(&list);
	if (fw_facts_unpack(&f, a, &names, bytes) < 0)
		return;
	fw_buf_init(&out, 0);
	fw_buf_init(&once_more, 0);
	fw_facts_pack(&f, &out);
	if (fw_facts_unpack(&again, a, &names, (struct fw_str){ out.data, out.n }) < 0)
		abort();
	fw_facts_pack(&again, &once_more);
	if (out.n != once_more.n || memcmp(out.data, once_more.data, out.n) != 0)
		abort();
	fw_buf_finish(&out);
	fw_buf_finish(&once_more);
	/* Whoever these are, they are somebody whom facts can be written of. */
	struct fw_profile_reading reading = { .read = FW_PROFILE_READ, .id = FW_STR("somebody") };
	struct fw_json_out json;
	fw_buf_init(&out, 0);
	fw_json_out_init(&json, &out);
	if (fw_profile_complete(&f, &reading) == 0)
		fw_facts_write(&json, &f);
	fw_buf_finish(&out);
}

static void read_body(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_logged l;
	struct fw_buf out;
	if (fw_logged_read(a, bytes, &l) < 0)
		return;
	read_facts(a, l.facts);
	fw_buf_init(&out, 0);
	fw_logged_write(&l, &out);
	if (fw_logged_read(a, (struct fw_str){ out.data, out.n }, &l) < 0)
		abort();
	fw_buf_finish(&out);
}

static void read_file(struct fw_arena *a, struct fw_str bytes)
{
	static const unsigned char key[FW_SEAL_KEY] = "0123456789abcdef0123456789abcde";
	struct fw_log_reader r;
	struct fw_str entry, plain;
	size_t all = FW_LOG_HEAD;
	if (fw_log_reader_init(&r, bytes) < 0)
		return;
	while (fw_log_next(&r, &entry)) {
		struct fw_log_decision d;
		struct fw_log_sealed person;
		struct fw_log_set set;
		uint64_t hash;
		uint32_t period;
		all += FW_LOG_FRAME + entry.n;
		fw_log_get_set(a, entry, &set);
		if (fw_log_get_person(entry, &person) == 0 && fw_unseal(key, person.beside, person.sealed, a, &plain) == 0)
			read_body(a, plain);
		if (fw_log_get_decision(entry, &d) < 0)
			continue;
		fw_log_whose(&d.sealed, key, a, &hash, &period);
		fw_log_at(bytes, d.set_at, 'S', &entry);
		fw_log_at(bytes, d.person_at, 'P', &entry);
		if (fw_unseal(key, d.sealed.beside, d.sealed.sealed, a, &plain) == 0 && plain.n >= 16)
			read_body(a, (struct fw_str){ plain.p + 16, plain.n - 16 });
	}
	if (all + r.lost != bytes.n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena arena;
	struct fw_str bytes = { (const char *)data, n };
	fw_arena_init(&arena, NULL, 0, 64 << 20);
	if (n && data[0] == 'f')
		read_file(&arena, bytes);
	else if (n && data[0] == 'b')
		read_body(&arena, (struct fw_str){ bytes.p + 1, n - 1 });
	else if (n && data[0] == 'v')
		read_facts(&arena, (struct fw_str){ bytes.p + 1, n - 1 });
	fw_arena_finish(&arena);
	return 0;
}

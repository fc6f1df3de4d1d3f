/* What rows of ids, outboxes and erasures hold: any bytes are what they should be or refused, what is read and written again is the
 * same, and applying an entry to any row ends in a row or a refusal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "people/asked.h"
#include "people/entry.h"
#include "people/erase_own.h"
#include "people/receive.h"
#include "people/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_moved(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_moved m, again;
	struct fw_buf b;
	if (fw_moved_read(a, bytes, &m) < 0)
		return;
	fw_buf_init(&b, 0);
	fw_moved_write(&m, &b);
	if (fw_moved_read(a, (struct fw_str){ b.data, b.n }, &again) < 0 || again.number != m.number || again.shared != m.shared ||
			!fw_person_id_equal(&again.to, &m.to) || !fw_str_equal(again.record, m.record))
		abort();
	fw_buf_finish(&b);
}

static void check_erasure(struct fw_arena *a, struct fw_str bytes)
{
	struct fw_erasure e, again;
	struct fw_key key;
	struct fw_buf b;
	fw_erasure_key(7, 1, 2, &key);
	if (fw_erasure_read(a, &key, bytes, &e) < 0)
		return;
	fw_buf_init(&b, 0);
	fw_erasure_write(&e, &b);
	if (fw_erasure_read(a, &key, (struct fw_str){ b.data, b.n }, &again) < 0 || again.receipt.ids != e.receipt.ids ||
			again.receipt.done_us != e.receipt.done_us)
		abort();
	fw_buf_finish(&b);
}

static void check_late(struct fw_arena *a, struct fw_str value)
{
	static const struct fw_key key = { .n = 1 };
	struct fw_late late;
	struct fw_change change;
	if (fw_late_read(a, value, &late) < 0)
		return;
	if (!fw_late_is(value) || fw_late_write(&late, &key, a, &change) < 0)
		abort();
	struct fw_late again;
	if (fw_late_read(a, change.value, &again) < 0 || !fw_person_id_equal(&again.person, &late.person) ||
			!fw_person_id_equal(&again.because, &late.because) || again.tombstone.erased_us != late.tombstone.erased_us ||
			again.tombstone.has_user != late.tombstone.has_user)
		abort();
}

/* A row of the index says what the entry says. */
static void check_asked(const struct fw_entry *e, struct fw_str value)
{
	struct fw_asked asked;
	struct fw_key key;
	fw_entry_key(e, &key);
	const struct fw_row row = { .key = fw_key_str(&key), .value = value };
	if (!fw_asked_read(&row, &asked) || !fw_str_equal(asked.product, e->product))
		abort();
}

/* The entry is the first part, the row the rest. */
static void check_entry(struct fw_arena *a, struct fw_str entry, struct fw_str row)
{
	static const struct fw_secret secret = { .known = true };
	struct fw_entry e, again;
	struct fw_received got;
	struct fw_buf b;
	if (fw_entry_read(a, entry, &e) < 0)
		return;
	fw_buf_init(&b, 0);
	fw_entry_write(&e, &b);
	if (fw_entry_read(a, (struct fw_str){ b.data, b.n }, &again) < 0 || again.kind != e.kind ||
			!fw_person_id_equal(&again.target, &e.target) || !fw_str_equal(again.record, e.record) ||
			!fw_str_equal(again.product, e.product))
		abort();
	fw_buf_finish(&b);
	const struct fw_tombstone tombstone = { .erased_us = row.n & 1 ? e.at_us : 0 };
	int rc = fw_receive(a, &secret, &e, row, 1, &tombstone, &got);
	if (rc == 0 && got.changed && e.kind == FW_ENTRY_ASK) {
		check_asked(&e, got.value);
	} else if (rc == 0 && got.changed && got.value.p && !fw_row_is_moved(got.value)) {
		struct fw_record *record;
		if (e.kind != FW_ENTRY_SPLIT && fw_record_read(a, got.value, &record, NULL) < 0)
			abort(); /* a split's record is what it brought */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	struct fw_str bytes = { (const char *)data, n };
	fw_arena_init(&a, NULL, 0, 16 << 20);
	check_moved(&a, bytes);
	check_erasure(&a, bytes);
	check_late(&a, bytes);
	size_t first = n ? data[0] : 0;
	if (n > 1 && first < n - 1)
		check_entry(&a, (struct fw_str){ bytes.p + 1, first }, (struct fw_str){ bytes.p + 1 + first, n - 1 - first });
	check_entry(&a, bytes, (struct fw_str){ NULL, 0 });
	fw_arena_finish(&a);
	return 0;
}

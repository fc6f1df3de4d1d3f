#include "people/check.h"

#include "people/dead.h"
#include "people/entry.h"
#include "people/key.h"
#include "people/row.h"

int fw_people_check_row(struct fw_arena *scratch, uint32_t bucket, const struct fw_row *row, struct fw_error *err)
{
	enum { NAMED = FW_KEY_PERSON + 2 };
	struct fw_str key = row->key;
	struct fw_record *record;
	struct fw_dead letter;
	struct fw_error why = { 0 };
	fw_arena_reset(scratch);
	if (key.n > NAMED && key.p[0] == 'P' && key.p[FW_KEY_PERSON] == 'r') {
		struct fw_moved moved;
		if (fw_row_is_moved(row->value))
			return fw_moved_read(scratch, row->value, &moved) < 0
				? fw_fail(err, FW_EINVAL, NULL, 0, "where %.*s leads cannot be read", (int)(key.n - NAMED), key.p + NAMED)
				: 0;
		int rc = fw_record_read(scratch, row->value, &record, &why);
		return rc < 0 ? fw_fail(err, rc, NULL, 0, "the record of %.*s: %s", (int)(key.n - NAMED), key.p + NAMED, why.message) : 0;
	}
	if (key.n == FW_KEY_ENTRY && key.p[0] == 'O') {
		struct fw_entry entry;
		return fw_entry_read(scratch, row->value, &entry) == 0 ? 0
			: fw_fail(err, FW_EINVAL, NULL, 0, "an entry of the outbox cannot be read");
	}
	if (key.n && key.p[0] == 'D') {
		int rc = fw_dead_read(scratch, bucket, row, &letter);
		return rc < 0 ? fw_fail(err, rc, NULL, 0, "a dead letter cannot be read") : 0;
	}
	return 0;
}

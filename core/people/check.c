#include "people/check.h"

#include "people/asked.h"
#include "people/dead.h"
#include "people/entry.h"
#include "people/row.h"
#include "people/seal_key.h"
#include "people/suppression.h"
#include "people/wake.h"

enum { NAMED = FW_KEY_PERSON + 2 };

/* What a row is looked at with. */
struct looking {
	struct fw_arena *scratch;
	uint32_t bucket;
	const struct fw_row *row;
	struct fw_error *err;
};

static int wrong(const struct looking *l, int rc, const char *what)
{
	return rc < 0 ? fw_fail(l->err, rc, NULL, 0, "%s", what) : 0;
}

static int check_person(const struct looking *l)
{
	struct fw_str id = { l->row->key.p + NAMED, l->row->key.n - NAMED };
	struct fw_record *record;
	struct fw_moved moved;
	struct fw_error why = { 0 };
	if (fw_row_is_moved(l->row->value)) {
		int rc = fw_moved_read(l->scratch, l->row->value, &moved);
		return rc < 0 ? fw_fail(l->err, rc, NULL, 0, "where %.*s leads cannot be read", (int)id.n, id.p) : 0;
	}
	int rc = fw_record_read(l->scratch, l->row->value, &record, &why);
	return rc < 0 ? fw_fail(l->err, rc, NULL, 0, "the record of %.*s: %s", (int)id.n, id.p, why.message) : 0;
}

/* A person's row, or one beside it. */
static int check_beside(const struct looking *l)
{
	struct fw_str key = l->row->key;
	if (key.n > NAMED && key.p[FW_KEY_PERSON] == 'r')
		return check_person(l);
	bool seals = key.n > FW_KEY_PERSON && key.p[FW_KEY_PERSON] == 's';
	return wrong(l, seals && (key.n != FW_KEY_SEAL || l->row->value.n != FW_SEAL_KEY + 8) ? FW_EINVAL : 0,
		"a key of what is logged of a person cannot be read");
}

/* Nobody looks for it in another bucket than its person's. */
static int check_wake(const struct looking *l)
{
	struct fw_wake wake;
	uint64_t hash;
	bool fine = fw_wake_read(l->row->key, &wake, &hash) && l->row->value.n == 0 && fw_store_bucket(hash) == l->bucket;
	return wrong(l, fine ? 0 : FW_EINVAL, "when a message is due cannot be read");
}

static int check_suppression(const struct looking *l)
{
	struct fw_suppression s;
	int rc = fw_suppression_read(l->scratch, l->row, &s);
	if (rc == 0 && fw_store_bucket(fw_key_read(l->row->key.p + 1, 8)) != l->bucket)
		rc = FW_EINVAL;
	return wrong(l, rc, "an address to which nothing goes cannot be read");
}

static int check_asked(const struct looking *l)
{
	struct fw_asked asked;
	bool fine = fw_asked_read(l->row, &asked) && fw_asked_bucket(asked.product) == l->bucket;
	return wrong(l, fine ? 0 : FW_EINVAL, "who is to be told when a product is back cannot be read");
}

int fw_people_check_row(struct fw_arena *scratch, uint32_t bucket, const struct fw_row *row, struct fw_error *err)
{
	const struct looking l = { scratch, bucket, row, err };
	struct fw_str key = row->key;
	struct fw_entry entry;
	struct fw_dead letter;
	fw_arena_reset(scratch);
	switch (key.n ? key.p[0] : 0) {
	case 'P': return check_beside(&l);
	case 'O': return wrong(&l, key.n == FW_KEY_ENTRY ? fw_entry_read(scratch, row->value, &entry) : 0,
		"an entry of the outbox cannot be read");
	case 'D': return wrong(&l, fw_dead_read(scratch, bucket, row, &letter), "a dead letter cannot be read");
	case 'M': case 'm': return check_wake(&l);
	case 'B': return check_asked(&l);
	case 'U': return check_suppression(&l);
	default: return 0;
	}
}

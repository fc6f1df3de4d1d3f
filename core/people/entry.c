#include "people/entry.h"

#include <string.h>

#include "people/asked.h"
#include "people/row.h"

static const char *const names[FW_ENTRY_KINDS] = { NULL, "point", "join", "absorb", "return", "repoint", "share", "split",
	"forget", "erase", "ask", "unask" };

const char *fw_entry_kind_name(enum fw_entry_kind kind)
{
	return names[kind];
}

static bool has_seal(enum fw_entry_kind kind)
{
	return kind == FW_ENTRY_ABSORB || kind == FW_ENTRY_SPLIT;
}

static bool has_product(enum fw_entry_kind kind)
{
	return kind == FW_ENTRY_ASK || kind == FW_ENTRY_UNASK;
}

void fw_entry_key(const struct fw_entry *e, struct fw_key *ret)
{
	if (has_product(e->kind))
		fw_asked_key(e->product, e->at_us, fw_people_row_hash(&e->target), ret);
	else
		fw_key_person(&e->target, ret);
}

void fw_entry_write(const struct fw_entry *e, struct fw_buf *out)
{
	fw_buf_putc(out, (char)e->kind);
	fw_person_id_pack(&e->target, out);
	fw_person_id_pack(&e->other, out);
	fw_person_id_pack(&e->because, out);
	fw_pack_signed(out, e->at_us);
	fw_pack_number(out, e->merge << 1 | e->only_own);
	fw_pack_text(out, e->user);
	if (has_seal(e->kind))
		fw_buf_add(out, (const char *)e->seal, sizeof e->seal);
	if (has_product(e->kind))
		fw_pack_text(out, e->product);
	fw_buf_add(out, e->record.p, e->record.n);
}

int fw_entry_read(struct fw_arena *a, struct fw_str value, struct fw_entry *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, value);
	unsigned kind = fw_unpack_byte(&u);
	*ret = (struct fw_entry){ .kind = kind < FW_ENTRY_KINDS ? (enum fw_entry_kind)kind : FW_ENTRY_KINDS };
	if (kind == 0 || kind >= FW_ENTRY_KINDS || !fw_person_id_unpack(&u, a, &ret->target) || !fw_person_id_unpack(&u, a, &ret->other) ||
			!fw_person_id_unpack(&u, a, &ret->because))
		return FW_EINVAL;
	ret->at_us = fw_unpack_signed(&u);
	uint64_t merge = fw_unpack_number(&u);
	ret->merge = merge >> 1;
	ret->only_own = merge & 1;
	ret->user = fw_unpack_text(&u, a);
	if (has_seal(ret->kind)) {
		if ((size_t)(u.end - u.p) < sizeof ret->seal)
			return FW_EINVAL;
		memcpy(ret->seal, u.p, sizeof ret->seal);
		u.p += sizeof ret->seal;
	}
	if (has_product(ret->kind))
		ret->product = fw_unpack_text(&u, a);
	ret->record = (struct fw_str){ (const char *)u.p, (size_t)(u.end - u.p) };
	return u.failed || ret->target.id.n == 0 || (has_product(ret->kind) && !ret->product.n) ? FW_EINVAL : 0;
}

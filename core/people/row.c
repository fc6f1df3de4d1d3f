#include "people/row.h"

#include "people/key.h"

enum { MOVED = 0x80, SHARED = 1, WITH_RECORD = 2 };

void fw_person_id_pack(const struct fw_person_id *id, struct fw_buf *out)
{
	fw_buf_putc(out, fw_key_letter(id->kind));
	fw_pack_text(out, id->id);
}

bool fw_person_id_unpack(struct fw_unpack *u, struct fw_arena *a, struct fw_person_id *ret)
{
	bool known = fw_key_kind((char)fw_unpack_byte(u), &ret->kind);
	ret->id = fw_unpack_text(u, a);
	return known && !u->failed && ret->id.n <= FW_LIMIT_EVENT_ID_BYTES;
}

bool fw_person_id_equal(const struct fw_person_id *a, const struct fw_person_id *b)
{
	return a->kind == b->kind && fw_str_equal(a->id, b->id);
}

int fw_moved_read(struct fw_arena *a, struct fw_str value, struct fw_moved *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, value);
	unsigned head = fw_unpack_byte(&u);
	*ret = (struct fw_moved){ .shared = head & SHARED };
	if (!(head & MOVED) || (head & 0x7f) > (SHARED | WITH_RECORD) || !fw_person_id_unpack(&u, a, &ret->to) || ret->to.id.n == 0)
		return FW_EINVAL;
	ret->number = fw_unpack_number(&u);
	if (u.failed || (head & WITH_RECORD ? u.p == u.end : u.p != u.end))
		return FW_EINVAL;
	ret->record = (struct fw_str){ (const char *)u.p, (size_t)(u.end - u.p) };
	return 0;
}

void fw_moved_write(const struct fw_moved *m, struct fw_buf *out)
{
	fw_buf_putc(out, (char)(MOVED | (m->shared ? SHARED : 0) | (m->record.n ? WITH_RECORD : 0)));
	fw_person_id_pack(&m->to, out);
	fw_pack_number(out, m->number);
	fw_buf_add(out, m->record.p, m->record.n);
}

int fw_moved_bytes(const struct fw_moved *m, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_moved_write(m, &b);
	return fw_buf_keep(&b, a, ret);
}

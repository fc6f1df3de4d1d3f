#include <string.h>

#include "base/pack.h"
#include "message/check.h"
#include "message/own.h"

enum { KEY = FW_KEY_PERSON + 9 };

void fw_sent_key(uint32_t bucket, struct fw_message_id id, struct fw_key *ret)
{
	ret->bucket = bucket;
	ret->bytes[0] = 'P';
	fw_key_number(ret->bytes + 1, id.person, 8);
	ret->bytes[FW_KEY_PERSON] = 'w';
	fw_key_number(ret->bytes + FW_KEY_PERSON + 1, id.number, 8);
	ret->n = KEY;
}

/* When in milliseconds, channel, rule, the key of the address's suppression. */
int fw_sent_write(const struct fw_sent *s, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_pack_number(&b, (uint64_t)(s->at_us / 1000));
	fw_pack_text(&b, s->channel);
	fw_pack_text(&b, s->rule);
	fw_pack_number(&b, s->suppression.bucket);
	fw_pack_bytes(&b, fw_key_str(&s->suppression));
	return fw_buf_keep(&b, a, ret);
}

int fw_sent_read(struct fw_arena *a, struct fw_str value, struct fw_sent *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, value);
	uint64_t at_ms = fw_unpack_number(&u);
	ret->at_us = (int64_t)(at_ms < INT64_MAX / 1000 ? at_ms * 1000 : 0);
	ret->channel = fw_unpack_text(&u, a);
	ret->rule = fw_unpack_text(&u, a);
	ret->suppression.bucket = fw_unpack_bounded(&u, FW_STORE_BUCKETS - 1);
	struct fw_str key = fw_unpack_bytes(&u);
	if (u.failed || u.p != u.end || key.n > sizeof ret->suppression.bytes)
		return FW_EINVAL;
	memcpy(ret->suppression.bytes, key.p, key.n);
	ret->suppression.n = (unsigned)key.n;
	return 0;
}

static bool is_sent(struct fw_str key)
{
	return key.n > FW_KEY_PERSON && key.p[0] == 'P' && key.p[FW_KEY_PERSON] == 'w';
}

int fw_message_check_row(struct fw_arena *scratch, uint32_t bucket, const struct fw_row *row, struct fw_error *err)
{
	struct fw_sent sent = { .at_us = 0 };
	fw_arena_reset(scratch);
	if (!is_sent(row->key))
		return 0;
	int rc = fw_sent_read(scratch, row->value, &sent);
	bool placed = row->key.n == KEY && fw_store_bucket(fw_key_read(row->key.p + 1, 8)) == bucket;
	bool leads = sent.suppression.n > 8 && sent.suppression.bytes[0] == 'U' &&
		fw_store_bucket(fw_key_read(sent.suppression.bytes + 1, 8)) == sent.suppression.bucket;
	if (rc == 0 && !(placed && leads))
		rc = FW_EINVAL;
	return rc < 0 ? fw_fail(err, rc, NULL, 0, "what is kept of a message that was sent cannot be read") : 0;
}

#include "people/key.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"

static const char letters[FW_PERSON_KINDS] = { 'a', 'u', 'x' };

void fw_key_number(char *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (char)(v >> 8 * (bytes - 1 - i) & 0xff);
}

uint64_t fw_key_read(const char *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

void fw_key_person(const struct fw_person_id *id, struct fw_key *ret)
{
	size_t n = id->id.n < FW_LIMIT_EVENT_ID_BYTES ? id->id.n : FW_LIMIT_EVENT_ID_BYTES;
	char *named = ret->bytes + FW_KEY_PERSON + 1;
	named[0] = letters[id->kind];
	memcpy(named + 1, id->id.p, n);
	uint64_t hash = fw_hash(named, n + 1);
	ret->bucket = fw_store_bucket(hash);
	ret->bytes[0] = 'P';
	fw_key_number(ret->bytes + 1, hash, 8);
	ret->bytes[FW_KEY_PERSON] = 'r';
	ret->n = (unsigned)(FW_KEY_PERSON + 2 + n);
}

void fw_key_message(const struct fw_key *person, int32_t day, uint64_t message_hash, struct fw_key *ret)
{
	ret->bucket = person->bucket;
	memcpy(ret->bytes, person->bytes, FW_KEY_PERSON);
	ret->bytes[FW_KEY_PERSON] = 'd';
	fw_key_number(ret->bytes + FW_KEY_PERSON + 1, (uint32_t)day, 4);
	fw_key_number(ret->bytes + FW_KEY_PERSON + 5, message_hash, 8);
	ret->n = FW_KEY_MESSAGE;
}

int fw_person_id_parse(struct fw_str text, struct fw_person_id *ret, struct fw_error *err)
{
	static const struct {
		const char *name;
		enum fw_person_kind kind;
	} kinds[] = { { "user", FW_PERSON_USER }, { "anonymous", FW_PERSON_ANONYMOUS } };
	struct fw_person_id id = { FW_PERSON_USER, text };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i].name);
		if (text.n > n && text.p[n] == ':' && memcmp(text.p, kinds[i].name, n) == 0)
			id = (struct fw_person_id){ kinds[i].kind, { text.p + n + 1, text.n - n - 1 } };
	}
	if (id.id.n == 0 || id.id.n > FW_LIMIT_EVENT_ID_BYTES) {
		fw_fail(err, FW_EINVAL, NULL, 0, id.id.n ? "an id has at most %d bytes" : "the id is empty", FW_LIMIT_EVENT_ID_BYTES);
		fw_hint(err, "write a userId, or anonymous: and an anonymousId");
		return FW_EINVAL;
	}
	*ret = id;
	return 0;
}

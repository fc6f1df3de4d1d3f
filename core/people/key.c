#include "people/key.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "profile/identify.h"

static const char letters[FW_PERSON_KINDS] = { 'a', 'u', 'e', 'p', 'o', 'x', 'g' };

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

struct fw_person_id fw_key_id(const struct fw_key *key)
{
	struct fw_person_id id = { .id = { key->bytes + FW_KEY_PERSON + 2, key->n - FW_KEY_PERSON - 2 } };
	fw_key_kind(key->bytes[FW_KEY_PERSON + 1], &id.kind);
	return id;
}

char fw_key_letter(enum fw_person_kind kind)
{
	return letters[kind];
}

bool fw_key_kind(char letter, enum fw_person_kind *ret)
{
	for (int i = 0; i < FW_PERSON_KINDS; i++)
		if (letters[i] == letter) {
			*ret = (enum fw_person_kind)i;
			return true;
		}
	return false;
}

void fw_key_kept(const struct fw_key *person, uint64_t merge, char side, struct fw_key *ret)
{
	ret->bucket = person->bucket;
	memcpy(ret->bytes, person->bytes, FW_KEY_PERSON);
	ret->bytes[FW_KEY_PERSON] = 'k';
	fw_key_number(ret->bytes + FW_KEY_PERSON + 1, merge, 8);
	ret->bytes[FW_KEY_PERSON + 9] = side;
	ret->n = FW_KEY_PERSON + 10;
}

void fw_key_seal(uint64_t hash, uint32_t period, struct fw_key *ret)
{
	ret->bucket = fw_store_bucket(hash);
	ret->bytes[0] = 'P';
	fw_key_number(ret->bytes + 1, hash, 8);
	ret->bytes[FW_KEY_PERSON] = 's';
	fw_key_number(ret->bytes + FW_KEY_PERSON + 1, period, 4);
	ret->n = FW_KEY_SEAL;
}

void fw_key_entry(uint32_t sender, uint32_t receiver, uint64_t number, struct fw_key *ret)
{
	ret->bucket = sender;
	ret->bytes[0] = 'O';
	fw_key_number(ret->bytes + 1, receiver, 2);
	fw_key_number(ret->bytes + 3, number, 8);
	ret->n = number ? FW_KEY_ENTRY : 3;
}

void fw_key_counter(uint32_t sender, struct fw_key *ret)
{
	ret->bucket = sender;
	ret->bytes[0] = 'N';
	ret->n = 1;
}

void fw_key_applied(uint32_t receiver, uint32_t sender, struct fw_key *ret)
{
	ret->bucket = receiver;
	ret->bytes[0] = 'A';
	fw_key_number(ret->bytes + 1, sender, 2);
	ret->n = 3;
}

void fw_key_tombstone(const struct fw_key *row, const unsigned char hash[16], struct fw_key *ret)
{
	ret->bucket = row->bucket;
	ret->bytes[0] = 'T';
	memcpy(ret->bytes + 1, hash, 16);
	ret->n = 17;
}

/* A text that names its kind: the kind, and the id behind it. Anything else is left as it is, a user's id. */
static void take_kind(struct fw_str text, struct fw_person_id *id)
{
	static const struct {
		const char *name;
		enum fw_person_kind kind;
	} kinds[] = { { "user", FW_PERSON_USER }, { "anonymous", FW_PERSON_ANONYMOUS }, { "email", FW_PERSON_EMAIL },
		{ "phone", FW_PERSON_PHONE }, { "external", FW_PERSON_OTHER } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i].name);
		if (text.n > n && text.p[n] == ':' && memcmp(text.p, kinds[i].name, n) == 0) {
			*id = (struct fw_person_id){ kinds[i].kind, { text.p + n + 1, text.n - n - 1 } };
			return;
		}
	}
}

/* Addresses and numbers are found in their normal form. */
static int normalise(struct fw_arena *arena, struct fw_person_id *id, struct fw_error *err)
{
	char email[FW_EMAIL_BYTES], phone[FW_PHONE_BYTES];
	size_t n;
	const char *from;
	if (id->kind == FW_PERSON_EMAIL)
		from = fw_normal_email(id->id, email, &n) ? email : NULL;
	else if (id->kind == FW_PERSON_PHONE)
		from = fw_normal_phone(id->id, phone, &n) ? phone : NULL;
	else
		return 0;
	if (!from) {
		fw_fail(err, FW_EINVAL, NULL, 0, id->kind == FW_PERSON_EMAIL ? "this is no e-mail address" : "this is no phone number");
		fw_hint(err, id->kind == FW_PERSON_EMAIL ? "write email:ann@shop.example"
			: "write phone: and the number with its country, +4930123456");
		return FW_EINVAL;
	}
	id->id = (struct fw_str){ fw_arena_strndup(arena, from, n), n };
	return id->id.p ? 0 : FW_ENOMEM;
}

int fw_person_id_parse(struct fw_arena *arena, struct fw_str text, struct fw_person_id *ret, struct fw_error *err)
{
	struct fw_person_id id = { FW_PERSON_USER, text };
	take_kind(text, &id);
	if (id.id.n == 0 || id.id.n > FW_LIMIT_EVENT_ID_BYTES) {
		fw_fail(err, FW_EINVAL, NULL, 0, id.id.n ? "an id has at most %d bytes" : "the id is empty", FW_LIMIT_EVENT_ID_BYTES);
		fw_hint(err, "write a userId, or anonymous:, email:, phone: or external: and what comes behind it");
		return FW_EINVAL;
	}
	*ret = id;
	return normalise(arena, ret, err);
}

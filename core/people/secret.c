#include "people/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mac.h"
#include "people/key.h"
#include "people/row.h"

static const struct fw_str row_key = { "S", 1 };

struct loading {
	struct fw_secret *secret;
	struct fw_store *store;
	struct fw_arena arena;
	fw_people_done done;
	void *ctx;
	unsigned char made[FW_SECRET_BYTES];
};

bool fw_secret_hides(enum fw_person_kind kind)
{
	return kind == FW_PERSON_EMAIL || kind == FW_PERSON_PHONE || kind == FW_PERSON_OTHER;
}

/* Two ids of which no code can be made would be one: whoever cannot make it ends. */
static void make_code(const unsigned char key[FW_SECRET_BYTES], const void *text, size_t n, unsigned char ret[FW_MAC])
{
	if (fw_mac(key, FW_SECRET_BYTES, text, n, ret) == 0)
		return;
	fw_log(FW_LOG_ERROR, "no code can be made of an id: there is no memory, or OpenSSL has no HMAC-SHA256", NULL);
	abort();
}

static void hash(const struct fw_secret *s, char purpose, struct fw_str text, unsigned char ret[FW_MAC])
{
	unsigned char message[2 + FW_LIMIT_EVENT_ID_BYTES];
	size_t length = text.n < sizeof message - 1 ? text.n : sizeof message - 1;
	message[0] = (unsigned char)purpose;
	memcpy(message + 1, text.p, length);
	make_code(s->bytes, message, length + 1, ret);
}

void fw_secret_hash(const struct fw_secret *s, const struct fw_person_id *row, unsigned char ret[FW_KEYED_HASH])
{
	unsigned char mac[FW_MAC];
	char named[1 + FW_LIMIT_EVENT_ID_BYTES];
	size_t n = row->id.n < FW_LIMIT_EVENT_ID_BYTES ? row->id.n : FW_LIMIT_EVENT_ID_BYTES;
	named[0] = fw_key_letter(row->kind);
	memcpy(named + 1, row->id.p, n);
	hash(s, 'T', (struct fw_str){ named, n + 1 }, mac);
	memcpy(ret, mac, FW_KEYED_HASH);
}

void fw_secret_sign(const struct fw_secret *s, struct fw_str name, struct fw_str what, unsigned char ret[FW_SECRET_BYTES])
{
	unsigned char key[FW_MAC];
	_Static_assert((int)FW_MAC == (int)FW_SECRET_BYTES, "a code is a key");
	hash(s, 'K', name, key);
	make_code(key, what.p, what.n, ret);
}

void fw_secret_row_id(const struct fw_secret *s, const struct fw_person_id *plain, char text[FW_KEYED_HASH_TEXT],
	struct fw_person_id *ret)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[FW_MAC];
	*ret = *plain;
	if (!fw_secret_hides(plain->kind))
		return;
	hash(s, fw_key_letter(plain->kind), plain->id, mac);
	for (unsigned i = 0; i < FW_KEYED_HASH_TEXT / 2; i++) {
		text[2 * i] = digits[mac[i] >> 4];
		text[2 * i + 1] = digits[mac[i] & 15];
	}
	ret->id = (struct fw_str){ text, FW_KEYED_HASH_TEXT };
}

int fw_secret_row_of(const struct fw_secret *s, const struct fw_id *id, struct fw_arena *a, struct fw_person_id *ret)
{
	const struct fw_person_id plain = { (enum fw_person_kind)id->kind, id->text };
	char text[FW_KEYED_HASH_TEXT];
	fw_secret_row_id(s, &plain, text, ret);
	ret->id.p = fw_arena_strndup(a, ret->id.p, ret->id.n);
	return ret->id.p ? 0 : FW_ENOMEM;
}

bool fw_secret_find(const struct fw_secret *s, const struct fw_record *record, const struct fw_person_id *row, struct fw_id *ret)
{
	for (unsigned i = 0; fw_record_id(record, i, ret); i++) {
		char text[FW_KEYED_HASH_TEXT];
		const struct fw_person_id plain = { (enum fw_person_kind)ret->kind, ret->text };
		struct fw_person_id found;
		fw_secret_row_id(s, &plain, text, &found);
		if (fw_person_id_equal(&found, row))
			return true;
	}
	return false;
}

static void end(struct loading *l, int rc)
{
	fw_people_done done = l->done;
	void *ctx = l->ctx;
	fw_arena_finish(&l->arena);
	free(l);
	done(ctx, rc);
}

static void take(struct loading *l, const void *bytes)
{
	memcpy(l->secret->bytes, bytes, FW_SECRET_BYTES);
	l->secret->known = true;
	end(l, 0);
}

static void look(struct loading *l);

static void on_made(void *ctx, int rc, uint64_t version)
{
	struct loading *l = ctx;
	(void)version;
	if (rc == 0)
		take(l, l->made);
	else if (rc == FW_ECONFLICT) /* somebody else was faster */
		look(l);
	else
		end(l, rc);
}

static void make(struct loading *l)
{
	struct fw_change change = { FW_CHANGE_PUT, row_key, { (const char *)l->made, FW_SECRET_BYTES }, FW_VERSION_NONE };
	struct fw_batch batch = { 0, &change, 1 };
	int rc = getrandom(l->made, sizeof l->made, 0) == sizeof l->made ? fw_store_commit(l->store, &batch, on_made, l) : FW_EIO;
	if (rc < 0)
		end(l, rc);
}

static void on_row(void *ctx, int rc, const struct fw_row *row)
{
	struct loading *l = ctx;
	if (rc == 0 && row->value.p && row->value.n == FW_SECRET_BYTES)
		take(l, row->value.p);
	else if (rc == 0 && !row->value.p)
		make(l);
	else
		end(l, rc < 0 ? rc : FW_EIO);
}

static void look(struct loading *l)
{
	fw_store_get(l->store, 0, row_key, &l->arena, on_row, l);
}

void fw_secret_load(struct fw_secret *s, struct fw_store *store, fw_people_done done, void *ctx)
{
	struct loading *l = calloc(1, sizeof *l);
	if (!l) {
		done(ctx, FW_ENOMEM);
		return;
	}
	*l = (struct loading){ .secret = s, .store = store, .done = done, .ctx = ctx };
	fw_arena_init(&l->arena, NULL, 0, 0);
	look(l);
}

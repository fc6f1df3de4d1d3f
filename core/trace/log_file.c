#include "trace/log_file.h"

#include <math.h>

#include "base/hash.h"
#include "base/limits.h"
#include "people/key.h"

static const char magic[8] = "fwdecide"; /* without an end */
static const char mark[4] = { '\xf5', 'f', 'w', '\n' };
enum { VERSION = 1, MARK = sizeof mark, WHOSE = 12, DECISION_HEAD = 1 + FW_LOG_ID + 3 * 8 };
enum { ENTRY_MOST = 2 * FW_LIMIT_LOGGED_BYTES };

static void write_number(char *to, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		to[i] = (char)(v >> 8 * i & 0xff);
}

static uint64_t read_number(const char *from, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | (unsigned char)from[i];
	return v;
}

void fw_log_put_head(struct fw_buf *out)
{
	char head[FW_LOG_HEAD] = { 0 };
	memcpy(head, magic, sizeof magic);
	write_number(head + sizeof magic, VERSION, 4);
	fw_buf_add(out, head, sizeof head);
}

size_t fw_log_begin(struct fw_buf *out, char letter)
{
	size_t begun = out->n;
	char frame[FW_LOG_FRAME] = { 0 };
	fw_buf_add(out, frame, sizeof frame);
	fw_buf_putc(out, letter);
	return begun;
}

void fw_log_end(struct fw_buf *out, size_t begun)
{
	if (out->failed)
		return;
	char *frame = out->data + begun;
	size_t n = out->n - begun - FW_LOG_FRAME;
	memcpy(frame, mark, MARK);
	write_number(frame + MARK, n, 4);
	write_number(frame + MARK + 4, XXH64(frame + FW_LOG_FRAME, n, n), 8);
}

void fw_log_put_set(struct fw_buf *out, const struct fw_log_set *set)
{
	size_t begun = fw_log_begin(out, 'S');
	uint64_t holdout;
	memcpy(&holdout, &set->holdout, sizeof holdout);
	fw_pack_bytes(out, set->hash);
	fw_pack_bytes(out, set->timezone);
	fw_pack_bytes(out, set->currency);
	fw_pack_bytes(out, set->version);
	fw_pack_fixed(out, holdout);
	fw_facts_pack_names(out);
	fw_log_end(out, begun);
}

static struct fw_str get_text(struct fw_unpack *u, struct fw_arena *a)
{
	struct fw_str text = fw_unpack_bytes(u);
	text.p = fw_arena_strndup(a, text.n ? text.p : "", text.n);
	u->failed |= !text.p;
	return text;
}

int fw_log_get_set(struct fw_arena *a, struct fw_str entry, struct fw_log_set *ret)
{
	struct fw_unpack u;
	fw_unpack_init(&u, entry);
	if (fw_unpack_byte(&u) != 'S')
		return FW_EINVAL;
	ret->hash = get_text(&u, a);
	ret->timezone = get_text(&u, a);
	ret->currency = get_text(&u, a);
	ret->version = get_text(&u, a);
	uint64_t holdout = fw_unpack_fixed(&u);
	memcpy(&ret->holdout, &holdout, sizeof holdout);
	int rc = fw_facts_unpack_names(&u, a, &ret->names);
	return rc < 0 || u.failed || u.p != u.end || !isfinite(ret->holdout) ? FW_EINVAL : 0;
}

static int put_sealed(struct fw_buf *out, const unsigned char store_key[FW_SEAL_KEY], const struct fw_seal_key *key, struct fw_str beside,
	struct fw_str plain)
{
	char whose[WHOSE];
	fw_buf_putc(out, key != NULL);
	if (!key)
		return fw_seal(store_key, beside, plain, out);
	fw_key_number(whose, key->hash, 8);
	fw_key_number(whose + 8, key->period, 4);
	int rc = fw_seal(store_key, (struct fw_str){ NULL, 0 }, (struct fw_str){ whose, WHOSE }, out);
	return rc < 0 ? rc : fw_seal(key->bytes, beside, plain, out);
}

/* Ends the entry, or takes it back. */
static int end_sealed(struct fw_buf *out, size_t begun, int rc)
{
	if (rc == 0 && out->failed)
		rc = FW_ENOMEM;
	if (rc == 0)
		fw_log_end(out, begun);
	else
		out->n = begun;
	return rc;
}

int fw_log_put_person(struct fw_buf *out, const unsigned char store_key[FW_SEAL_KEY], const struct fw_seal_key *key, struct fw_str record)
{
	const struct fw_str beside = { "P", 1 };
	size_t begun = fw_log_begin(out, 'P');
	return end_sealed(out, begun, put_sealed(out, store_key, key, beside, record));
}

int fw_log_put_decision(struct fw_buf *out, const struct fw_log_decision *d, const unsigned char store_key[FW_SEAL_KEY],
	const struct fw_seal_key *key, struct fw_str plain)
{
	char head[DECISION_HEAD] = { 'D' };
	size_t begun = fw_log_begin(out, 'D');
	memcpy(head + 1, d->id, FW_LOG_ID);
	write_number(head + 1 + FW_LOG_ID, (uint64_t)d->at_us, 8);
	write_number(head + 1 + FW_LOG_ID + 8, d->set_at, 8);
	write_number(head + 1 + FW_LOG_ID + 16, d->person_at, 8);
	fw_buf_add(out, head + 1, sizeof head - 1);
	return end_sealed(out, begun, put_sealed(out, store_key, key, (struct fw_str){ head, sizeof head }, plain));
}

static int get_sealed(struct fw_str rest, struct fw_str beside, struct fw_log_sealed *ret)
{
	size_t more = 1;
	if (rest.n < 1 || (unsigned char)rest.p[0] > 1)
		return FW_EINVAL;
	*ret = (struct fw_log_sealed){ .is_person = rest.p[0], .beside = beside };
	if (ret->is_person)
		more += WHOSE + FW_SEAL_MORE;
	if (rest.n < more + FW_SEAL_MORE)
		return FW_EINVAL;
	ret->whose = (struct fw_str){ rest.p + 1, more - 1 };
	ret->sealed = (struct fw_str){ rest.p + more, rest.n - more };
	return 0;
}

int fw_log_whose(const struct fw_log_sealed *s, const unsigned char store_key[FW_SEAL_KEY], struct fw_arena *a, uint64_t *ret_hash,
	uint32_t *ret_period)
{
	struct fw_str whose;
	int rc = s->is_person ? fw_unseal(store_key, (struct fw_str){ NULL, 0 }, s->whose, a, &whose) : FW_EINVAL;
	if (rc < 0 || whose.n != WHOSE)
		return rc < 0 ? rc : FW_EINVAL;
	*ret_hash = fw_key_read(whose.p, 8);
	*ret_period = (uint32_t)fw_key_read(whose.p + 8, 4);
	return 0;
}

int fw_log_get_decision(struct fw_str entry, struct fw_log_decision *ret)
{
	if (entry.n < DECISION_HEAD || entry.p[0] != 'D')
		return FW_EINVAL;
	const char *at = entry.p + 1;
	memcpy(ret->id, at, FW_LOG_ID);
	ret->at_us = (int64_t)read_number(at + FW_LOG_ID, 8);
	ret->set_at = read_number(at + FW_LOG_ID + 8, 8);
	ret->person_at = read_number(at + FW_LOG_ID + 16, 8);
	return get_sealed((struct fw_str){ entry.p + DECISION_HEAD, entry.n - DECISION_HEAD }, (struct fw_str){ entry.p, DECISION_HEAD },
		&ret->sealed);
}

int fw_log_get_person(struct fw_str entry, struct fw_log_sealed *ret)
{
	if (entry.n < 1 || entry.p[0] != 'P')
		return FW_EINVAL;
	return get_sealed((struct fw_str){ entry.p + 1, entry.n - 1 }, (struct fw_str){ entry.p, 1 }, ret);
}

int fw_log_reader_init(struct fw_log_reader *r, struct fw_str bytes)
{
	*r = (struct fw_log_reader){ .bytes = bytes, .at = FW_LOG_HEAD };
	bool known = bytes.n >= FW_LOG_HEAD && memcmp(bytes.p, magic, sizeof magic) == 0 &&
		read_number(bytes.p + sizeof magic, 4) == VERSION;
	return known ? 0 : FW_EINVAL;
}

bool fw_log_entry(struct fw_str bytes, uint64_t at, struct fw_str *ret_entry)
{
	if (at > bytes.n || bytes.n - at < FW_LOG_FRAME || memcmp(bytes.p + at, mark, MARK) != 0)
		return false;
	uint64_t n = read_number(bytes.p + at + MARK, 4);
	*ret_entry = (struct fw_str){ bytes.p + at + FW_LOG_FRAME, n };
	return n && n <= ENTRY_MOST && n <= bytes.n - at - FW_LOG_FRAME;
}

/* A whole entry at a place. */
static bool is_at(struct fw_str bytes, uint64_t at, struct fw_str *ret_entry)
{
	return fw_log_entry(bytes, at, ret_entry) &&
		XXH64(ret_entry->p, ret_entry->n, ret_entry->n) == read_number(bytes.p + at + MARK + 4, 8);
}

bool fw_log_next(struct fw_log_reader *r, struct fw_str *ret_entry)
{
	while (r->at < r->bytes.n) {
		if (is_at(r->bytes, r->at, ret_entry)) {
			r->at += FW_LOG_FRAME + ret_entry->n;
			return true;
		}
		const char *begin = r->bytes.p + r->at, *next = memmem(begin + 1, r->bytes.n - r->at - 1, mark, MARK);
		size_t gap = next ? (size_t)(next - begin) : r->bytes.n - r->at;
		r->damaged += fw_log_entry(r->bytes, r->at, ret_entry) && ret_entry->p[0] == 'D';
		r->lost += gap;
		r->at += gap;
	}
	return false;
}

bool fw_log_at(struct fw_str bytes, uint64_t at, char letter, struct fw_str *ret_entry)
{
	return at >= FW_LOG_HEAD && is_at(bytes, at, ret_entry) && ret_entry->p[0] == letter;
}

const char *fw_log_id_text(const unsigned char id[FW_LOG_ID], char *buf)
{
	static const char digits[] = "0123456789abcdef";
	char *at = buf;
	for (unsigned i = 0; i < FW_LOG_ID; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[id[i] >> 4];
		*at++ = digits[id[i] & 15];
	}
	*at = 0;
	return buf;
}

int64_t fw_log_id_us(const unsigned char id[FW_LOG_ID])
{
	int64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id[i];
	return ms * 1000;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool fw_log_id(const char *text, unsigned char ret[FW_LOG_ID])
{
	enum { UUID_TEXT = 36 };
	unsigned n = 0;
	if (strlen(text) != UUID_TEXT)
		return false;
	for (unsigned i = 0; i < UUID_TEXT; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash && text[i] == '-')
			continue;
		int d = dash ? -1 : digit(text[i]);
		if (d < 0)
			return false;
		ret[n / 2] = (unsigned char)(n % 2 ? ret[n / 2] << 4 | d : d);
		n++;
	}
	return true;
}

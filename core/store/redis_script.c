#include "store/redis_script.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/own.h"

/* KEYS: rows, index, outcomes. ARGV: handle, sequence, now, then for each change kind, key, expected version ("": any) and value. */
static const char commit_text[] =
	"local rows, index, outcomes = KEYS[1], KEYS[2], KEYS[3]\n"
	"local handle, sequence = ARGV[1], tonumber(ARGV[2])\n"
#ifndef FW_BREAK_BATCH_ID
	"local last = redis.call('HGET', outcomes, handle)\n"
	"if last then\n"
	"  local number, version = last:match('^(%d+) (%d+)$')\n"
	"  if tonumber(number) == sequence then\n"
	"    redis.call('HSET', outcomes, handle, last)\n" /* for a WAIT on another connection than the first time */
	"    return version\n"
	"  elseif tonumber(number) > sequence then\n"
	"    return 'late'\n"
	"  end\n"
	"end\n"
#else
	"local last = true\n"
#endif
	"local keys, number = {}, 0\n"
	"for i = 5, #ARGV, 4 do keys[#keys + 1] = ARGV[i] end\n"
	"local there = redis.call('HMGET', rows, unpack(keys))\n"
	"local put, add, gone, text = {}, {}, {}, {}\n"
	"local highest = tonumber(redis.call('HGET', outcomes, 'v') or '0')\n"
	"local version = math.max(highest + 1, tonumber(ARGV[3]))\n"
	"for k = 1, #keys do\n"
	"  local i = k * 4\n"
	"  local kind, key, expected, value = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]\n"
	"  local now = there[k] and there[k]:sub(1, 8) or '\\0\\0\\0\\0\\0\\0\\0\\0'\n"
	"  if expected ~= '' and expected ~= now then return 'conflict' end\n"
	"  if kind == 'c' then\n"
	"    if there[k] and #there[k] == 16 then number = struct.unpack('>I8', there[k], 9) end\n"
	"    number = math.max(number, version)\n"
	"    local last = number\n"
	"    for m = 4, #ARGV, 4 do if ARGV[m] == 'a' then last = last + 1 end end\n"
	"    kind, value = 'p', struct.pack('>I8', last)\n"
	"  elseif kind == 'a' then\n"
	"    number = number + 1\n"
	"    kind, key = 'p', key .. struct.pack('>I8', number)\n"
	"    there[k] = false\n"
	"  end\n"
	"  if kind == 'p' then\n"
	"    put[#put + 1] = key\n"
	"    put[#put + 1] = value\n"
	"    if not there[k] and key:byte(1) ~= 255 then\n"
	"      add[#add + 1] = 0\n"
	"      add[#add + 1] = key\n"
	"    end\n"
	"  elseif kind == 'd' and there[k] then\n"
	"    gone[#gone + 1] = key\n"
	"  end\n"
	"  if kind ~= 'e' then text[#text + 1] = kind .. struct.pack('>I2', #key) .. key end\n"
	"end\n"
	"if #text == 0 then return string.format('%.0f', highest) end\n"
	"local packed, written = struct.pack('>I8', version), string.format('%.0f', version)\n"
	"if not last and redis.call('HLEN', outcomes) > 64 then\n"
	"  local all = redis.call('HGETALL', outcomes)\n"
	"  for i = 1, #all, 2 do\n"
	"    local at = all[i] ~= 'v' and tonumber(all[i + 1]:match(' (%d+)$')) or version\n"
	"    if at < version - 3600000000 then redis.call('HDEL', outcomes, all[i]) end\n"
	"  end\n"
	"end\n"
	"redis.call('HSET', outcomes, 'v', written, handle, ARGV[2] .. ' ' .. written)\n"
	"for i = 2, #put, 2 do put[i] = packed .. put[i] end\n"
	"if #put > 0 then redis.call('HSET', rows, unpack(put)) end\n"
	"if #add > 0 then redis.call('ZADD', index, unpack(add)) end\n"
	"if #gone > 0 then\n"
	"  redis.call('HDEL', rows, unpack(gone))\n"
	"  redis.call('ZREM', index, unpack(gone))\n"
	"end\n"
	"redis.pcall('SPUBLISH', rows, packed .. table.concat(text))\n"
	"return written\n";

/* KEYS: rows, index. ARGV: the ends of the range, the most rows, the most bytes. Answers whether there are more, then keys and values. */
static const char scan_text[] =
	"local most, left = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
	"local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, most + 1)\n"
	"local out, i, n = { 0 }, 1, math.min(#keys, most)\n"
	"while i <= n and left > 0 do\n"
	"  local till = math.min(i + 15, n)\n"
	"  local values = redis.call('HMGET', KEYS[1], unpack(keys, i, till))\n"
	"  for k = i, till do\n"
	"    local value = values[k - i + 1]\n"
	"    if value then\n"
	"      out[#out + 1] = keys[k]\n"
	"      out[#out + 1] = value\n"
	"      left = left - #value\n"
	"    end\n"
	"  end\n"
	"  i = till + 1\n"
	"end\n"
	"if i <= #keys then out[1] = 1 end\n"
	"return out\n";

const char *fw_redis_script_text(enum fw_redis_script_name name)
{
	return name == FW_REDIS_SCRIPT_COMMIT ? commit_text : scan_text;
}

int fw_redis_scripts_init(struct fw_redis_scripts *scripts)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;
	for (unsigned i = 0; i < FW_REDIS_SCRIPTS; i++) {
		const char *text = fw_redis_script_text((enum fw_redis_script_name)i);
		if (EVP_Digest(text, strlen(text), digest, &n, EVP_sha1(), NULL) != 1 || n != 20)
			return FW_EIO;
		for (unsigned k = 0; k < n; k++)
			snprintf(scripts->sha[i] + 2 * k, 3, "%02x", digest[k]);
	}
	return 0;
}

/* --- commands */

/* The texts of a bucket's keys. */
struct keys {
	char rows[24], index[24], outcomes[24];
};

static void make_keys(struct keys *k, uint32_t tag)
{
	snprintf(k->rows, sizeof k->rows, "fw:{%" PRIu32 "}", tag);
	snprintf(k->index, sizeof k->index, "fw:{%" PRIu32 "}:i", tag);
	snprintf(k->outcomes, sizeof k->outcomes, "fw:{%" PRIu32 "}:o", tag);
}

static int format(char **ret, int n, const char **words, const size_t *lengths)
{
	int length = redisFormatCommandArgv(ret, n, words, lengths);
	return length < 0 ? FW_ENOMEM : length;
}

int fw_redis_command_get(char **ret, uint32_t tag, struct fw_str key)
{
	struct keys keys;
	make_keys(&keys, tag);
	return format(ret, 3, (const char *[]){ "HGET", keys.rows, key.p }, (size_t[]){ 4, strlen(keys.rows), key.n });
}

/* Where keys with the prefix end, for ZRANGEBYLEX: before the least text that is behind them all. */
static void write_end(struct fw_str prefix, char *ret, size_t *ret_n)
{
	size_t n = prefix.n;
	while (n > 0 && (unsigned char)prefix.p[n - 1] == 0xff)
		n--;
	ret[0] = n ? '(' : '+';
	if (n) {
		memcpy(ret + 1, prefix.p, n);
		ret[n] = (char)((unsigned char)ret[n] + 1);
	}
	*ret_n = n + 1;
}

int fw_redis_command_scan(char **ret, const struct fw_redis_scripts *scripts, uint32_t tag, struct fw_str prefix, struct fw_str after,
	size_t limit)
{
	char begin[FW_LIMIT_STORE_KEY_BYTES + 1], end[FW_LIMIT_STORE_KEY_BYTES + 1], most[24], bytes[24];
	struct keys keys;
	size_t end_n;
	make_keys(&keys, tag);
	if (prefix.n >= sizeof end || after.n >= sizeof begin)
		prefix = after = (struct fw_str){ "\xff", 1 }; /* no key is so long */
	bool behind = after.n > 0 && (prefix.n == 0 || fw_str_compare(after, prefix) >= 0);
	struct fw_str from = behind ? after : prefix;
	begin[0] = behind ? '(' : '[';
	if (from.n)
		memcpy(begin + 1, from.p, from.n);
	write_end(prefix, end, &end_n);
	snprintf(most, sizeof most, "%zu", limit);
	snprintf(bytes, sizeof bytes, "%d", FW_LIMIT_STORE_SCAN_BYTES);
	return format(ret, 9,
		(const char *[]){ "EVALSHA", scripts->sha[FW_REDIS_SCRIPT_SCAN], "2", keys.rows, keys.index, begin, end, most, bytes },
		(size_t[]){ 7, 40, 1, strlen(keys.rows), strlen(keys.index), from.n + 1, end_n, strlen(most), strlen(bytes) });
}

static void put_version(char *to, uint64_t version)
{
	for (int i = 0; i < 8; i++)
		to[i] = (char)(version >> (56 - 8 * i));
}

static uint64_t get_version(const char *from)
{
	uint64_t version = 0;
	for (int i = 0; i < 8; i++)
		version = version << 8 | (unsigned char)from[i];
	return version;
}

enum { HEAD_WORDS = 9 };

int fw_redis_command_commit(char **ret, const struct fw_redis_scripts *scripts, uint32_t tag, uint64_t handle, uint64_t sequence,
	int64_t now_us, const struct fw_batch *batch)
{
	static const char *const kinds[] = { [FW_CHANGE_PUT] = "p", [FW_CHANGE_DELETE] = "d", [FW_CHANGE_EXPECT] = "e",
		[FW_CHANGE_COUNT] = "c", [FW_CHANGE_APPEND] = "a" };
	size_t n = HEAD_WORDS + 4 * (size_t)batch->n;
	char own[8], order[24], now[24];
	struct keys keys;
	make_keys(&keys, tag);
	put_version(own, handle);
	snprintf(order, sizeof order, "%" PRIu64, sequence);
	snprintf(now, sizeof now, "%" PRId64, now_us);
	const char **words = malloc(n * sizeof *words);
	size_t *lengths = malloc(n * sizeof *lengths);
	char (*expected)[8] = malloc(batch->n * sizeof *expected);
	int rc = FW_ENOMEM;
	if (words && lengths && expected) {
		const char *const head[HEAD_WORDS] = { "EVALSHA", scripts->sha[FW_REDIS_SCRIPT_COMMIT], "3", keys.rows, keys.index,
			keys.outcomes, own, order, now };
		for (size_t i = 0; i < HEAD_WORDS; i++) {
			words[i] = head[i];
			lengths[i] = head[i] == own ? sizeof own : strlen(head[i]);
		}
		for (unsigned i = 0; i < batch->n; i++) {
			const struct fw_change *c = &batch->changes[i];
			bool put = c->kind == FW_CHANGE_PUT || c->kind == FW_CHANGE_APPEND, any = c->expected == FW_VERSION_ANY;
			size_t at = HEAD_WORDS + 4 * (size_t)i;
			put_version(expected[i], c->expected);
			const struct fw_str four[] = { fw_str(kinds[c->kind]), c->key, { expected[i], any ? 0 : 8 },
				put && c->value.n ? c->value : (struct fw_str){ "", 0 } };
			for (size_t k = 0; k < 4; k++) {
				words[at + k] = four[k].p;
				lengths[at + k] = four[k].n;
			}
		}
		rc = format(ret, (int)n, words, lengths);
	}
	free(expected);
	free(lengths);
	free(words);
	return rc;
}

/* --- replies */

static int read_value(const redisReply *reply, struct fw_str key, struct fw_arena *a, struct fw_row *ret)
{
	if (reply->type != REDIS_REPLY_STRING || reply->len < 8)
		return FW_EIO;
	size_t n = (size_t)reply->len - 8;
	char *value = fw_arena_strndup(a, reply->str + 8, n);
	*ret = (struct fw_row){ .key = key, .value = { value, n }, .version = get_version(reply->str) };
	return value ? 0 : FW_ENOMEM;
}

int fw_redis_read_row(const redisReply *reply, struct fw_str key, struct fw_arena *a, struct fw_row *ret)
{
	*ret = (struct fw_row){ .key = key };
	return reply->type == REDIS_REPLY_NIL ? 0 : read_value(reply, key, a, ret);
}

int fw_redis_read_rows(const redisReply *reply, struct fw_arena *a, struct fw_row **ret, size_t *ret_n, bool *ret_more)
{
	*ret_n = 0;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 1 || reply->element[0]->type != REDIS_REPLY_INTEGER)
		return FW_EIO;
	size_t n = reply->elements / 2;
	*ret_more = reply->element[0]->integer != 0;
	if (!(*ret = FW_NEW_ARRAY(a, n + 1, struct fw_row)))
		return FW_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const redisReply *key = reply->element[1 + 2 * i];
		if (key->type != REDIS_REPLY_STRING)
			return FW_EIO;
		char *copy = fw_arena_strndup(a, key->str, (size_t)key->len);
		int rc = copy ? read_value(reply->element[2 + 2 * i], (struct fw_str){ copy, (size_t)key->len }, a, &(*ret)[i]) : FW_ENOMEM;
		if (rc < 0)
			return rc;
	}
	*ret_n = n;
	return 0;
}

int fw_redis_read_outcome(const redisReply *reply, uint64_t *ret_version)
{
	char *end;
	*ret_version = 0;
	if (reply->type != REDIS_REPLY_STRING)
		return FW_EIO;
	/* "late": it was given up long ago, and nobody listens. */
	if (strcmp(reply->str, "conflict") == 0 || strcmp(reply->str, "late") == 0)
		return FW_ECONFLICT;
	*ret_version = strtoull(reply->str, &end, 10);
	return end == reply->str || *end ? FW_EIO : 0;
}

void fw_redis_read_notice(struct fw_str text, void (*row)(void *ctx, struct fw_str key, uint64_t version), void *ctx)
{
	if (text.n < 8)
		return;
	uint64_t version = get_version(text.p);
	for (size_t at = 8; at + 3 <= text.n;) {
		size_t n = (size_t)(unsigned char)text.p[at + 1] << 8 | (unsigned char)text.p[at + 2];
		bool put = text.p[at] == 'p';
		if (n > text.n - at - 3)
			return;
		row(ctx, (struct fw_str){ text.p + at + 3, n }, put ? version : FW_VERSION_NONE);
		at += 3 + n;
	}
}

#include "token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAC_BYTES = 16,
	PAYLOAD_BYTES = COMMON_ID_BYTES + 1 + 1 + 16 + 1 + EMAIL_TARGET_BYTES,
	TOKEN_BYTES = (MAC_BYTES + PAYLOAD_BYTES + 2) / 3 * 4,
};

static const struct common_mark tags = { .before = "", .after = ".b", .between = '-', .mac_bytes = 10 };
_Static_assert(EMAIL_TAG_BYTES == COMMON_ID_BYTES + 1 + 2 * 10, "a tag has its room");

/* base64url without padding, RFC 4648 §5. */
static void add_base64url(struct email_text *ret, const unsigned char *p, size_t n)
{
	unsigned char text[TOKEN_BYTES + 1];
	size_t m = (size_t)EVP_EncodeBlock(text, p, (int)n);
	while (m > 0 && text[m - 1] == '=')
		m--;
	for (size_t i = 0; i < m; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	email_add(ret, text, m);
}

/* How many bytes it was, or -1. */
static int read_base64url(const char *p, size_t n, unsigned char ret[TOKEN_BYTES / 4 * 3])
{
	unsigned char text[TOKEN_BYTES];
	size_t pad = (4 - n % 4) % 4;
	if (n == 0 || n + pad > sizeof text || pad == 3)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return -1;
		text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	memset(text + n, '=', pad);
	int m = EVP_DecodeBlock(ret, text, (int)(n + pad));
	return m < 0 ? -1 : m - (int)pad;
}

int email_token_add(const struct fw_host *host, const char *id, char what, int64_t at_s, const char *target, struct email_text *ret)
{
	unsigned char bytes[MAC_BYTES + PAYLOAD_BYTES + 1], mac[32];
	char *payload = (char *)bytes + MAC_BYTES;
	int n = snprintf(payload, PAYLOAD_BYTES + 1, "%s.%c%llx.%s", id, what, (unsigned long long)at_s, target ? target : "");
	if (host->sign(host, (struct fw_plugin_text){ payload, (size_t)n }, mac) < 0)
		return COMMON_UNKNOWN_YET;
	memcpy(bytes, mac, MAC_BYTES);
	add_base64url(ret, bytes, MAC_BYTES + (size_t)n);
	return 0;
}

int email_token_read(const struct fw_host *host, const char *text, size_t n, char what, struct email_token *ret)
{
	unsigned char bytes[TOKEN_BYTES / 4 * 3 + 1], mac[32];
	int m = n <= TOKEN_BYTES ? read_base64url(text, n, bytes) : -1;
	if (m <= MAC_BYTES)
		return COMMON_FORGED;
	char *payload = (char *)bytes + MAC_BYTES, *end;
	size_t length = (size_t)m - MAC_BYTES;
	payload[length] = '\0';
	if (host->sign(host, (struct fw_plugin_text){ payload, length }, mac) < 0)
		return COMMON_UNKNOWN_YET;
	if (CRYPTO_memcmp(mac, bytes, MAC_BYTES) != 0 || strlen(payload) != length)
		return COMMON_FORGED;
	char *dot = strchr(payload, '.');
	if (!dot || !common_id_is_fit(payload, (size_t)(dot - payload)) || dot[1] != what)
		return COMMON_FORGED;
	int64_t at = (int64_t)strtoull(dot + 2, &end, 16);
	if (*end != '.' || strlen(end + 1) > EMAIL_TARGET_BYTES)
		return COMMON_FORGED;
	ret->at_s = at;
	snprintf(ret->id, sizeof ret->id, "%.*s", (int)(dot - payload), payload);
	memcpy(ret->target, end + 1, strlen(end + 1) + 1);
	return COMMON_SIGNED;
}

int email_tag_make(const struct fw_host *host, const char *id, char ret[EMAIL_TAG_BYTES + 1])
{
	return common_mark_make(&tags, host, id, ret);
}

int email_tag_read(const struct fw_host *host, const char *text, char ret_id[COMMON_ID_BYTES + 1])
{
	return common_mark_read(&tags, host, text, strlen(text), ret_id);
}

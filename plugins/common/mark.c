#include "mark.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

bool common_id_is_fit(const char *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(id[i] >= 'a' && id[i] <= 'z') && !(id[i] >= '0' && id[i] <= '9'))
			return false;
	return n > 0 && n <= COMMON_ID_BYTES;
}

int common_mark_make(const struct common_mark *kind, const struct fw_host *host, const char *id, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	char what[COMMON_MARK_SIGNED_BYTES + 1];
	unsigned char mac[32];
	int n = snprintf(what, sizeof what, "%s%.*s%s", kind->before, COMMON_ID_BYTES, id, kind->after);
	if (host->sign(host, (struct fw_plugin_text){ what, (size_t)n }, mac) < 0)
		return COMMON_UNKNOWN_YET;
	char *at = ret + snprintf(ret, COMMON_ID_BYTES + 2, "%.*s%c", COMMON_ID_BYTES, id, kind->between);
	for (unsigned i = 0; i < kind->mac_bytes; i++) {
		*at++ = digits[mac[i] >> 4];
		*at++ = digits[mac[i] & 15];
	}
	*at = '\0';
	return 0;
}

int common_mark_read(const struct common_mark *kind, const struct fw_host *host, const char *mark, size_t n,
	char ret_id[COMMON_ID_BYTES + 1])
{
	char id[COMMON_ID_BYTES + 1], right[COMMON_MARK_BYTES + 1];
	const char *between = n ? memchr(mark, kind->between, n) : NULL;
	size_t n_id = between ? (size_t)(between - mark) : 0;
	if (!between || !common_id_is_fit(mark, n_id) || n != n_id + 1 + 2 * kind->mac_bytes)
		return COMMON_FORGED;
	memcpy(id, mark, n_id);
	id[n_id] = '\0';
	if (common_mark_make(kind, host, id, right) < 0)
		return COMMON_UNKNOWN_YET;
	if (CRYPTO_memcmp(mark, right, n) != 0)
		return COMMON_FORGED;
	memcpy(ret_id, id, n_id + 1);
	return COMMON_SIGNED;
}

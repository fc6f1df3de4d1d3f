/* Signatures: ours in the addresses that reports come to, and Twilio's on what it asks. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "sms.h"

enum { MAC_KEPT = 16 }; /* bytes of the MAC in a token: more than can be guessed */

static int mac_of(const struct fw_host *host, const char *id, char ret_hex[2 * MAC_KEPT + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[32];
	char what[sizeof "report " + SMS_ID_MOST];
	struct sms_out out = sms_out(what, sizeof what);
	sms_put(&out, "report ");
	sms_put(&out, id);
	if (out.full || host->sign(host, (struct fw_plugin_text){ what, out.n }, mac) < 0)
		return -1;
	for (unsigned i = 0; i < MAC_KEPT; i++) {
		ret_hex[2 * i] = digits[mac[i] >> 4];
		ret_hex[2 * i + 1] = digits[mac[i] & 15];
	}
	ret_hex[2 * MAC_KEPT] = '\0';
	return 0;
}

int sms_token_make(const struct fw_host *host, const char *id, char ret_token[SMS_TOKEN])
{
	char mac[2 * MAC_KEPT + 1];
	struct sms_out out = sms_out(ret_token, SMS_TOKEN);
	if (mac_of(host, id, mac) < 0)
		return -1;
	sms_put(&out, id);
	sms_put(&out, ".");
	sms_put(&out, mac);
	return out.full ? -1 : 0;
}

int sms_token_read(const struct fw_host *host, struct fw_plugin_text token, char ret_id[SMS_ID_MOST + 1])
{
	char mac[2 * MAC_KEPT + 1];
	const char *dot = token.n ? memchr(token.p, '.', token.n) : NULL;
	size_t n = dot ? (size_t)(dot - token.p) : 0;
	if (n == 0 || n > SMS_ID_MOST || token.n != n + 1 + 2 * MAC_KEPT)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!((token.p[i] >= 'a' && token.p[i] <= 'z') || (token.p[i] >= '0' && token.p[i] <= '9')))
			return 0;
	memcpy(ret_id, token.p, n);
	ret_id[n] = '\0';
	if (mac_of(host, ret_id, mac) < 0)
		return -1;
	return CRYPTO_memcmp(mac, dot + 1, 2 * MAC_KEPT) == 0;
}

static int compare_bytes(const char *a, size_t n_a, const char *b, size_t n_b)
{
	int order = memcmp(a, b, n_a < n_b ? n_a : n_b);
	return order ? order : (n_a > n_b) - (n_a < n_b);
}

static int compare(const void *a, const void *b)
{
	const struct sms_field *x = a, *y = b;
	int order = compare_bytes(x->name, x->n_name, y->name, y->n_name);
	return order ? order : compare_bytes(x->value, x->n_value, y->value, y->n_value);
}

int sms_twilio_signature(const char *token, const char *url, const struct sms_form *form, char ret[32])
{
	struct sms_form sorted = *form;
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n_mac = 0;
	size_t room = strlen(url) + 1;
	for (unsigned i = 0; i < form->n; i++)
		room += form->fields[i].n_name + form->fields[i].n_value;
	char *text = malloc(room);
	if (!text)
		return -1;
	struct sms_out out = sms_out(text, room);
	qsort(sorted.fields, sorted.n, sizeof *sorted.fields, compare);
	sms_put(&out, url);
	for (unsigned i = 0; i < sorted.n; i++) {
		if (i > 0 && compare(&sorted.fields[i - 1], &sorted.fields[i]) == 0)
			continue; /* what is said twice counts once */
		sms_put_n(&out, sorted.fields[i].name, sorted.fields[i].n_name);
		sms_put_n(&out, sorted.fields[i].value, sorted.fields[i].n_value);
	}
	const unsigned char *done = HMAC(EVP_sha1(), token, (int)strlen(token), (const unsigned char *)text, out.n, mac, &n_mac);
	free(text);
	if (!done)
		return -1;
	EVP_EncodeBlock((unsigned char *)ret, mac, (int)n_mac);
	return 0;
}

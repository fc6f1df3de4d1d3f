/* Signatures: ours in the addresses that reports come to, and Twilio's on what it asks. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "sms.h"

const struct common_mark sms_report_token = { .before = "report ", .after = "", .between = '.', .mac_bytes = 16 };

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

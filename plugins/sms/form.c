#include "form.h"

#include <string.h>

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place, which never grows; terminated where the text ended, so the byte there must be one to spare. */
static bool decode(char *text, size_t n, size_t *ret_n)
{
	size_t written = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i] == '+' ? ' ' : text[i];
		if (c == '%') {
			int high = i + 2 < n ? hex(text[i + 1]) : -1, low = i + 2 < n ? hex(text[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		text[written++] = c;
	}
	text[written] = '\0';
	*ret_n = written;
	return true;
}

bool sms_form_parse(char *text, size_t n, struct sms_form *ret)
{
	ret->n = 0;
	for (size_t at = 0; at < n;) {
		char *pair = text + at, *and = memchr(pair, '&', n - at);
		size_t length = and ? (size_t)(and - pair) : n - at;
		char *equals = memchr(pair, '=', length);
		size_t name = equals ? (size_t)(equals - pair) : length;
		at += length + 1;
		if (length == 0)
			continue;
		if (ret->n == SMS_FIELDS_MOST)
			return false;
		struct sms_field *f = &ret->fields[ret->n++];
		*f = (struct sms_field){ .name = pair, .value = equals ? equals + 1 : pair + length };
		if (equals && !decode(equals + 1, length - name - 1, &f->n_value))
			return false;
		if (!decode(pair, name, &f->n_name))
			return false;
		if (!equals)
			f->value = pair + f->n_name;
	}
	return true;
}

const struct sms_field *sms_form_get(const struct sms_form *form, const char *name)
{
	for (unsigned i = 0; i < form->n; i++)
		if (form->fields[i].n_name == strlen(name) && memcmp(form->fields[i].name, name, strlen(name)) == 0)
			return &form->fields[i];
	return NULL;
}

struct sms_out sms_out(char *buffer, size_t room)
{
	buffer[0] = '\0';
	return (struct sms_out){ .p = buffer, .room = room };
}

void sms_put_n(struct sms_out *out, const char *text, size_t n)
{
	if (out->full || n >= out->room - out->n) {
		out->full = true;
		return;
	}
	if (n)
		memcpy(out->p + out->n, text, n);
	out->n += n;
	out->p[out->n] = '\0';
}

void sms_put(struct sms_out *out, const char *text)
{
	sms_put_n(out, text, strlen(text));
}

void sms_put_escaped(struct sms_out *out, const char *text, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		char low = (char)(c | 0x20), escape[3] = { '%', digits[c >> 4], digits[c & 15] };
		bool plain = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z' && c < 0x80) || (c && strchr("-._~", c));
		sms_put_n(out, plain ? text + i : escape, plain ? 1 : 3);
	}
}

void sms_put_field(struct sms_out *out, const char *name, const char *value, size_t n)
{
	sms_put(out, out->n ? "&" : "");
	sms_put(out, name);
	sms_put(out, "=");
	sms_put_escaped(out, value, n);
}

/* application/x-www-form-urlencoded, read and written (WHATWG URL, 5). */
#ifndef SMS_FORM_H
#define SMS_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { SMS_FIELDS_MOST = 128 };

struct sms_field {
	const char *name, *value; /* terminated; a value may hold a NUL of its own */
	size_t n_name, n_value;
};

struct sms_form {
	struct sms_field fields[SMS_FIELDS_MOST];
	unsigned n;
};

/* Takes a body apart, in place: `text` has n bytes and room for one more, and must live as long as the form. False: an escape that is
 * none, or more fields than SMS_FIELDS_MOST. */
bool sms_form_parse(char *text, size_t n, struct sms_form *ret);

/* The first field of that name, or NULL. */
const struct sms_field *sms_form_get(const struct sms_form *form, const char *name);

/* Text that grows in a buffer of the caller's, terminated always; what does not fit sets `full` and changes nothing. */
struct sms_out {
	char *p;
	size_t room, n;
	bool full;
};

struct sms_out sms_out(char *buffer, size_t room);
void sms_put(struct sms_out *out, const char *text);
void sms_put_n(struct sms_out *out, const char *text, size_t n);
/* With every byte but letters, digits, "-", ".", "_" and "~" as "%XX". */
void sms_put_escaped(struct sms_out *out, const char *text, size_t n);
/* One field more: "&name=value". */
void sms_put_field(struct sms_out *out, const char *name, const char *value, size_t n);

#endif

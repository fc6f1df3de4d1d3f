/* A form that a gateway posts: its fields lie in it, are terminated, and are the same when they are written and read once more. The same
 * bytes are read as JSON, too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/sms/form.h"
#include "common/escape.h"
#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool is_same(const struct sms_field *a, const struct sms_field *b)
{
	return a->n_name == b->n_name && a->n_value == b->n_value && memcmp(a->name, b->name, a->n_name) == 0 &&
		memcmp(a->value, b->value, a->n_value) == 0;
}

static void check_again(const struct sms_form *form, size_t n)
{
	size_t room = 3 * n + 2 * SMS_FIELDS_MOST + 1;
	char *text = malloc(room);
	struct sms_form *again = malloc(sizeof *again);
	if (!text || !again)
		abort();
	struct sms_out out = sms_out(text, room);
	for (unsigned i = 0; i < form->n; i++) {
		sms_put(&out, out.n ? "&" : "");
		sms_put_escaped(&out, form->fields[i].name, form->fields[i].n_name);
		sms_put(&out, "=");
		sms_put_escaped(&out, form->fields[i].value, form->fields[i].n_value);
	}
	if (out.full || !sms_form_parse(text, out.n, again) || again->n != form->n)
		abort();
	for (unsigned i = 0; i < form->n; i++)
		if (!is_same(&form->fields[i], &again->fields[i]))
			abort();
	free(text);
	free(again);
}

static void check_json(const char *json, size_t n)
{
	static const struct common_json_path paths[] = { { { "code" } }, { { "content", "text" } } };
	char out[64], plain[64];
	size_t length;
	for (unsigned i = 0; i < 2; i++)
		if (common_json_get(json, n, paths[i], out, sizeof out, &length) && (length >= sizeof out || out[length] != '\0'))
			abort();
	common_json_plain(json, n, plain, sizeof plain);
	for (const char *p = plain; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sms_form *form = malloc(sizeof *form);
	char *text = malloc(n + 1);
	if (!form || !text)
		abort();
	if (n)
		memcpy(text, data, n);
	if (sms_form_parse(text, n, form)) {
		for (unsigned i = 0; i < form->n; i++) {
			const struct sms_field *f = &form->fields[i];
			if (f->name < text || f->value < text || f->name + f->n_name > text + n || f->value + f->n_value > text + n)
				abort();
			if (f->name[f->n_name] != '\0' || f->value[f->n_value] != '\0')
				abort();
		}
		check_again(form, n);
	}
	check_json((const char *)data, n);
	free(text);
	free(form);
	return 0;
}

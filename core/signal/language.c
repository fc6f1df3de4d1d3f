#include "signal/language.h"

#include "fact/catalogue.h"

bool fw_language_of_locale(struct fw_str s, char out[FW_LANGUAGE_TEXT])
{
	size_t n = 0, part = 0; /* part: where the subtag in hand begins */
	s = fw_str_trim(s);
	while (n < s.n && s.p[n] != '.' && s.p[n] != '@')
		n++;
	if (n == 0 || n >= FW_LANGUAGE_TEXT)
		return false;
	for (size_t i = 0; i <= n; i++) {
		out[i] = i == n ? '\0' : s.p[i] == '_' ? '-' : fw_fold_char(s.p[i]);
		if (i < n && out[i] != '-')
			continue;
		/* A script is written "Hant", a country "CA". */
		size_t length = i - part, upper = part == 0 ? 0 : length == 4 ? 1 : length == 2 ? 2 : 0;
		for (size_t j = part; j < part + upper; j++)
			if (out[j] >= 'a' && out[j] <= 'z')
				out[j] = (char)(out[j] - 'a' + 'A');
		part = i + 1;
	}
	return fw_fact_info(FW_FACT_LANGUAGE)->fits((struct fw_str){ out, n });
}

/* A quality in thousandths: "0.8"; -1 when it is none. */
static int read_quality(struct fw_str s)
{
	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
		return -1;
	int q = (s.p[0] - '0') * 1000, unit = 100;
	for (size_t i = 2; i < s.n; i++, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		q += (s.p[i] - '0') * unit;
	}
	return q <= 1000 ? q : -1;
}

static struct fw_str take(struct fw_str *s, char separator)
{
	const char *at = memchr(s->p, separator, s->n);
	size_t n = at ? (size_t)(at - s->p) : s->n, skip = n + (at != NULL);
	struct fw_str part = { s->p, n };
	*s = (struct fw_str){ s->p + skip, s->n - skip };
	return fw_str_trim(part);
}

bool fw_language_of_header(struct fw_str header, char out[FW_LANGUAGE_TEXT])
{
	int best = 0;
	while (header.n > 0) {
		struct fw_str item = take(&header, ',');
		if (item.n == 0)
			continue;
		struct fw_str range = take(&item, ';');
		int q = 1000;
		while (item.n > 0) {
			struct fw_str param = take(&item, ';');
			if (param.n > 2 && fw_fold_char(param.p[0]) == 'q' && param.p[1] == '=')
				q = read_quality((struct fw_str){ param.p + 2, param.n - 2 });
		}
		char language[FW_LANGUAGE_TEXT];
		if (q > best && fw_language_of_locale(range, language)) {
			best = q;
			memcpy(out, language, sizeof language);
		}
	}
	return best > 0;
}

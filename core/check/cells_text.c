#include "check/domain.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

static bool is_pattern(enum fw_op op)
{
	return op == FW_OP_STARTS || op == FW_OP_ENDS || op == FW_OP_CONTAINS;
}

static int add_text(struct fw_domain *d, struct fw_dim *dim, struct fw_str text)
{
	char folded[FW_LIMIT_CHECK_TEXT_BYTES];
	if (text.n <= sizeof folded) {
		fw_fold(text, folded);
		if (fw_map_get(&dim->values, (struct fw_str){ folded, text.n }) != FW_MAP_NONE)
			return 0;
	}
	struct fw_cell *c = fw_domain_cell(d, dim);
	if (!c || fw_value_text(d->arena, text, &c->value) < 0 || fw_map_put(&dim->values, c->value.folded, dim->n - 1) < 0)
		return FW_ENOMEM;
	c->shown = true;
	return 0;
}

static bool pattern_matches(const struct fw_literal *p, struct fw_str folded)
{
	struct fw_str w = p->texts[0];
	if (folded.n < w.n)
		return false;
	switch (p->op) {
	case FW_OP_STARTS: return memcmp(folded.p, w.p, w.n) == 0;
	case FW_OP_ENDS: return memcmp(folded.p + folded.n - w.n, w.p, w.n) == 0;
	default: return memmem(folded.p, folded.n, w.p, w.n) != NULL;
	}
}

static uint32_t matches_of(const struct fw_domain *d, const struct fw_dim *dim, struct fw_str folded)
{
	uint32_t m = 0;
	for (uint32_t i = 0; i < dim->n_patterns; i++)
		m |= (uint32_t)pattern_matches(&d->set->literals[dim->patterns[i]], folded) << i;
	return m;
}

/* A text that a visitor may be given: of the fact's form, and none of those named. */
static bool fits(const struct fw_domain *d, const struct fw_dim *dim, const struct fw_value *v)
{
	char message[512], hint[256];
	double number;
	enum fw_fact fact = d->set->refs[dim->subject].fact;
	if (fw_map_get(&dim->values, v->folded) != FW_MAP_NONE || fw_number_parse(v->text, &number))
		return false;
	return fact >= FW_FACT_SINGLE || !fw_fact_refuse(fact, v->text, message, sizeof message, hint, sizeof hint);
}

/* Values worth trying first, which people know. */
static const char *const *known_texts(enum fw_fact fact)
{
	static const char *const countries[] = { "US", "DE", "GB", "FR", "JP", "BR", "AU", "IN", "ZA", "MX", "KR", "EG", NULL };
	static const char *const regions[] = { "US-WY", "CA-ON", "DE-BY", "FR-IDF", "GB-SCT", "AU-NSW", "BR-SP", NULL };
	static const char *const zones[] = { "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "Africa/Cairo", NULL };
	static const char *const languages[] = { "en", "de", "fr", "es", "ja", "pt", "it", "ko", "tr", "pl", NULL };
	static const char *const paths[] = { "/other", NULL }, *const texts[] = { "other", NULL };
	switch (fact) {
	case FW_FACT_COUNTRY: return countries;
	case FW_FACT_REGION: return regions;
	case FW_FACT_TIMEZONE: return zones;
	case FW_FACT_LANGUAGE: return languages;
	case FW_FACT_PAGE: case FW_FACT_LANDING: return paths;
	default: return texts;
	}
}

/* The i-th text worth trying for "some other", or NULL: no more. */
static const char *other_text(enum fw_fact fact, uint32_t i, char *buf, size_t size)
{
	const char *const *known = known_texts(fact);
	uint32_t n = 0;
	while (known[n])
		n++;
	if (i < n)
		return known[i];
	i -= n;
	if (fact == FW_FACT_TIMEZONE || i >= 26 * 26)
		return NULL;
	char first = (char)('A' + i / 26), second = (char)('A' + i % 26);
	if (fact == FW_FACT_COUNTRY || fact == FW_FACT_LANGUAGE)
		snprintf(buf, size, "%c%c", first, second);
	else
		snprintf(buf, size, "%s-%c%c", fact == FW_FACT_REGION ? "US" : known[0], first, second);
	return buf;
}

bool fw_cells_other(struct fw_domain *d, const struct fw_dim *dim, struct fw_value *ret)
{
	char buf[32];
	enum fw_fact fact = d->set->refs[dim->subject].fact;
	const char *text;
	for (uint32_t i = 0; (text = other_text(fact, i, buf, sizeof buf)); i++) {
		struct fw_value v;
		if (fw_value_text(d->arena, fw_str(text), &v) < 0)
			return false;
		if (fits(d, dim, &v) && matches_of(d, dim, v.folded) == 0) {
			*ret = v;
			return true;
		}
	}
	return false;
}

/* The different patterns that are asked for; more than are told apart: FW_LIMIT_CHECK_PATTERNS + 1. */
static int gather_patterns(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked, uint32_t *ret_n)
{
	uint32_t *patterns = FW_NEW_ARRAY(d->arena, FW_LIMIT_CHECK_PATTERNS, uint32_t), n = 0;
	if (!patterns)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < asked->n && n <= FW_LIMIT_CHECK_PATTERNS; i++) {
		const struct fw_literal *l = &d->set->literals[asked->literals[i]];
		bool known = !is_pattern(l->op);
		for (uint32_t k = 0; k < n && !known; k++) {
			const struct fw_literal *p = &d->set->literals[patterns[k]];
			known = p->op == l->op && fw_str_equal(p->texts[0], l->texts[0]);
		}
		if (known)
			continue;
		if (n < FW_LIMIT_CHECK_PATTERNS)
			patterns[n] = asked->literals[i];
		n++;
	}
	dim->patterns = patterns;
	dim->n_patterns = n <= FW_LIMIT_CHECK_PATTERNS ? n : 0;
	*ret_n = n;
	return 0;
}

/* Whether a text that matches the one pattern must, or cannot, match the other. */
static bool implies(const struct fw_literal *a, const struct fw_literal *b)
{
	struct fw_str x = a->texts[0], y = b->texts[0];
	if (b->op == FW_OP_CONTAINS)
		return y.n == 0 || memmem(x.p, x.n, y.p, y.n) != NULL;
	if (a->op != b->op || x.n < y.n)
		return false;
	return memcmp(b->op == FW_OP_STARTS ? x.p : x.p + x.n - y.n, y.p, y.n) == 0;
}

static bool exclude(const struct fw_literal *a, const struct fw_literal *b)
{
	return a->op == b->op && a->op != FW_OP_CONTAINS && !implies(a, b) && !implies(b, a);
}

static bool is_possible(const struct fw_domain *d, const struct fw_dim *dim, uint32_t matches)
{
	for (uint32_t i = 0; i < dim->n_patterns; i++)
		for (uint32_t k = 0; k < dim->n_patterns; k++) {
			const struct fw_literal *a = &d->set->literals[dim->patterns[i]], *b = &d->set->literals[dim->patterns[k]];
			bool has_a = matches >> i & 1, has_b = matches >> k & 1;
			if (i != k && has_a && ((!has_b && implies(a, b)) || (has_b && exclude(a, b))))
				return false;
		}
	return true;
}

/* The parts that a text with these matches needs, with `between` between them. */
static bool put_parts(const struct fw_domain *d, const struct fw_dim *dim, uint32_t matches, const char *first, const char *between,
	struct fw_buf *out)
{
	struct fw_str starts = { 0 }, ends = { 0 };
	for (uint32_t i = 0; i < dim->n_patterns; i++) {
		const struct fw_literal *p = &d->set->literals[dim->patterns[i]];
		struct fw_str w = p->written[0];
		if (!(matches >> i & 1))
			continue;
		if (p->op == FW_OP_STARTS && w.n > starts.n)
			starts = w;
		else if (p->op == FW_OP_ENDS && w.n > ends.n)
			ends = w;
	}
	fw_buf_clear(out);
	fw_buf_puts(out, first);
	fw_buf_add(out, starts.p, starts.n);
	fw_buf_puts(out, between);
	for (uint32_t i = 0; i < dim->n_patterns; i++) {
		const struct fw_literal *p = &d->set->literals[dim->patterns[i]];
		if (!(matches >> i & 1) || p->op != FW_OP_CONTAINS)
			continue;
		fw_buf_add(out, p->written[0].p, p->written[0].n);
		fw_buf_puts(out, between);
	}
	fw_buf_add(out, ends.p, ends.n);
	return !out->failed && out->n > 0;
}

/* A text with just these matches that is not named. 1, 0: none was found, FW_ENOMEM. */
static int find_text(struct fw_domain *d, const struct fw_dim *dim, uint32_t matches, struct fw_value *ret)
{
	static const char *const firsts[] = { "", "/", "~" }, *const betweens[] = { "~", "-", "" };
	struct fw_buf text;
	int found = 0;
	fw_buf_init(&text, 0);
	for (size_t i = 0; i < 9 && found == 0; i++) {
		struct fw_value v;
		if (!put_parts(d, dim, matches, firsts[i / 3], betweens[i % 3], &text))
			continue;
		if (fw_value_text(d->arena, (struct fw_str){ text.data, text.n }, &v) < 0)
			found = FW_ENOMEM;
		else if (fits(d, dim, &v) && matches_of(d, dim, v.folded) == matches)
			found = 1;
		if (found == 1)
			*ret = v;
	}
	fw_buf_finish(&text);
	return found;
}

static int add_others(struct fw_domain *d, struct fw_dim *dim)
{
	for (uint32_t matches = 0; matches < 1u << dim->n_patterns; matches++) {
		struct fw_value v;
		if (matches && !is_possible(d, dim, matches))
			continue;
		int found = matches ? find_text(d, dim, matches, &v) : fw_cells_other(d, dim, &v);
		struct fw_cell *c = found < 0 ? NULL : fw_domain_cell(d, dim);
		if (!c)
			return FW_ENOMEM;
		if (!matches)
			dim->other = dim->n - 1;
		c->shown = found;
		c->made = !found;
		c->matches = matches;
		c->value = found ? v : (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_TEXT };
	}
	return 0;
}

int fw_cells_text(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked)
{
	const struct fw_fact_info *info = fw_fact_info(d->set->refs[dim->subject].fact);
	uint32_t n_patterns;
	int ret = gather_patterns(d, dim, asked, &n_patterns);
	fw_map_init(&dim->values, d->arena);
	dim->listed = info->type == FW_TYPE_TEXT;
	if (ret < 0)
		return ret;
	for (size_t i = 0; info->values && info->values[i]; i++)
		if ((ret = add_text(d, dim, fw_str(info->values[i]))) < 0)
			return ret;
	if (info->values)
		return 0;
	if (n_patterns > FW_LIMIT_CHECK_PATTERNS)
		return fw_domain_give_up(d, dim);
	for (uint32_t i = 0; i < asked->n; i++) {
		const struct fw_literal *l = &d->set->literals[asked->literals[i]];
		bool named = (l->op == FW_OP_ONE_OF || l->op == FW_OP_ALL_OF) && (l->as == FW_AS_TEXT || l->as == FW_AS_LANGUAGE);
		for (uint32_t k = 0; named && k < l->n; k++)
			if ((ret = add_text(d, dim, l->written[k])) < 0)
				return ret;
	}
	return add_others(d, dim);
}

uint32_t fw_cells_text_of(const struct fw_domain *d, const struct fw_dim *dim, struct fw_str folded)
{
	bool language = fw_fact_info(d->set->refs[dim->subject].fact)->type == FW_TYPE_LANGUAGE;
	uint32_t named = dim->values.arena ? fw_map_get(&dim->values, folded) : FW_MAP_NONE, matches = matches_of(d, dim, folded);
	for (size_t n = folded.n; language && named == FW_MAP_NONE && n > 0; n--) /* "en-ca" is what "en" is */
		if (folded.p[n - 1] == '-')
			named = fw_map_get(&dim->values, (struct fw_str){ folded.p, n - 1 });
	if (named != FW_MAP_NONE)
		return named;
	for (uint32_t i = dim->other; i < dim->n; i++) /* those of patterns come behind the one of none */
		if (dim->cells[i].value.kind == FW_KIND_TEXT && dim->cells[i].matches == matches)
			return i;
	return FW_NONE;
}

#include "signal/agents.h"

#include <stdbool.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/limits.h"

struct source {
	const char *regex;
	const char *family, *brand; /* replacements, with $1 … $9; NULL: the first group, or nothing */
	bool fold;
	uint16_t first_literal, n_literals; /* rows of literal_runs, of which the text must hold one; 0: no such */
};

#include "signal/agent_table.h"

enum { PATTERNS = sizeof sources / sizeof *sources, RUNS = 4096, MOST_OVERRUNS = 3, GROUPS = 10 };
enum section { BROWSER, OS, DEVICE };

struct fw_agents {
	pcre2_code *codes[PATTERNS];
	pcre2_match_context *limits;
	pcre2_match_data *match;
};

/* The runs of three characters that a text holds, and how often a pattern ran over its limit on it. */
struct reading {
	struct fw_str text;
	uint64_t runs[RUNS / 64];
	int overruns;
};

int fw_agents_create(struct fw_agents **ret_agents, struct fw_error *err)
{
	struct fw_agents *a = calloc(1, sizeof *a);
	if (!a)
		return fw_fail(err, FW_ENOMEM, NULL, 0, "no memory for the user agent patterns");
	a->limits = pcre2_match_context_create(NULL);
	a->match = pcre2_match_data_create(GROUPS, NULL);
	if (!a->limits || !a->match) {
		fw_agents_destroy(a);
		return fw_fail(err, FW_ENOMEM, NULL, 0, "no memory for the user agent patterns");
	}
	pcre2_set_match_limit(a->limits, FW_LIMIT_AGENT_STEPS);
	pcre2_set_heap_limit(a->limits, 1024);
	for (int i = 0; i < PATTERNS; i++) {
		int code;
		PCRE2_SIZE at;
		PCRE2_UCHAR reason[120];
		a->codes[i] = pcre2_compile((PCRE2_SPTR)sources[i].regex, PCRE2_ZERO_TERMINATED, sources[i].fold ? PCRE2_CASELESS : 0,
			&code, &at, NULL);
		if (!a->codes[i]) {
			pcre2_get_error_message(code, reason, sizeof reason);
			fw_agents_destroy(a);
			return fw_fail(err, FW_EINVAL, NULL, 0, "user agent pattern %d: %s", i, (const char *)reason);
		}
		/* Where machine code is not allowed the pattern is interpreted. */
		pcre2_jit_compile(a->codes[i], PCRE2_JIT_COMPLETE);
	}
	*ret_agents = a;
	return 0;
}

void fw_agents_destroy(struct fw_agents *a)
{
	if (!a)
		return;
	for (int i = 0; i < PATTERNS; i++)
		pcre2_code_free(a->codes[i]);
	pcre2_match_data_free(a->match);
	pcre2_match_context_free(a->limits);
	free(a);
}

static void begin(struct reading *r, struct fw_str text)
{
	memset(r, 0, sizeof *r);
	r->text = text;
	for (size_t i = 0; i + 2 < text.n; i++) {
		unsigned a = (unsigned char)fw_fold_char(text.p[i]), b = (unsigned char)fw_fold_char(text.p[i + 1]);
		unsigned run = ((a * 31 + b) * 31 + (unsigned char)fw_fold_char(text.p[i + 2])) % RUNS;
		r->runs[run / 64] |= (uint64_t)1 << run % 64;
	}
}

static bool has_run(const struct reading *r, uint16_t run)
{
	return r->runs[run / 64] >> run % 64 & 1;
}

static bool may_match(const struct reading *r, const struct source *s)
{
	if (s->n_literals == 0)
		return true;
	for (unsigned i = s->first_literal; i < (unsigned)s->first_literal + s->n_literals; i++) {
		const uint16_t *runs = literal_runs[i];
		if (has_run(r, runs[0]) && has_run(r, runs[1]) && has_run(r, runs[2]))
			return true;
	}
	return false;
}

/* The first pattern of a section that matches, its groups in a->match; or -1. */
static int find(struct fw_agents *a, struct reading *r, enum section section, int *ret_groups)
{
	for (int i = section_at[section]; i < section_at[section + 1] && r->overruns < MOST_OVERRUNS; i++) {
		if (!may_match(r, &sources[i]))
			continue;
		int n = pcre2_match(a->codes[i], (PCRE2_SPTR)r->text.p, r->text.n, 0, 0, a->match, a->limits);
		if (n >= 0) {
			*ret_groups = n == 0 ? GROUPS : n;
			return i;
		}
		r->overruns += n != PCRE2_ERROR_NOMATCH;
	}
	return -1;
}

static struct fw_str group(const struct fw_agents *a, const struct reading *r, int n, int groups)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(a->match);
	if (n >= groups || at[2 * n] == PCRE2_UNSET)
		return (struct fw_str){ 0 };
	return (struct fw_str){ r->text.p + at[2 * n], at[2 * n + 1] - at[2 * n] };
}

static size_t append(char *out, size_t n, struct fw_str text)
{
	size_t room = FW_AGENT_TEXT - 1 - n, length = text.n < room ? text.n : room;
	if (length)
		memcpy(out + n, text.p, length);
	return n + length;
}

/* The replacement with its groups filled in, or the first group; trimmed, `otherwise` if that leaves nothing. */
static void write(const struct fw_agents *a, const struct reading *r, const char *replacement, int groups,
	const char *otherwise, char out[FW_AGENT_TEXT])
{
	size_t n = 0;
	for (const char *p = replacement ? replacement : "$1"; *p; p++) {
		if (p[0] == '$' && p[1] >= '1' && p[1] <= '9')
			n = append(out, n, group(a, r, *++p - '0', groups));
		else
			n = append(out, n, (struct fw_str){ p, 1 });
	}
	struct fw_str text = fw_str_trim((struct fw_str){ out, n });
	if (text.n == 0 || !fw_utf8_valid(text))
		text = fw_str(otherwise);
	memmove(out, text.p, text.n);
	out[text.n] = '\0';
}

static int read_section(struct fw_agents *a, struct reading *r, enum section section, char out[FW_AGENT_TEXT], int *ret_groups)
{
	int i = find(a, r, section, ret_groups);
	if (i < 0)
		memcpy(out, "Other", sizeof "Other");
	else
		write(a, r, sources[i].family, *ret_groups, "Other", out);
	return i;
}

void fw_agents_read(struct fw_agents *a, struct fw_str user_agent, struct fw_agent *ret)
{
	struct reading r;
	int groups;
	if (user_agent.n > FW_LIMIT_USER_AGENT_BYTES)
		user_agent.n = FW_LIMIT_USER_AGENT_BYTES;
	begin(&r, user_agent);
	read_section(a, &r, BROWSER, ret->browser, &groups);
	read_section(a, &r, OS, ret->os, &groups);
	int device = read_section(a, &r, DEVICE, ret->device, &groups);
	ret->brand[0] = '\0';
	if (device >= 0 && sources[device].brand)
		write(a, &r, sources[device].brand, groups, "", ret->brand);
}

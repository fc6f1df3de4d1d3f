/* Any bytes as a rule file: they load, or every error says where; a set that loads decides for a few visitors. */
#include "../unit/lib_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { LONGEST = 20000 };

/* A file may run for seconds by its budget; the fuzzer looks for other things. */
static bool may_run_long(const char *text)
{
	return strstr(text, "while") || strstr(text, "repeat") || strstr(text, "for ") || strstr(text, "goto");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const visitors[] = { "{}",
		"{\"country\":\"CA\",\"device\":\"mobile\",\"visits\":3,\"hour\":12,\"traits\":{\"a\":[1,\"x\"],\"plan\":\"pro\"}}",
		"{\"at\":\"2026-11-23T10:00Z\",\"country\":\"US\",\"cart\":{\"total\":80},\"viewed\":4,\"segment\":[\"s\"]}" };
	struct rules r;
	if (n > LONGEST)
		return 0;
	char *text = malloc(n + 1);
	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	bool skipped = may_run_long(text);
	if (!skipped && rules_load(&r, text, NULL) < 0) {
		if (r.errors.n == 0)
			abort();
		for (uint32_t i = 0; i < r.errors.n; i++)
			if (!r.errors.items[i].message[0] || strcmp(r.errors.items[i].file, "a.lua") != 0)
				abort();
	} else if (!skipped && r.set->n_slots <= 64) {
		char why[600];
		for (size_t i = 0; i < sizeof visitors / sizeof *visitors; i++)
			if (!rules_decide(&r, visitors[i]) || (r.set->n_rules && !rules_explain(&r, r.set->rules[0].id, visitors[i], why)))
				abort();
	}
	if (!skipped)
		rules_finish(&r);
	free(text);
	return 0;
}

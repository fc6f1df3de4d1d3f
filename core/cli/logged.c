#include "cli/logged.h"

#include <stdio.h>

#include "base/clock.h"
#include "trace/log_sets.h"

enum { PATH = 4096, ASK_AGAIN_MS = 10 };

int fw_logged_set_load(const char *folder, const struct fw_log_set *set, struct fw_zone_set *zones, struct fw_ruleset **ret,
	struct fw_templates **ret_templates, struct fw_error *err)
{
	char rules[PATH], compliance[PATH], hash[64];
	struct fw_errors errors;
	bool has_compliance;
	snprintf(hash, sizeof hash, "%.*s", (int)(set->hash.n < 40 ? set->hash.n : 40), set->hash.p);
	if (strchr(hash, '/') || !fw_log_sets_find(folder, hash, rules, compliance, sizeof rules, &has_compliance)) {
		fw_fail(err, FW_ENOENT, folder, 0, "the decision is there, but not the rule set %s that made it", hash);
		fw_hint(err, "it would be in sets/%s", hash);
		return FW_ENOENT;
	}
	const struct fw_ruleset_options options = { .rules = rules, .compliance = has_compliance ? compliance : NULL,
		.timezone = set->timezone.p, .currency = set->currency.p, .zones = zones };
	fw_errors_init(&errors);
	struct fw_ruleset *loaded = NULL;
	int rc = fw_ruleset_load(&options, &loaded, &errors);
	if (rc == 0)
		rc = fw_templates_open(loaded, &errors, ret_templates);
	if (rc < 0) {
		*err = errors.items[0];
		fw_hint(err, "it was made by floorwalker %s, this is " FW_VERSION, set->version.p);
	} else if (!fw_str_is(set->hash, loaded->hash)) {
		rc = fw_fail(err, FW_EINVAL, rules, 0, "these are no longer the rules that made the decision: they were changed");
	}
	fw_errors_finish(&errors);
	if (rc == 0)
		*ret = loaded;
	else
		fw_ruleset_destroy(loaded);
	return rc;
}

int fw_logged_store_key(struct fw_stored *s, unsigned char ret[FW_SEAL_KEY], struct fw_error *err)
{
	int64_t until_us = fw_monotonic_us() + INT64_C(1000) * FW_LIMIT_STORE_GIVE_UP_MS;
	int rc;
	fw_people_learn(s->people);
	while ((rc = fw_people_sign(s->people, FW_STR("decision log"), FW_STR("v1"), ret)) < 0 && fw_monotonic_us() < until_us)
		fw_stored_pause(s, ASK_AGAIN_MS);
	return rc < 0 ? fw_fail(err, rc, NULL, 0, "the store is out of reach, which has the key of what is logged") : 0;
}

struct key_wait {
	struct fw_stored_wait wait;
	unsigned char *bytes;
};

static void on_key(void *ctx, int rc, const struct fw_seal_key *key)
{
	struct key_wait *w = ctx;
	if (rc == 0)
		memcpy(w->bytes, key->bytes, FW_SEAL_KEY);
	w->wait = (struct fw_stored_wait){ true, rc };
}

int fw_logged_person_key(struct fw_stored *s, uint64_t hash, uint32_t period, struct fw_arena *a, unsigned char ret[FW_SEAL_KEY])
{
	struct key_wait w = { .wait = { false, 0 }, .bytes = ret };
	fw_seal_key_find(s->people, hash, period, a, on_key, &w);
	return fw_stored_answer(s, &w.wait);
}

bool fw_logged_fits(const struct fw_logged *l, const struct fw_ruleset *set)
{
	bool fits = true;
	for (uint32_t i = 0; i < l->n_slots && fits; i++) {
		fits = l->slots[i].slot < set->n_slots;
		for (uint32_t k = 0; k < l->slots[i].n && fits; k++)
			fits = l->slots[i].winners[k] < set->n_rules;
	}
	for (uint32_t i = 0; i < l->n_messages && fits; i++)
		fits = l->messages[i].rule == FW_NONE || l->messages[i].rule < set->n_rules;
	for (uint32_t i = 0; i < l->n_set_aside && fits; i++)
		fits = l->set_aside[i] < set->n_rules;
	return fits;
}

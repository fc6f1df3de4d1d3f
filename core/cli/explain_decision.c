#include "cli/explain_decision.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "check/needs.h"
#include "cli/command.h"
#include "cli/logged.h"
#include "cli/open.h"
#include "server/config_decisions.h"
#include "trace/rejudge.h"
#include "trace/trace.h"

struct remaking {
	struct fw_arena arena;
	struct fw_config *config;
	struct fw_config_decisions decisions;
	unsigned char id[FW_LOG_ID];
	char id_text[37];
	struct fw_log_found found;
	struct fw_stored stored;
	bool has_store;
	struct fw_zone_set *zones;
	struct fw_ruleset *set;
	struct fw_templates *templates;
	void *counts, *set_aside;
	struct fw_decider decider;
	bool decides;
	struct fw_logged logged;
	struct fw_str record;
	struct fw_facts facts;
	struct fw_rejudged rejudged; /* of messages */
	struct fw_explanation explanation;
	struct fw_error err;
};

static int open_config(struct remaking *r, const char *given)
{
	const char *path = fw_config_find(given);
	if (!path)
		return fw_fail(&r->err, FW_EINVAL, NULL, 0, "no configuration: name it with --config");
	int rc = fw_config_load(path, &r->config, &r->err);
	if (rc == 0)
		rc = fw_config_decisions(r->config, &r->arena, &r->decisions, &r->err);
	if (rc < 0 || r->decisions.log)
		return rc;
	fw_fail(&r->err, FW_EINVAL, path, 0, "it keeps no decision log, so no decision can be explained later");
	fw_hint(&r->err, "set decisions = { log = \"var/decisions\", sample = 0.01 }");
	return FW_EINVAL;
}

/* Why a decision that no file has may not be there. */
static void say_missing(struct remaking *r)
{
	int64_t at_us = fw_log_id_us(r->id), now_us = fw_now_us();
	char at[32];
	fw_time_text(at_us, at);
	if (at_us > now_us + INT64_C(60000000)) {
		fw_fail(&r->err, FW_ENOENT, NULL, 0, "no decision has this id: it would be made at %s", at);
	} else if (now_us - at_us > r->decisions.keep_s * 1000000) {
		fw_fail(&r->err, FW_ENOENT, NULL, 0, "the decision log does not have it any more: it was made at %s, and "
			"decisions are kept for %.4g days", at, (double)r->decisions.keep_s / 86400);
		fw_hint(&r->err, "decisions = { keep = … } says for how long");
	} else {
		fw_fail(&r->err, FW_ENOENT, r->decisions.log, 0, "the decision log does not have it: it has %.4g %% of the visitors, "
			"and no crawlers, and all messages; what was made at %s may also have been dropped, for lack of room, or be "
			"another node's%s",
			r->decisions.sample * 100, at, r->found.lost ? "; and part of the files is damaged" : "");
		fw_hint(&r->err,
			"floorwalker_decisions_log_dropped_total counts what was dropped, decisions.sample says how many visitors it has");
	}
}

/* What was decided a moment ago may be on its way to the log: the key of somebody new is a row, which is waited for. */
static bool may_come(const struct remaking *r)
{
	int64_t age_us = fw_now_us() - fw_log_id_us(r->id);
	return age_us >= 0 && age_us < FW_LIMIT_LOGGED_LATE_MS * INT64_C(1000);
}

static int find(struct remaking *r)
{
	const struct timespec nap = { 0, 100 * 1000000 };
	int rc;
	while ((rc = fw_log_find(r->decisions.log, r->id, &r->arena, &r->found, &r->err)) == FW_ENOENT && may_come(r))
		nanosleep(&nap, NULL);
	if (rc == FW_ENOENT)
		say_missing(r);
	return rc;
}

static int load_set(struct remaking *r)
{
	if (!(r->zones = fw_zone_set_create()))
		return fw_fail(&r->err, FW_ENOMEM, NULL, 0, "out of memory");
	return fw_logged_set_load(r->decisions.log, &r->found.set, r->zones, &r->set, &r->templates, &r->err);
}

static int find_key(struct remaking *r, unsigned char key[FW_SEAL_KEY])
{
	const struct fw_log_sealed *sealed = &r->found.decision.sealed;
	uint64_t hash;
	uint32_t period;
	int rc = fw_logged_store_key(&r->stored, key, &r->err);
	if (rc < 0 || !sealed->is_person)
		return rc;
	if ((rc = fw_log_whose(sealed, key, &r->arena, &hash, &period)) < 0)
		return fw_fail(&r->err, rc, r->found.name, 0, "the decision was logged with another store's key, or it is damaged");
	if ((rc = fw_logged_person_key(&r->stored, hash, period, &r->arena, key)) == FW_ENOENT) {
		fw_fail(&r->err, rc, NULL, 0, "the decision is there, but the person whom it was made for was erased since, and "
			"nobody can read it any more");
		return rc;
	}
	return rc < 0 ? fw_fail(&r->err, rc, NULL, 0, "the store cannot be asked for the key of what is logged of that person") : 0;
}

static int open_decision(struct remaking *r, const char *config)
{
	unsigned char key[FW_SEAL_KEY];
	r->err.message[0] = 0;
	if (fw_stored_open(&r->stored, config) != FW_EXIT_DONE) {
		r->has_store = true;
		return FW_EIO; /* it was said */
	}
	r->has_store = true;
	int rc = find_key(r, key);
	if (rc < 0)
		return rc;
	rc = fw_log_unseal(&r->found, key, &r->arena, &r->logged, &r->record);
	explicit_bzero(key, sizeof key);
	if (rc == 0 && !fw_logged_fits(&r->logged, r->set))
		rc = FW_EINVAL;
	if (rc == 0 && !r->logged.is_messages)
		rc = fw_logged_facts(&r->logged, &r->found.set.names, r->record, &r->arena, &r->facts);
	if (rc < 0)
		fw_fail(&r->err, rc, r->found.name, 0, rc == FW_ENOMEM ? "out of memory" : "what is logged of the decision is damaged");
	return rc;
}

static int make_decider(struct remaking *r)
{
	r->counts = calloc(1, fw_counts_bytes(r->set));
	r->set_aside = calloc(1, fw_set_aside_bytes(r->set->n_rules));
	r->decides = r->counts && r->set_aside && fw_decider_init(&r->decider, r->set, r->counts, r->set_aside) == 0;
	if (!r->decides)
		return FW_ENOMEM;
	r->decider.holdout = r->found.set.holdout;
	return 0;
}

/* Messages that were due are judged again: what of them cannot be told is said by knows_products. */
static int judge_again(struct remaking *r)
{
	const struct fw_rejudge_rules rules = { &r->decider, r->templates, r->zones };
	int rc = make_decider(r);
	if (rc == 0)
		rc = fw_rejudge(&r->logged, &r->found.set.names, r->record, r->found.decision.at_us, r->set, &rules, &r->arena,
			&r->rejudged);
	if (rc == FW_ENOENT)
		rc = 0;
	if (rc == 0)
		rc = fw_rejudged_explain(&r->decider, &r->rejudged, &r->arena, &r->explanation);
	if (rc == 0 && r->rejudged.n)
		r->facts = r->rejudged.items[0].facts;
	if (rc < 0)
		return fw_fail(&r->err, rc, r->found.name, 0, rc == FW_ENOMEM ? "out of memory"
			: "what is logged of the decision is damaged");
	return 0;
}

static void name(struct remaking *r)
{
	memcpy(r->explanation.id, r->id_text, sizeof r->explanation.id);
	r->explanation.at_us = r->found.decision.at_us;
}

static int explain(struct remaking *r, bool changes)
{
	const struct fw_logged *l = &r->logged;
	struct fw_explanation *e = &r->explanation;
	uint32_t *slots = FW_NEW_ARRAY(&r->arena, l->n_slots, uint32_t);
	int rc = slots ? make_decider(r) : FW_ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < l->n_slots; i++)
		slots[i] = l->slots[i].slot;
	if (rc == 0)
		fw_logged_set_aside(l, r->set, &r->decider);
	if (rc == 0)
		rc = fw_explain(&r->decider, &r->facts, slots, l->n_slots, &r->arena, e);
	for (uint32_t i = 0; rc == 0 && i < l->n_channels; i++)
		rc = fw_explain_channel(&r->decider, &r->facts, l->channels[i], l->unreached ? l->unreached[i] : FW_REASON_WON,
			&r->arena, e);
	if (rc == 0 && (changes || l->changes))
		rc = fw_needs_find(&r->decider, &r->facts, slots, l->n_slots, &r->arena, e);
	if (rc < 0)
		return fw_fail(&r->err, rc, NULL, 0, "out of memory");
	return 0;
}

static bool are_messages_the_same(const struct remaking *r)
{
	const struct fw_logged *l = &r->logged;
	if (fw_rejudged_is(l, &r->rejudged))
		return true;
	fputs("floorwalker: its messages came out differently then:", stderr);
	for (uint32_t i = 0; i < l->n_messages; i++)
		fprintf(stderr, "%s %s %s", i ? "," : "", l->messages[i].rule == FW_NONE ? "one whose rule was gone" :
			r->set->rules[l->messages[i].rule].id, fw_reason_name(l->messages[i].reason));
	fputc('\n', stderr);
	return false;
}

/* What was shown then stands beside: whoever sees another winner now must not believe it. */
static bool is_the_same(const struct remaking *r)
{
	bool same = !r->logged.is_messages || are_messages_the_same(r);
	for (uint32_t i = 0; i < r->logged.n_slots; i++) {
		const struct fw_logged_slot *then = &r->logged.slots[i];
		const struct fw_explained_slot *now = &r->explanation.slots[i];
		bool alike = then->reason == now->reason && then->n == now->n_winners;
		for (uint32_t k = 0; alike && k < then->n; k++)
			alike = then->winners[k] == now->winners[k].rule;
		if (!alike)
			fprintf(stderr, "floorwalker: slot %s came out differently then: %s%s%s\n", r->set->slots[then->slot].id,
				fw_slot_reason_name(then->reason), then->n ? ", and the winner was " : "",
				then->n ? r->set->rules[then->winners[0]].id : "");
		same = same && alike;
	}
	return same;
}

/* A decision asks of the catalogue no more than it needs, an explanation of every rule. */
static bool knows_products(const struct remaking *r)
{
	bool lost = r->logged.then && r->logged.then->lost;
	if (lost)
		fputs("floorwalker: the decision did not ask the catalogue of every product that is named here, and what it would have "
			"said is not in the log: rules that hang on those may have come out differently then\n", stderr);
	return !lost;
}

static void print(struct remaking *r, bool json)
{
	struct fw_buf b;
	struct fw_json_out out;
	char at[32];
	fw_buf_init(&b, 0);
	fw_json_out_init(&out, &b);
	if (json) {
		fw_trace_explanation(&out, r->set, &r->facts, &r->explanation);
		fw_buf_putc(&b, '\n');
	} else {
		fw_buf_printf(&b, "%s %s, made %s by rule set %s\n\n", r->logged.explanation ? "explanation"
			: r->logged.is_messages ? "messages" : "decision", r->id_text,
			fw_time_text(r->found.decision.at_us, at), r->set->hash);
		fw_trace_table(&b, r->set, &r->facts, &r->explanation);
	}
	fwrite(b.data, 1, b.n, stdout);
	fw_buf_finish(&b);
}

static void finish(struct remaking *r)
{
	if (r->decides)
		fw_decider_finish(&r->decider);
	free(r->counts);
	free(r->set_aside);
	if (r->has_store)
		fw_stored_close(&r->stored);
	fw_ruleset_destroy(r->set);
	fw_zone_set_destroy(r->zones);
	fw_log_found_finish(&r->found);
	fw_config_destroy(r->config);
	fw_arena_finish(&r->arena);
}

int fw_explain_decision(const char *config, const char *id, bool json, bool changes, bool orders)
{
	struct remaking r = { .found = { .files = 0 } };
	int rc = 0;
	fw_arena_init(&r.arena, NULL, 0, 0);
	if (!fw_log_id(id, r.id)) {
		rc = fw_fail(&r.err, FW_EINVAL, NULL, 0, "\"%s\" is no decision's id", id);
		fw_hint(&r.err, "it is the decisionId of an answer, such as 01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f");
	}
	fw_log_id_text(r.id, r.id_text);
	if (rc == 0)
		rc = open_config(&r, config);
	if (rc == 0)
		rc = find(&r);
	if (rc == 0)
		rc = load_set(&r);
	if (rc == 0)
		rc = open_decision(&r, config);
	if (rc == 0)
		rc = r.logged.is_messages ? judge_again(&r) : explain(&r, changes);
	if (rc == 0)
		name(&r);
	if (rc == 0 && r.logged.is_messages && changes)
		fputs("floorwalker: what would have to change is not told of messages that were due; explain --channel C --facts … "
			"tells it of those that would be due now\n", stderr);
	r.explanation.orders = orders;
	if (rc < 0 && r.err.message[0]) {
		fputs("floorwalker: ", stderr);
		fw_opened_print(&r.err);
	}
	bool same = rc == 0 && is_the_same(&r) && knows_products(&r);
	if (rc == 0)
		print(&r, json);
	finish(&r);
	return same ? FW_EXIT_DONE : FW_EXIT_NO;
}

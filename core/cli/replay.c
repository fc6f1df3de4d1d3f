#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/log_walk.h"
#include "cli/replay_tally.h"

enum { SAMPLES = 5, VERIFY_EVERY = 16 };

struct replay_options {
	const char *rules, *config, *log;
	double fail_above;
	bool json;
};

struct replay {
	struct fw_arena arena;
	struct fw_opened after;
	void *after_aside;
	struct fw_replay_numbers after_numbers;
	struct fw_log_walk walk;
	struct fw_replay_tally tally;
};

static int no_memory(struct fw_error *err)
{
	return fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

static int number_messages(struct replay *r, const struct fw_replay_numbers *numbers, const struct fw_ruleset *set, struct fw_error *err)
{
	for (uint32_t i = 0; i < set->n_message_rules; i++) {
		uint32_t rule = set->message_rules[i], n;
		const char *channel = set->rules[rule].message->channel;
		if (fw_replay_id(&r->tally.channels, &r->arena, channel, &n) < 0)
			return no_memory(err);
		r->tally.rules.channels[numbers->rules[rule]] = r->tally.channels.texts[n];
	}
	return 0;
}

static int number(struct replay *r, struct fw_replay_numbers *to, const struct fw_ruleset *set, struct fw_error *err)
{
	to->slots = FW_NEW_ARRAY(&r->arena, set->n_slots, uint32_t);
	to->rules = FW_NEW_ARRAY(&r->arena, set->n_rules, uint32_t);
	if (!to->slots || !to->rules)
		return no_memory(err);
	for (uint32_t i = 0; i < set->n_slots; i++) {
		if (fw_replay_id(&r->tally.slots, &r->arena, set->slots[i].id, &to->slots[i]) < 0)
			return no_memory(err);
		r->tally.slots.channels[to->slots[i]] = set->slots[i].channel;
	}
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (fw_replay_id(&r->tally.rules, &r->arena, set->rules[i].id, &to->rules[i]) < 0)
			return no_memory(err);
	return number_messages(r, to, set, err);
}

static int on_set(void *ctx, struct fw_walk_set *set, struct fw_error *err)
{
	struct replay *r = ctx;
	struct fw_replay_numbers *numbers = FW_NEW(&r->arena, struct fw_replay_numbers);
	set->numbers = numbers;
	return !numbers ? no_memory(err) : set->rules ? number(r, numbers, set->rules, err) : 0;
}

static int prepare_after(struct replay *r)
{
	const struct fw_ruleset *set = r->after.set;
	uint32_t n;
	for (uint32_t i = 0; i < set->n_segments; i++)
		if (fw_replay_id(&r->tally.segments, &r->arena, set->segments[i].id, &n) < 0)
			return no_memory(&r->walk.err);
	if (!(r->after_aside = calloc(1, fw_set_aside_bytes(set->n_rules))))
		return no_memory(&r->walk.err);
	r->after.decider.set_aside = r->after_aside;
	return number(r, &r->after_numbers, set, &r->walk.err);
}

static void on_gap(void *ctx, enum fw_walk_gap gap)
{
	static const enum fw_replay_gap gaps[] = { [FW_WALK_ERASED] = FW_REPLAY_ERASED, [FW_WALK_NO_RULES] = FW_REPLAY_NO_RULES,
		[FW_WALK_DAMAGED] = FW_REPLAY_DAMAGED };
	fw_replay_tally_gap(&((struct replay *)ctx)->tally, gaps[gap]);
}

/* Of a decision that changes, the segments that the visitor is in. */
static void tell_segments(struct replay *r, const struct fw_facts *facts, struct fw_arena *a)
{
	struct fw_eval *e = &r->after.decider.eval;
	struct fw_seen seen = { 0 };
	fw_eval_begin(e, facts, a);
	for (uint32_t i = 0; i < r->after.set->n_segments; i++)
		if (fw_eval_segment(e, i, &seen) == FW_TRUE)
			fw_replay_tally_segment(&r->tally, fw_map_get(&r->tally.segments.map, fw_str(r->after.set->segments[i].id)));
	fw_eval_end(e);
}

static void tell_gap(struct replay *r, int rc)
{
	fw_replay_tally_gap(&r->tally, rc == FW_ECONFLICT ? FW_REPLAY_DIFFERENT : rc == FW_ENOENT ? FW_REPLAY_NO_PRODUCTS
		: FW_REPLAY_DAMAGED);
}

static void on_messages(struct replay *r, struct fw_walked *w, struct fw_arena *a)
{
	struct fw_walk_set *s = w->set;
	const struct fw_rejudge_rules before = { &s->decider, s->templates, r->after.zones },
		after = { &r->after.decider, r->after.templates, r->after.zones };
	struct fw_replayed_messages replayed;
	int rc = fw_replay_messages(&w->logged, &s->about.names, w->record, w->at_us, &before, &after, a, &replayed);
	if (rc < 0) {
		tell_gap(r, rc);
		return;
	}
	fw_replay_tally_add_messages(&r->tally, w->id, &replayed);
	if (replayed.changed)
		tell_segments(r, &replayed.items[0].after->facts, a);
}

static void on_decision(void *ctx, struct fw_walked *w, struct fw_arena *a)
{
	struct replay *r = ctx;
	struct fw_walk_set *s = w->set;
	struct fw_replayed replayed;
	if (w->logged.explanation) {
		fw_replay_tally_pass_over(&r->tally);
		return;
	}
	r->after.decider.holdout = s->about.holdout;
	if (w->logged.is_messages) {
		on_messages(r, w, a);
		return;
	}
	int rc = fw_replay(&w->logged, &s->about.names, w->record, &s->decider, &r->after.decider, w->n % VERIFY_EVERY == 0, a, &replayed);
	if (rc < 0) {
		tell_gap(r, rc);
		return;
	}
	fw_replay_tally_add(&r->tally, w->id, &replayed, s->rules, s->numbers, r->after.set, &r->after_numbers);
	if (replayed.changed)
		tell_segments(r, &replayed.facts, a);
}

static int gather(struct replay *r, const struct replay_options *o)
{
	if (fw_opened_open(&r->after, o->config, o->rules) < 0) {
		fw_opened_report(&r->after);
		return FW_EINVAL;
	}
	int rc = prepare_after(r);
	if (rc == 0)
		rc = fw_log_walk_open(&r->walk, &r->after, o->config, o->log);
	r->tally.first_us = r->walk.first_us;
	r->tally.last_us = r->walk.last_us;
	return rc < 0 || fw_replay_tally_share(&r->tally) == 0 ? rc : no_memory(&r->walk.err);
}

static void finish(struct replay *r)
{
	fw_log_walk_finish(&r->walk);
	fw_replay_tally_finish(&r->tally);
	fw_opened_close(&r->after);
	free(r->after_aside);
	fw_arena_finish(&r->arena);
}

/* What --fail-above and --samples say. False: it is no number of that kind. */
static bool read_number(const char *text, double most, double *ret)
{
	return fw_number_parse(fw_str(text), ret) && *ret >= 0 && *ret <= most;
}

static int replay(struct replay *r, const struct replay_options *o)
{
	struct fw_buf b;
	int rc = gather(r, o);
	if (rc == 0 && !fw_log_walk_run(&r->walk))
		rc = fw_fail(&r->walk.err, FW_EIO, NULL, 0, "a process of the replay died");
	if (rc < 0 && r->walk.err.message[0]) {
		fputs("floorwalker: ", stderr);
		fw_opened_print(&r->walk.err);
	}
	if (rc < 0)
		return FW_EXIT_NO;
	fw_buf_init(&b, 0);
	fw_replay_tally_print(&r->tally, o->json, &b);
	fwrite(b.data, 1, b.n, stdout);
	fw_buf_finish(&b);
	return fw_replay_tally_changed(&r->tally) > o->fail_above ? FW_EXIT_NO : FW_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' }, { "last", required_argument, NULL, 'n' },
		{ "fail-above", required_argument, NULL, 'f' },
		{ "samples", required_argument, NULL, 's' }, { "jobs", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct replay_options o = { .fail_above = 100 };
	double samples = SAMPLES, jobs = fw_log_walk_processors(), last = 0;
	bool fine = true;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': o.rules = optarg; break;
		case 'c': o.config = optarg; break;
		case 'l': o.log = optarg; break;
		case 'n': fine = fine && read_number(optarg, 1e15, &last) && last >= 1; break;
		case 'f': fine = fine && read_number(optarg, 100, &o.fail_above); break;
		case 's': fine = fine && read_number(optarg, FW_REPLAY_SAMPLES_MOST, &samples); break;
		case 'p': fine = fine && read_number(optarg, FW_WALK_JOBS_MOST, &jobs) && jobs >= 1; break;
		case 'j': o.json = true; break;
		default: return fw_command_misused(&fw_command_replay, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_replay, "it takes options only");
	if (!fine)
		return fw_command_misused(&fw_command_replay,
			"--fail-above wants per cent, --last a number, --samples one up to 1000, --jobs one from 1 to 64");
	struct replay r = { .walk = { .on_set = on_set, .on_decision = on_decision, .on_gap = on_gap } };
	r.walk.ctx = &r;
	fw_arena_init(&r.arena, NULL, 0, 0);
	r.tally.n_samples = (uint32_t)samples;
	r.walk.most = (uint64_t)last;
	r.walk.processes = (unsigned)jobs;
	int status = replay(&r, &o);
	finish(&r);
	return status;
}

const struct fw_command fw_command_replay = {
	.name = "replay",
	.summary = "makes logged decisions again by other rules, and says what changes",
	.usage = "usage: floorwalker replay [--rules DIR] [--config FILE] [--log PATH] [--last N] [--fail-above PERCENT]\n"
		 "                          [--samples N] [--jobs N] [--json]\n\n"
		 "  --rules DIR    the other rules (else those on disk of the configuration)\n"
		 "  --config FILE  the configuration, whose store has the keys of what is logged\n"
		 "  --log PATH     the folder of the decision log (else the configuration's)\n"
		 "  --last N       so many of the last decisions (all)\n"
		 "  --fail-above P exit status 1 if more than so many per cent of the decisions change\n"
		 "  --samples N    decisions that change, shown one by one (5)\n"
		 "  --jobs N       processes (one a processor)\n"
		 "  --json         as JSON\n",
	.run = run,
};

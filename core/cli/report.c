#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/log_walk.h"
#include "cli/upkeep.h"
#include "trace/rejudge.h"

enum { DAYS = 30, DAYS_MOST = 3660 };

struct report_options {
	const char *rules, *config, *log;
	double days;
	bool json;
};

struct reporting {
	struct fw_opened opened;
	void *set_aside;
	struct fw_log_walk walk;
	struct fw_upkeep report;
};

static void on_gap(void *ctx, enum fw_walk_gap gap)
{
	(void)gap;
	((struct reporting *)ctx)->report.gaps++;
}

/* The slots that were asked for, as far as these rules have them. */
static uint32_t list_slots(const struct fw_walked *w, const struct fw_ruleset *set, uint32_t *ret)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->logged.n_slots; i++) {
		uint32_t slot = fw_ruleset_slot(set, fw_str(w->set->rules->slots[w->logged.slots[i].slot].id));
		if (slot != FW_NONE)
			ret[n++] = slot;
	}
	return n;
}

/* As the rules would have judged them then. */
static void on_messages(struct reporting *r, struct fw_walked *w, struct fw_arena *a)
{
	struct fw_decider *d = &r->opened.decider;
	const struct fw_rejudge_rules rules = { d, r->opened.templates, r->opened.zones };
	struct fw_rejudged judged;
	struct fw_explanation explanation;
	d->holdout = w->set->about.holdout;
	if (fw_rejudge(&w->logged, &w->set->about.names, w->record, w->at_us, w->set->rules, &rules, a, &judged) < 0 ||
		fw_rejudged_explain(d, &judged, a, &explanation) < 0) {
		r->report.gaps++;
		return;
	}
	explanation.at_us = w->at_us;
	fw_upkeep_count(&r->report, &explanation);
}

static void on_decision(void *ctx, struct fw_walked *w, struct fw_arena *a)
{
	struct reporting *r = ctx;
	struct fw_decider *d = &r->opened.decider;
	struct fw_facts facts;
	struct fw_explanation explanation;
	if (w->logged.is_messages) {
		on_messages(r, w, a);
		return;
	}
	if (w->logged.explanation) {
		r->report.explanations++;
		return;
	}
	uint32_t *slots = FW_NEW_ARRAY(a, w->logged.n_slots + 1, uint32_t);
	d->holdout = w->set->about.holdout;
	if (!slots || fw_logged_facts(&w->logged, &w->set->about.names, w->record, a, &facts) < 0 ||
		fw_explain(d, &facts, slots, list_slots(w, d->set, slots), a, &explanation) < 0 || (facts.then && facts.then->lost)) {
		r->report.gaps++;
		return;
	}
	explanation.at_us = w->at_us;
	fw_upkeep_count(&r->report, &explanation);
}

static int gather(struct reporting *r, const struct report_options *o)
{
	if (fw_opened_open(&r->opened, o->config, o->rules) < 0) {
		fw_opened_report(&r->opened);
		return FW_EINVAL;
	}
	const struct fw_ruleset *set = r->opened.set;
	r->set_aside = calloc(1, fw_set_aside_bytes(set->n_rules));
	if (fw_upkeep_init(&r->report, set) < 0 || !r->set_aside)
		return fw_fail(&r->walk.err, FW_ENOMEM, NULL, 0, "out of memory");
	r->opened.decider.set_aside = r->set_aside;
	r->report.now_us = fw_now_us();
	r->walk.since_us = r->report.now_us - (int64_t)(o->days * 86400e6);
	int rc = fw_log_walk_open(&r->walk, &r->opened, o->config, o->log);
	r->report.has_log = r->walk.folder != NULL;
	if (rc == FW_EINVAL && !r->report.has_log)
		return 0; /* none is kept, and none was named: then there is upkeep alone */
	if (rc < 0)
		return rc;
	fw_log_walk_run(&r->walk); /* in this process, whose report it counts into */
	r->report.from_us = r->walk.first_us;
	r->report.to_us = r->walk.last_us;
	return fw_upkeep_sum(&r->report) < 0 ? fw_fail(&r->walk.err, FW_ENOMEM, NULL, 0, "out of memory") : 0;
}

static void finish(struct reporting *r)
{
	fw_log_walk_finish(&r->walk);
	fw_upkeep_finish(&r->report);
	fw_opened_close(&r->opened);
	free(r->set_aside);
}

static int report_rules(struct reporting *r, const struct report_options *o)
{
	struct fw_buf b;
	int rc = gather(r, o);
	if (rc < 0 && r->walk.err.message[0]) {
		fputs("floorwalker: ", stderr);
		fw_opened_print(&r->walk.err);
	}
	if (rc < 0)
		return FW_EXIT_NO;
	fw_buf_init(&b, 0);
	if (o->json)
		fw_upkeep_json(&r->report, &b);
	else
		fw_upkeep_text(&r->report, &b);
	fwrite(b.data, 1, b.n, stdout);
	fw_buf_finish(&b);
	return FW_EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' }, { "days", required_argument, NULL, 'd' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct report_options o = { .days = DAYS };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': o.rules = optarg; break;
		case 'c': o.config = optarg; break;
		case 'l': o.log = optarg; break;
		case 'd':
			if (!fw_number_parse(fw_str(optarg), &o.days) || o.days <= 0 || o.days > DAYS_MOST)
				return fw_command_misused(&fw_command_report, "--days wants a number up to 3660");
			break;
		case 'j': o.json = true; break;
		default: return fw_command_misused(&fw_command_report, NULL);
		}
	}
	if (optind != argc - 1 || strcmp(argv[optind], "rules") != 0)
		return fw_command_misused(&fw_command_report, "report on what? There is: rules");
	struct reporting r = { .walk = { .processes = 1, .on_decision = on_decision, .on_gap = on_gap } };
	r.walk.ctx = &r;
	int status = report_rules(&r, &o);
	finish(&r);
	return status;
}

const struct fw_command fw_command_report = {
	.name = "report",
	.summary = "says what becomes of each rule, and what wants upkeep",
	.usage = "usage: floorwalker report rules [--rules DIR] [--config FILE] [--log PATH] [--days N] [--json]\n\n"
		 "What became of each rule in the decisions of the log, made again by these rules: how often it won and matched, when\n"
		 "last, and what stands in its way; which never won, are always beaten, end within a week, are over, have no owner, are\n"
		 "expected by no test.\n\n"
		 "  --rules DIR    the rules (else those on disk of the configuration)\n"
		 "  --config FILE  the configuration, whose store has the keys of what is logged\n"
		 "  --log PATH     the folder of the decision log (else the configuration's)\n"
		 "  --days N       decisions of so many days (30)\n"
		 "  --json         as JSON\n",
	.run = run,
};

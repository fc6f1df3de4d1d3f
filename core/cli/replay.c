#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/logged.h"
#include "cli/open.h"
#include "cli/replay_tally.h"
#include "server/config_decisions.h"

enum { JOBS_MOST = 64, NOBODY = 0, SAMPLES = 5, COLLECT_EVERY = 32, VERIFY_EVERY = 16 };

/* A rule set that decided, with what else decisions hang on. */
struct logged_set {
	struct fw_log_set about;
	struct fw_ruleset *rules; /* NULL: it is not kept any more */
	void *counts;
	struct fw_decider decider;
	bool decides;
	struct fw_replay_numbers numbers;
};

/* A person's key; the first is the store's, of nobody in particular. */
struct key {
	bool is_there;
	unsigned char bytes[FW_SEAL_KEY];
};

/* A decision that was found. */
struct job {
	uint32_t file, set, key;
	uint64_t at;
};

struct replay_options {
	const char *rules, *config, *log;
	double fail_above;
	unsigned jobs;
	bool json;
};

struct replay {
	struct fw_arena arena;
	struct fw_opened after;
	void *after_aside;
	struct fw_replay_numbers after_numbers;
	struct fw_stored stored;
	bool has_store;
	const char *folder;       /* of the log */
	struct fw_log_found *files; /* mapped */
	uint32_t n_files;
	struct logged_set *sets;
	uint32_t n_sets, sets_size;
	struct key *keys;
	uint32_t n_keys, keys_size;
	struct fw_map key_ids;
	unsigned char store_key[FW_SEAL_KEY];
	struct job *jobs;
	uint64_t n_jobs, jobs_size;
	struct fw_replay_tally tally;
	struct fw_error err;
};

static int no_memory(struct replay *r)
{
	return fw_fail(&r->err, FW_ENOMEM, NULL, 0, "out of memory");
}

/* Room for one more of a list on the heap. */
static bool grow(void **items, uint64_t n, uint64_t *size, size_t element)
{
	if (n < *size)
		return true;
	uint64_t more = *size ? 2 * *size : 64;
	void *p = realloc(*items, more * element);
	if (!p)
		return false;
	*items = p;
	*size = more;
	return true;
}

static int number(struct replay *r, struct fw_replay_numbers *to, const struct fw_ruleset *set)
{
	to->slots = FW_NEW_ARRAY(&r->arena, set->n_slots, uint32_t);
	to->rules = FW_NEW_ARRAY(&r->arena, set->n_rules, uint32_t);
	if (!to->slots || !to->rules)
		return no_memory(r);
	for (uint32_t i = 0; i < set->n_slots; i++) {
		if (fw_replay_id(&r->tally.slots, &r->arena, set->slots[i].id, &to->slots[i]) < 0)
			return no_memory(r);
		r->tally.slots.channels[to->slots[i]] = set->slots[i].channel;
	}
	for (uint32_t i = 0; i < set->n_rules; i++)
		if (fw_replay_id(&r->tally.rules, &r->arena, set->rules[i].id, &to->rules[i]) < 0)
			return no_memory(r);
	return 0;
}

static int prepare_after(struct replay *r)
{
	const struct fw_ruleset *set = r->after.set;
	uint32_t n;
	for (uint32_t i = 0; i < set->n_segments; i++)
		if (fw_replay_id(&r->tally.segments, &r->arena, set->segments[i].id, &n) < 0)
			return no_memory(r);
	if (!(r->after_aside = calloc(1, fw_set_aside_bytes(set->n_rules))))
		return no_memory(r);
	r->after.decider.set_aside = r->after_aside;
	return number(r, &r->after_numbers, set);
}

static bool same_set(const struct fw_log_set *a, const struct fw_log_set *b)
{
	return fw_str_equal(a->hash, b->hash) && fw_str_equal(a->timezone, b->timezone) && fw_str_equal(a->currency, b->currency) &&
		fw_str_equal(a->version, b->version) && memcmp(&a->holdout, &b->holdout, sizeof a->holdout) == 0 &&
		memcmp(&a->names, &b->names, sizeof a->names) == 0;
}

static int load_set(struct replay *r, struct logged_set *s)
{
	struct fw_error err;
	char text[1200];
	int rc = fw_logged_set_load(r->folder, &s->about, r->after.zones, &s->rules, &err);
	if (rc < 0) {
		fprintf(stderr, "floorwalker: what was decided by it cannot be determined: %s\n", fw_error_text(&err, text, sizeof text));
		return 0;
	}
	s->counts = calloc(1, fw_counts_bytes(s->rules));
	void *aside = calloc(1, fw_set_aside_bytes(s->rules->n_rules));
	if (!s->counts || !aside || fw_decider_init(&s->decider, s->rules, s->counts, aside) < 0) {
		free(aside);
		return no_memory(r);
	}
	s->decides = true;
	s->decider.holdout = s->about.holdout;
	return number(r, &s->numbers, s->rules);
}

static int find_set(struct replay *r, const struct fw_log_found *f, uint64_t at, uint32_t *ret)
{
	struct fw_str entry;
	struct fw_log_set about = { .holdout = 0 };
	if (!fw_log_at(f->bytes, at, 'S', &entry) || fw_log_get_set(&r->arena, entry, &about) < 0)
		return FW_EINVAL;
	for (*ret = 0; *ret < r->n_sets; (*ret)++)
		if (same_set(&r->sets[*ret].about, &about))
			return 0;
	uint64_t size = r->sets_size;
	if (!grow((void **)&r->sets, r->n_sets, &size, sizeof *r->sets))
		return no_memory(r);
	r->sets_size = (uint32_t)size;
	r->sets[r->n_sets] = (struct logged_set){ .about = about };
	return load_set(r, &r->sets[r->n_sets++]);
}

static int add_key(struct replay *r, const struct key *key)
{
	uint64_t size = r->keys_size;
	if (!grow((void **)&r->keys, r->n_keys, &size, sizeof *r->keys))
		return no_memory(r);
	r->keys_size = (uint32_t)size;
	r->keys[r->n_keys++] = *key;
	return 0;
}

/* Each person is asked for once. FW_EINVAL: it is sealed by another store. */
static int find_key(struct replay *r, const struct fw_log_sealed *sealed, struct fw_arena *scratch, uint32_t *ret)
{
	struct {
		uint64_t hash, period;
	} id = { 0, 0 };
	uint32_t period;
	*ret = NOBODY;
	if (!sealed->is_person)
		return 0;
	if (fw_log_whose(sealed, r->store_key, scratch, &id.hash, &period) < 0)
		return FW_EINVAL;
	id.period = period;
	const struct fw_str name = { (const char *)&id, sizeof id };
	*ret = fw_map_get(&r->key_ids, name);
	if (*ret != FW_MAP_NONE)
		return 0;
	struct key key = { .is_there = false };
	int rc = fw_logged_person_key(&r->stored, id.hash, period, scratch, key.bytes);
	if (rc < 0 && rc != FW_ENOENT)
		return fw_fail(&r->err, rc, NULL, 0, "the store cannot be asked for the keys of what is logged");
	key.is_there = rc == 0;
	*ret = r->n_keys;
	rc = add_key(r, &key);
	return rc < 0 ? rc : fw_map_put(&r->key_ids, name, *ret) < 0 ? no_memory(r) : 0;
}

static int add_job(struct replay *r, uint32_t file, uint64_t at, const struct fw_log_decision *d, uint32_t *last_set, uint64_t *last_at,
	struct fw_arena *scratch)
{
	struct job j = { .file = file, .at = at };
	int rc = 0;
	if (*last_at != d->set_at) {
		rc = find_set(r, &r->files[file], d->set_at, last_set);
		*last_at = d->set_at;
	}
	j.set = *last_set;
	if (rc == 0)
		rc = find_key(r, &d->sealed, scratch, &j.key);
	if (rc == FW_EINVAL) {
		*last_at = 0;
		j.set = UINT32_MAX; /* nothing can be said of it */
		rc = 0;
	}
	if (rc == 0 && !grow((void **)&r->jobs, r->n_jobs, &r->jobs_size, sizeof *r->jobs))
		rc = no_memory(r);
	if (rc < 0)
		return rc;
	r->jobs[r->n_jobs++] = j;
	if (!r->tally.first_us || d->at_us < r->tally.first_us)
		r->tally.first_us = d->at_us;
	if (d->at_us > r->tally.last_us)
		r->tally.last_us = d->at_us;
	return 0;
}

/* What the files have, which rule sets made it, and whose it is. */
static int look_through(struct replay *r, uint32_t file)
{
	struct fw_log_reader reader;
	struct fw_str entry;
	struct fw_arena scratch;
	uint32_t set = 0;
	uint64_t set_at = 0;
	int rc = 0;
	if (fw_log_reader_init(&reader, r->files[file].bytes) < 0)
		return 0;
	fw_arena_init(&scratch, NULL, 0, 0);
	while (rc == 0 && fw_log_next(&reader, &entry)) {
		struct fw_log_decision d;
		fw_arena_reset(&scratch);
		if (fw_log_get_decision(entry, &d) == 0)
			rc = add_job(r, file, (uint64_t)(entry.p - r->files[file].bytes.p) - FW_LOG_FRAME, &d, &set, &set_at, &scratch);
	}
	fw_arena_finish(&scratch);
	return rc;
}

static void replay_one(struct replay *r, const struct job *j, bool verify, struct fw_arena *a)
{
	struct fw_log_found f = r->files[j->file];
	struct fw_str entry, record;
	struct fw_logged l;
	struct fw_replayed replayed;
	char id[37];
	if (j->set == UINT32_MAX || !fw_log_at(f.bytes, j->at, 'D', &entry) || fw_log_get_decision(entry, &f.decision) < 0) {
		fw_replay_tally_gap(&r->tally, FW_REPLAY_DAMAGED);
		return;
	}
	struct logged_set *s = &r->sets[j->set];
	if (!r->keys[j->key].is_there || !s->decides) {
		fw_replay_tally_gap(&r->tally, s->decides ? FW_REPLAY_ERASED : FW_REPLAY_NO_RULES);
		return;
	}
	int rc = fw_log_unseal(&f, r->keys[j->key].bytes, a, &l, &record);
	if (rc == 0 && l.explanation) {
		fw_replay_tally_pass_over(&r->tally);
		return;
	}
	if (rc == 0 && !fw_logged_fits(&l, s->rules))
		rc = FW_EINVAL;
	r->after.decider.holdout = s->about.holdout;
	if (rc == 0)
		rc = fw_replay(&l, &s->about.names, record, &s->decider, &r->after.decider, verify, a, &replayed);
	if (rc < 0) {
		fw_replay_tally_gap(&r->tally, rc == FW_ECONFLICT ? FW_REPLAY_DIFFERENT : rc == FW_ENOENT ? FW_REPLAY_NO_PRODUCTS
			: FW_REPLAY_DAMAGED);
		return;
	}
	fw_log_id_text(f.decision.id, id);
	fw_replay_tally_add(&r->tally, id, &replayed, s->rules, &s->numbers, r->after.set, &r->after_numbers);
	if (!replayed.changed)
		return;
	struct fw_eval *e = &r->after.decider.eval;
	struct fw_seen seen = { 0 };
	fw_eval_begin(e, &replayed.facts, a);
	for (uint32_t i = 0; i < r->after.set->n_segments; i++)
		if (fw_eval_segment(e, i, &seen) == FW_TRUE)
			fw_replay_tally_segment(&r->tally, fw_map_get(&r->tally.segments.map, fw_str(r->after.set->segments[i].id)));
	fw_eval_end(e);
}

/* What functions have left behind. */
static void collect(struct replay *r)
{
	fw_sandbox_collect(r->after.set->sandbox);
	for (uint32_t i = 0; i < r->n_sets; i++)
		if (r->sets[i].decides)
			fw_sandbox_collect(r->sets[i].rules->sandbox);
}

static void replay_part(struct replay *r, unsigned part, unsigned parts)
{
	struct fw_arena a;
	static max_align_t first[(256 << 10) / sizeof(max_align_t)];
	fw_arena_init(&a, first, sizeof first, 0);
	for (uint64_t i = part; i < r->n_jobs; i += parts) {
		replay_one(r, &r->jobs[i], i % VERIFY_EVERY == 0, &a);
		fw_arena_reset(&a);
		if (i / parts % COLLECT_EVERY == 0)
			collect(r);
	}
	fw_arena_finish(&a);
}

/* The decisions in turn to so many processes, which count into memory that they share. False: one of them did not end well. */
static bool run_parts(struct replay *r, unsigned parts)
{
	pid_t children[JOBS_MOST];
	bool fine = true;
	unsigned n = 0;
	fflush(NULL);
	for (; n + 1 < parts; n++) {
		children[n] = fork();
		if (children[n] == 0) {
			replay_part(r, n + 1, parts);
			_exit(0);
		}
		fine = fine && children[n] > 0;
	}
	replay_part(r, 0, parts);
	for (unsigned i = 0; i < n; i++) {
		int status = 1;
		fine = children[i] > 0 && waitpid(children[i], &status, 0) == children[i] && status == 0 && fine;
	}
	return fine;
}

static int open_log(struct replay *r, const char *path)
{
	int rc = fw_log_map_all(path, &r->arena, &r->files, &r->n_files, &r->err);
	r->folder = path;
	if (rc == 0 && r->n_files == 0)
		rc = fw_fail(&r->err, FW_ENOENT, path, 0, "there is no file of a decision log");
	return rc;
}

static int gather(struct replay *r, const struct replay_options *o)
{
	struct fw_config_decisions d = { .log = NULL };
	if (fw_opened_open(&r->after, o->config, o->rules) < 0) {
		fw_opened_report(&r->after);
		return FW_EINVAL;
	}
	int rc = prepare_after(r);
	if (rc == 0 && r->after.config)
		rc = fw_config_decisions(r->after.config, &r->arena, &d, &r->err);
	if (rc == 0 && !o->log && !d.log)
		rc = fw_fail(&r->err, FW_EINVAL, NULL, 0, "which log? The configuration keeps none: --log FOLDER");
	if (rc == 0)
		rc = open_log(r, o->log ? o->log : d.log);
	if (rc < 0)
		return rc;
	r->has_store = true;
	if (fw_stored_open(&r->stored, o->config) != FW_EXIT_DONE)
		return FW_EIO;
	fw_map_init(&r->key_ids, &r->arena);
	if ((rc = fw_logged_store_key(&r->stored, r->store_key, &r->err)) < 0)
		return rc;
	struct key own = { .is_there = true };
	memcpy(own.bytes, r->store_key, FW_SEAL_KEY);
	rc = add_key(r, &own);
	for (uint32_t i = 0; rc == 0 && i < r->n_files; i++)
		rc = look_through(r, i);
	return rc < 0 || fw_replay_tally_share(&r->tally) == 0 ? rc : no_memory(r);
}

static void close_store(struct replay *r)
{
	if (r->has_store)
		fw_stored_close(&r->stored);
	r->has_store = false;
}

static void finish(struct replay *r)
{
	close_store(r);
	for (uint32_t i = 0; i < r->n_sets; i++) {
		struct logged_set *s = &r->sets[i];
		void *aside = s->decides ? s->decider.set_aside : NULL;
		if (s->decides)
			fw_decider_finish(&s->decider);
		free(aside);
		free(s->counts);
		fw_ruleset_destroy(s->rules);
	}
	for (uint32_t i = 0; i < r->n_files; i++)
		fw_log_found_finish(&r->files[i]);
	free(r->sets);
	free(r->keys);
	free(r->jobs);
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
	close_store(r); /* nothing of it crosses a fork */
	if (rc == 0 && !run_parts(r, o->jobs))
		rc = fw_fail(&r->err, FW_EIO, NULL, 0, "a process of the replay died");
	if (rc < 0 && r->err.message[0]) {
		fputs("floorwalker: ", stderr);
		fw_opened_print(&r->err);
	}
	if (rc < 0)
		return FW_EXIT_NO;
	fw_buf_init(&b, 0);
	fw_replay_tally_print(&r->tally, o->json, &b);
	fwrite(b.data, 1, b.n, stdout);
	fw_buf_finish(&b);
	return fw_replay_tally_changed(&r->tally) > o->fail_above ? FW_EXIT_NO : FW_EXIT_DONE;
}

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > JOBS_MOST ? JOBS_MOST : (unsigned)n;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' }, { "config", required_argument, NULL, 'c' },
		{ "log", required_argument, NULL, 'l' }, { "fail-above", required_argument, NULL, 'f' },
		{ "samples", required_argument, NULL, 's' }, { "jobs", required_argument, NULL, 'p' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct replay_options o = { .fail_above = 100, .jobs = processors() };
	double samples = SAMPLES, jobs = o.jobs;
	bool fine = true;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r': o.rules = optarg; break;
		case 'c': o.config = optarg; break;
		case 'l': o.log = optarg; break;
		case 'f': fine = fine && read_number(optarg, 100, &o.fail_above); break;
		case 's': fine = fine && read_number(optarg, FW_REPLAY_SAMPLES_MOST, &samples); break;
		case 'p': fine = fine && read_number(optarg, JOBS_MOST, &jobs) && jobs >= 1; break;
		case 'j': o.json = true; break;
		default: return fw_command_misused(&fw_command_replay, NULL);
		}
	}
	if (optind < argc)
		return fw_command_misused(&fw_command_replay, "it takes options only");
	if (!fine)
		return fw_command_misused(&fw_command_replay,
			"--fail-above wants per cent, --samples a number up to 1000, --jobs one from 1 to 64");
	struct replay r = { .n_files = 0 };
	fw_arena_init(&r.arena, NULL, 0, 0);
	r.tally.n_samples = (uint32_t)samples;
	o.jobs = (unsigned)jobs;
	int status = replay(&r, &o);
	finish(&r);
	return status;
}

const struct fw_command fw_command_replay = {
	.name = "replay",
	.summary = "makes logged decisions again by other rules, and says what changes",
	.usage = "usage: floorwalker replay [--rules DIR] [--config FILE] [--log PATH] [--fail-above PERCENT] [--samples N] [--jobs N]\n"
		 "                          [--json]\n\n"
		 "  --rules DIR    the other rules (else those on disk of the configuration)\n"
		 "  --config FILE  the configuration, whose store has the keys of what is logged\n"
		 "  --log PATH     the folder of the decision log (else the configuration's)\n"
		 "  --fail-above P exit status 1 if more than so many per cent of the decisions change\n"
		 "  --samples N    decisions that change, shown one by one (5)\n"
		 "  --jobs N       processes (one a processor)\n"
		 "  --json         as JSON\n",
	.run = run,
};

#include "cli/log_walk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "server/config_decisions.h"

enum { NOBODY = 0, COLLECT_EVERY = 32, SORT_AT = 1 << 16, READ_AT_ONCE = 1 << 12 };
#define UNASKED UINT32_MAX /* a person whose key is still to be asked for */
#define NO_SET UINT32_MAX  /* nothing can be said of it */

/* A person's key; the first is the store's, of nobody in particular. */
struct fw_walk_key {
	bool is_there;
	unsigned char bytes[FW_SEAL_KEY];
};

/* A decision that was found. */
struct fw_walk_job {
	uint32_t file, set, key, period; /* of the person's key */
	uint64_t at, set_at, person;     /* by the hash of the row */
	int64_t at_us;
};

static int no_memory(struct fw_log_walk *w)
{
	return fw_fail(&w->err, FW_ENOMEM, NULL, 0, "out of memory");
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

static bool same_set(const struct fw_log_set *a, const struct fw_log_set *b)
{
	return fw_str_equal(a->hash, b->hash) && fw_str_equal(a->timezone, b->timezone) && fw_str_equal(a->currency, b->currency) &&
		fw_str_equal(a->version, b->version) && memcmp(&a->holdout, &b->holdout, sizeof a->holdout) == 0 &&
		memcmp(&a->names, &b->names, sizeof a->names) == 0;
}

static int load_rules(struct fw_log_walk *w, struct fw_walk_set *s)
{
	struct fw_error err;
	char text[1200];
	int rc = fw_logged_set_load(w->folder, &s->about, w->opened->zones, &s->rules, &s->templates, &err);
	if (rc < 0) {
		fprintf(stderr, "floorwalker: what was decided by it cannot be determined: %s\n", fw_error_text(&err, text, sizeof text));
		return 0;
	}
	s->counts = calloc(1, fw_counts_bytes(s->rules));
	void *aside = calloc(1, fw_set_aside_bytes(s->rules->n_rules));
	if (!s->counts || !aside || fw_decider_init(&s->decider, s->rules, s->counts, aside) < 0) {
		free(aside);
		return no_memory(w);
	}
	s->decides = true;
	s->decider.holdout = s->about.holdout;
	return 0;
}

static int find_set(struct fw_log_walk *w, const struct fw_log_found *f, uint64_t at, uint32_t *ret)
{
	struct fw_str entry;
	struct fw_log_set about = { .holdout = 0 };
	if (!fw_log_at(f->bytes, at, 'S', &entry) || fw_log_get_set(&w->arena, entry, &about) < 0)
		return FW_EINVAL;
	for (*ret = 0; *ret < w->n_sets; (*ret)++)
		if (same_set(&w->sets[*ret].about, &about))
			return 0;
	uint64_t size = w->sets_size;
	if (!grow((void **)&w->sets, w->n_sets, &size, sizeof *w->sets))
		return no_memory(w);
	w->sets_size = (uint32_t)size;
	struct fw_walk_set *s = &w->sets[w->n_sets++];
	*s = (struct fw_walk_set){ .about = about };
	int rc = load_rules(w, s);
	return rc == 0 && w->on_set ? w->on_set(w->ctx, s, &w->err) : rc;
}

static int add_key(struct fw_log_walk *w, const struct fw_walk_key *key)
{
	uint64_t size = w->keys_size;
	if (!grow((void **)&w->keys, w->n_keys, &size, sizeof *w->keys))
		return no_memory(w);
	w->keys_size = (uint32_t)size;
	w->keys[w->n_keys++] = *key;
	return 0;
}

/* Each person is asked for once. */
static int find_key(struct fw_log_walk *w, struct fw_walk_job *j, struct fw_arena *scratch)
{
	const uint64_t id[] = { j->person, j->period };
	const struct fw_str name = { (const char *)id, sizeof id };
	if (j->key == NOBODY || (j->key = fw_map_get(&w->key_ids, name)) != FW_MAP_NONE)
		return 0;
	struct fw_walk_key key = { .is_there = false };
	int rc = fw_logged_person_key(&w->stored, j->person, j->period, scratch, key.bytes);
	if (rc < 0 && rc != FW_ENOENT)
		return fw_fail(&w->err, rc, NULL, 0, "the store cannot be asked for the keys of what is logged");
	key.is_there = rc == 0;
	j->key = w->n_keys;
	rc = add_key(w, &key);
	return rc < 0 ? rc : fw_map_put(&w->key_ids, name, j->key) < 0 ? no_memory(w) : 0;
}

static int compare(const void *a, const void *b)
{
	const struct fw_walk_job *x = a, *y = b;
	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

/* Each worker has files of its own: by their time, and then the last of them. */
static void sort_jobs(struct fw_log_walk *w)
{
	qsort(w->jobs, w->n_jobs, sizeof *w->jobs, compare);
	if (w->most && w->n_jobs > w->most) {
		memmove(w->jobs, w->jobs + (w->n_jobs - w->most), w->most * sizeof *w->jobs);
		w->n_jobs = w->most;
	}
}

/* A log may have far more than the last that are asked for. */
static int add_job(struct fw_log_walk *w, const struct fw_walk_job *j)
{
	if (w->most && w->n_jobs >= SORT_AT && w->n_jobs / 2 >= w->most)
		sort_jobs(w);
	if (!grow((void **)&w->jobs, w->n_jobs, &w->jobs_size, sizeof *w->jobs))
		return no_memory(w);
	w->jobs[w->n_jobs++] = *j;
	return 0;
}

/* What the file has. */
static int look_through(struct fw_log_walk *w, uint32_t file)
{
	struct fw_log_reader reader;
	struct fw_str entry;
	int rc = 0;
	if (fw_log_reader_init(&reader, w->files[file].bytes) < 0)
		return 0;
	while (rc == 0 && fw_log_next(&reader, &entry)) {
		struct fw_log_decision d;
		if (fw_log_get_decision(entry, &d) == 0 && d.at_us >= w->since_us)
			rc = add_job(w, &(struct fw_walk_job){ .file = file, .at_us = d.at_us,
				.at = (uint64_t)(entry.p - w->files[file].bytes.p) - FW_LOG_FRAME });
	}
	w->n_damaged += reader.damaged;
	return rc;
}

/* Where the rule set that made it stands, and whose it is, unless another store sealed it. */
static void read_job(const struct fw_log_walk *w, struct fw_walk_job *j, struct fw_arena *scratch)
{
	struct fw_log_decision d;
	struct fw_str entry;
	j->set = NO_SET;
	if (!fw_log_entry(w->files[j->file].bytes, j->at, &entry) || fw_log_get_decision(entry, &d) < 0)
		return;
	j->set_at = d.set_at;
	j->key = d.sealed.is_person ? UNASKED : NOBODY;
	if (!d.sealed.is_person || fw_log_whose(&d.sealed, w->store_key, scratch, &j->person, &j->period) == 0)
		j->set = 0;
}

struct part {
	struct fw_log_walk *walk;
	uint64_t from, to;
	pthread_t thread;
	bool has_thread;
};

static void *read_part(void *ctx)
{
	struct part *p = ctx;
	struct fw_arena scratch;
	fw_arena_init(&scratch, NULL, 0, 0);
	for (uint64_t i = p->from; i < p->to; i++) {
		read_job(p->walk, &p->walk->jobs[i], &scratch);
		fw_arena_reset(&scratch);
	}
	fw_arena_finish(&scratch);
	fw_seal_forget();
	return NULL;
}

/* To open what says whose it is takes most of the time before anything is walked, so as many do it as then walk. */
static void read_jobs(struct fw_log_walk *w)
{
	struct part parts[FW_WALK_JOBS_MOST];
	uint64_t most = w->n_jobs / READ_AT_ONCE + 1, n = w->processes < most ? w->processes : most;
	for (uint64_t i = 0; i < n; i++) {
		parts[i] = (struct part){ .walk = w, .from = w->n_jobs * i / n, .to = w->n_jobs * (i + 1) / n };
		parts[i].has_thread = i + 1 < n && pthread_create(&parts[i].thread, NULL, read_part, &parts[i]) == 0;
		if (!parts[i].has_thread)
			read_part(&parts[i]);
	}
	for (uint64_t i = 0; i < n; i++)
		if (parts[i].has_thread)
			pthread_join(parts[i].thread, NULL);
}

/* Of a file, the rule set that was looked up last. */
struct last_set {
	uint64_t at; /* 0: none was */
	uint32_t set;
};

/* Which rule set made it, and the key that seals it. */
static int trace_job(struct fw_log_walk *w, struct fw_walk_job *j, struct last_set *last, struct fw_arena *scratch)
{
	if (j->set == NO_SET)
		return 0;
	if (!last->at || last->at != j->set_at) {
		int rc = find_set(w, &w->files[j->file], j->set_at, &last->set);
		last->at = rc == 0 ? j->set_at : 0;
		if (rc == FW_EINVAL)
			j->set = NO_SET;
		if (rc < 0)
			return rc == FW_EINVAL ? 0 : rc;
	}
	j->set = last->set;
	return find_key(w, j, scratch);
}

static int trace_jobs(struct fw_log_walk *w)
{
	struct last_set *last = FW_NEW_ARRAY(&w->arena, w->n_files, struct last_set);
	struct fw_arena scratch;
	int rc = last ? 0 : no_memory(w);
	fw_arena_init(&scratch, NULL, 0, 0);
	read_jobs(w);
	for (uint64_t i = 0; i < w->n_jobs && rc == 0; i++) {
		rc = trace_job(w, &w->jobs[i], &last[w->jobs[i].file], &scratch);
		fw_arena_reset(&scratch);
	}
	fw_arena_finish(&scratch);
	return rc;
}

static int open_log(struct fw_log_walk *w, const char *path)
{
	struct fw_config_decisions d = { .log = NULL };
	int rc = w->opened->config ? fw_config_decisions(w->opened->config, &w->arena, &d, &w->err) : 0;
	if (rc < 0)
		return rc;
	if (!path && !d.log)
		return fw_fail(&w->err, FW_EINVAL, NULL, 0, "which log? The configuration keeps none: --log FOLDER");
	w->folder = path ? path : d.log;
	rc = fw_log_map_all(w->folder, &w->arena, &w->files, &w->n_files, &w->err);
	return rc == 0 && w->n_files == 0 ? fw_fail(&w->err, FW_ENOENT, w->folder, 0, "there is no file of a decision log") : rc;
}

static void close_store(struct fw_log_walk *w)
{
	if (w->has_store)
		fw_stored_close(&w->stored);
	w->has_store = false;
}

int fw_log_walk_open(struct fw_log_walk *w, struct fw_opened *opened, const char *config, const char *log)
{
	fw_arena_init(&w->arena, NULL, 0, 0);
	fw_map_init(&w->key_ids, &w->arena);
	w->opened = opened;
	int rc = open_log(w, log);
	if (rc < 0)
		return rc;
	w->has_store = true;
	if (fw_stored_open(&w->stored, config) != FW_EXIT_DONE)
		return FW_EIO;
	if ((rc = fw_logged_store_key(&w->stored, w->store_key, &w->err)) < 0)
		return rc;
	struct fw_walk_key own = { .is_there = true };
	memcpy(own.bytes, w->store_key, FW_SEAL_KEY);
	rc = add_key(w, &own);
	for (uint32_t i = 0; rc == 0 && i < w->n_files; i++)
		rc = look_through(w, i);
	if (rc == 0 && w->n_jobs) {
		sort_jobs(w);
		w->first_us = w->jobs[0].at_us;
		w->last_us = w->jobs[w->n_jobs - 1].at_us;
		rc = trace_jobs(w);
	}
	close_store(w); /* nothing of it crosses a fork */
	return rc;
}

static void walk_one(struct fw_log_walk *w, uint64_t n, struct fw_arena *a)
{
	const struct fw_walk_job *j = &w->jobs[n];
	struct fw_log_found f = w->files[j->file];
	struct fw_walked one = { .n = n };
	struct fw_str entry;
	if (j->set == NO_SET || !fw_log_entry(f.bytes, j->at, &entry) || fw_log_get_decision(entry, &f.decision) < 0) {
		w->on_gap(w->ctx, FW_WALK_DAMAGED);
		return;
	}
	one.set = &w->sets[j->set];
	if (!w->keys[j->key].is_there || !one.set->decides) {
		w->on_gap(w->ctx, one.set->decides ? FW_WALK_ERASED : FW_WALK_NO_RULES);
		return;
	}
	if (fw_log_unseal(&f, w->keys[j->key].bytes, a, &one.logged, &one.record) < 0 ||
		(!one.logged.explanation && !fw_logged_fits(&one.logged, one.set->rules))) {
		w->on_gap(w->ctx, FW_WALK_DAMAGED);
		return;
	}
	fw_log_id_text(f.decision.id, one.id);
	one.at_us = f.decision.at_us;
	w->on_decision(w->ctx, &one, a);
}

/* What functions have left behind. */
static void collect(struct fw_log_walk *w)
{
	fw_sandbox_collect(w->opened->set->sandbox);
	for (uint32_t i = 0; i < w->n_sets; i++)
		if (w->sets[i].decides)
			fw_sandbox_collect(w->sets[i].rules->sandbox);
}

static void walk_part(struct fw_log_walk *w, unsigned part, unsigned parts)
{
	struct fw_arena a;
	static max_align_t first[(256 << 10) / sizeof(max_align_t)];
	fw_arena_init(&a, first, sizeof first, 0);
	for (uint64_t i = part; i < w->n_jobs; i += parts) {
		walk_one(w, i, &a);
		fw_arena_reset(&a);
		if (i / parts % COLLECT_EVERY == 0)
			collect(w);
	}
	fw_arena_finish(&a);
}

bool fw_log_walk_run(struct fw_log_walk *w)
{
	pid_t children[FW_WALK_JOBS_MOST];
	bool fine = true;
	unsigned n = 0;
	fflush(NULL);
	for (; n + 1 < w->processes; n++) {
		children[n] = fork();
		if (children[n] == 0) {
			walk_part(w, n + 1, w->processes);
			_exit(0);
		}
		fine = fine && children[n] > 0;
	}
	walk_part(w, 0, w->processes);
	for (uint64_t i = 0; i < w->n_damaged; i++)
		w->on_gap(w->ctx, FW_WALK_DAMAGED);
	for (unsigned i = 0; i < n; i++) {
		int status = 1;
		fine = children[i] > 0 && waitpid(children[i], &status, 0) == children[i] && status == 0 && fine;
	}
	return fine;
}

void fw_log_walk_finish(struct fw_log_walk *w)
{
	close_store(w);
	for (uint32_t i = 0; i < w->n_sets; i++) {
		struct fw_walk_set *s = &w->sets[i];
		void *aside = s->decides ? s->decider.set_aside : NULL;
		if (s->decides)
			fw_decider_finish(&s->decider);
		free(aside);
		free(s->counts);
		fw_ruleset_destroy(s->rules);
	}
	for (uint32_t i = 0; i < w->n_files; i++)
		fw_log_found_finish(&w->files[i]);
	free(w->sets);
	free(w->keys);
	free(w->jobs);
	fw_arena_finish(&w->arena);
}

unsigned fw_log_walk_processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > FW_WALK_JOBS_MOST ? FW_WALK_JOBS_MOST : (unsigned)n;
}

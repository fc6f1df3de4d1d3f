/* The events that were refused: looked at, sent once more, dropped. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/stored.h"
#include "people/dead.h"
#include "server/config_signals.h"
#include "server/ingest.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_letters = {
	.name = "dead-letters",
	.summary = "events that were refused: list, show, replay, drop",
	.usage = "usage: floorwalker dead-letters list [--code CODE] [--json] [--config FILE]\n"
		"       floorwalker dead-letters show ID [--config FILE]\n"
		"       floorwalker dead-letters replay ID…|--all [--code CODE] [--config FILE]\n"
		"       floorwalker dead-letters drop ID…|--all [--code CODE] [--config FILE]\n\n"
		"A refused event is kept with its reason for 30 days. `replay` takes it as if it came in now, at the time it "
		"says; what is\n"
		"stored then is no dead letter any more, what is refused again stays.\n\n"
		"  --code CODE    only those refused for that reason (no_user_anon_id, too_late …)\n"
		"  --all          every one, instead of the ids named\n"
		"  --json         a JSON object a line\n"
		"  --config FILE  the configuration (default: ./floorwalker.lua, /etc/floorwalker/floorwalker.lua)\n\n"
		"Exit status: 0, or 1 when an id is not there or an event is refused again.\n",
	.run = run,
};

enum action { LIST, SHOW, REPLAY, DROP };

struct job {
	struct fw_stored stored;
	enum action action;
	const char *code;
	bool all, json;
	char **ids;
	int n_ids;
	struct fw_arena arena;  /* of the letters */
	struct fw_dead *letters;
	size_t n, size;
	bool failed, read;
	struct fw_signal_config signal_config;
	struct fw_signal_shared *shared;
	struct fw_signal *signals;
};

static bool is_wanted(const struct job *j, const struct fw_dead *d)
{
	if (j->code && !fw_str_is(d->code, j->code))
		return false;
	for (int i = 0; i < j->n_ids; i++)
		if (strcmp(j->ids[i], d->id) == 0)
			return true;
	return j->n_ids == 0;
}

static void on_letter(void *ctx, const struct fw_dead *d)
{
	struct job *j = ctx;
	if (!is_wanted(j, d))
		return;
	if (j->n == j->size) {
		size_t size = j->size ? j->size * 2 : 64;
		struct fw_dead *more = realloc(j->letters, size * sizeof *more);
		if (!more) {
			j->failed = true;
			return;
		}
		j->letters = more;
		j->size = size;
	}
	j->letters[j->n++] = *d;
}

static void on_read(void *ctx, int rc)
{
	struct job *j = ctx;
	j->failed |= rc < 0;
	j->read = true;
}

static int by_time(const void *a, const void *b)
{
	const struct fw_dead *x = a, *y = b;
	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

static int read_letters(struct job *j)
{
	struct fw_dead_reader reader = { on_letter, on_read, j };
	for (uint32_t bucket = 0; bucket < FW_STORE_BUCKETS && !j->failed; bucket++) {
		j->read = false;
		fw_dead_list(j->stored.store, bucket, &j->arena, &reader);
		fw_stored_wait(&j->stored, &j->read);
	}
	if (j->failed) {
		fputs("floorwalker: the dead letters cannot be read; try floorwalker store check\n", stderr);
		return FW_EXIT_NO;
	}
	if (j->n)
		qsort(j->letters, j->n, sizeof *j->letters, by_time);
	if ((int)j->n < j->n_ids)
		fprintf(stderr, "floorwalker: %d of the ids are not there (any more)\n", j->n_ids - (int)j->n);
	return (int)j->n < j->n_ids ? FW_EXIT_NO : FW_EXIT_DONE;
}

static void print_json(const struct fw_dead *d)
{
	struct fw_buf b;
	struct fw_json_out o;
	char at[32];
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "id");
	fw_json_text_value(&o, d->id);
	fw_json_key(&o, "at");
	fw_json_text_value(&o, fw_time_text(d->at_us, at));
	fw_dead_write(&o, d);
	fw_json_close_object(&o);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

static void print(const struct job *j, const struct fw_dead *d)
{
	char at[32];
	if (j->json || j->action == SHOW)
		print_json(d);
	else
		printf("%s  %s  %-18.*s %.*s\n", d->id, fw_time_text(d->at_us, at), (int)d->code.n, d->code.p, (int)d->message.n,
			d->message.p);
}

static int drop(struct job *j, const struct fw_dead *d)
{
	struct fw_stored_wait wait = { 0 };
	int rc = fw_dead_drop(j->stored.store, d->id, fw_stored_committed, &wait);
	return rc < 0 ? rc : fw_stored_answer(&j->stored, &wait);
}

/* 0, FW_EINVAL when it is refused again (said), or what the store says. */
static int replay(struct job *j, const struct fw_dead *d)
{
	struct fw_arena arena, scratch;
	struct fw_json *element;
	struct fw_refusal refusal = { .code = "", .message = "it was too large to be kept" };
	struct fw_people_event event = { 0 };
	struct fw_stored_wait wait = { 0 };
	struct fw_people_group group = { .done = fw_stored_done, .ctx = &wait };
	fw_arena_init(&arena, NULL, 0, 0);
	fw_arena_init(&scratch, NULL, 0, 0);
	struct fw_ingest_reader reader = {
		.arena = &arena, .scratch = &scratch, .signals = j->signals, .consent = &j->signal_config.consent,
		.identity_key = j->stored.config->identity_key, .secret = fw_str_is(d->sender, "secret"),
		.frame = { .type = -1, .received_us = fw_now_us() }, .vouched = fw_str_is(d->sender, "signed"),
	};
	int rc = d->event.n ? fw_json_parse(&arena, d->event.p, d->event.n, &element, NULL) : FW_EINVAL;
	if (rc == 0)
		rc = fw_ingest_read(&reader, element, &event, &refusal);
	if (rc == 0) {
		fw_people_apply(j->stored.people, &event, 1, &group);
		rc = fw_stored_answer(&j->stored, &wait);
		if (rc == 0 && fw_ingest_refused(&event, &refusal))
			rc = FW_EINVAL;
	}
	if (rc == FW_EINVAL)
		printf("%s  refused again: %s\n", d->id, refusal.message);
	fw_arena_finish(&arena);
	fw_arena_finish(&scratch);
	return rc;
}

static int open_signals(struct job *j)
{
	struct fw_error err = { .message = "out of memory" };
	char text[1200];
	if (j->action != REPLAY || (fw_config_signals(j->stored.config, &j->stored.arena, &j->signal_config) == 0 &&
			fw_signal_shared_create(&j->signal_config, &j->shared, &err) == 0 &&
			(j->signals = fw_signal_create(j->shared, NULL))))
		return FW_EXIT_DONE;
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(&err, text, sizeof text));
	return FW_EXIT_NO;
}

static int act(struct job *j)
{
	int status = read_letters(j);
	size_t done = 0;
	for (size_t i = 0; i < j->n; i++) {
		int rc = 0;
		if (j->action == LIST || j->action == SHOW)
			print(j, &j->letters[i]);
		else if (j->action == REPLAY)
			rc = replay(j, &j->letters[i]);
		if (rc == 0 && (j->action == REPLAY || j->action == DROP))
			rc = drop(j, &j->letters[i]);
		if (rc < 0 && rc != FW_EINVAL)
			fprintf(stderr, "floorwalker: %s: the store cannot be written; try again\n", j->letters[i].id);
		if (rc < 0)
			status = FW_EXIT_NO;
		done += rc == 0;
	}
	if (j->action == REPLAY || j->action == DROP)
		printf("%zu %s\n", done, j->action == REPLAY ? "replayed" : "dropped");
	return status;
}

static int misused(const char *cause)
{
	return fw_command_misused(&fw_command_letters, cause);
}

static int find_action(const char *word)
{
	static const char *const words[] = { "list", "show", "replay", "drop" };
	for (int i = 0; i < 4; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "all", no_argument, NULL, 'a' }, { "code", required_argument, NULL, 'k' }, { 0 } };
	struct job j = { 0 };
	const char *config = NULL;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'j': j.json = true; break;
		case 'a': j.all = true; break;
		case 'k': j.code = optarg; break;
		default: return misused(NULL);
		}
	}
	int action = optind < argc ? find_action(argv[optind]) : -1;
	if (action < 0)
		return misused("write list, show, replay or drop");
	j.action = (enum action)action;
	j.ids = argv + optind + 1;
	j.n_ids = argc - optind - 1;
	if (j.action == LIST ? j.n_ids != 0 : (j.n_ids == 0) != (j.action != SHOW && (j.all || j.code)))
		return misused(j.action == LIST ? "list takes no ids" : j.action == SHOW ? "which one?" : "name ids, or --all");
	fw_arena_init(&j.arena, NULL, 0, 0);
	int status = fw_stored_open(&j.stored, config);
	if (status == FW_EXIT_DONE)
		status = open_signals(&j);
	if (status == FW_EXIT_DONE)
		status = act(&j);
	fw_signal_destroy(j.signals);
	fw_signal_shared_destroy(j.shared);
	fw_stored_close(&j.stored);
	fw_arena_finish(&j.arena);
	free(j.letters);
	return status;
}

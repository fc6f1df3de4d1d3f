/* Bulk history: an element of /v1/batch's `batch` a line. A line counts once, whatever happens: its person remembers how far
 * into which file it has come, and the store how far everybody has. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/stored.h"
#include "people/key.h"
#include "server/config_signals.h"
#include "server/ingest.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_import = {
	.name = "import",
	.summary = "bulk history: events, one a line",
	.usage = "usage: floorwalker import [--config FILE] [--json] FILE…\n\n"
		"Reads events in the shape of an element of /v1/batch's `batch`, one JSON object a line, and applies each to its person,\n"
		"however old it is. Nothing is triggered. A line counts once: an import that was interrupted is simply started "
		"again, and a\n"
		"file that has grown is read from where it ended. Runs beside a daemon that serves, or without one.\n\n"
		"  --config FILE  the configuration (default: ./floorwalker.lua, /etc/floorwalker/floorwalker.lua)\n"
		"  --json         the summary as JSON\n\n"
		"Exit status: 0 when every line was applied now or before, 1 when some were refused (each is named).\n",
	.run = run,
};

enum { LINES_AT_ONCE = 1000, LINE_MOST = FW_LIMIT_EVENT_BYTES, REFUSALS_SHOWN = 20, NAMED_BYTES = 4096, TELL_EVERY_US = 1000000,
	AGAIN_MS = 200 };

struct import {
	struct fw_stored stored;
	struct fw_signal_shared *shared;
	struct fw_signal *signals;
	struct fw_signal_config signal_config;
	struct fw_arena arena, scratch;
	bool json;
	int64_t told_us;
	int64_t away_us; /* since when the store is out of reach, monotonic; 0: it is not */
	uint64_t lines, applied, repeated, refused, skipped_bytes;

	const char *path;
	uint64_t file;
	FILE *stream;
	char first[NAMED_BYTES]; /* what it begins with */
	size_t first_n;
	int64_t offset; /* of the next line */
	uint64_t number;
};

static void say(const struct import *in, const char *what)
{
	fprintf(stderr, "%s: %s\n", in->path, what);
}

/* Since when the store is out of reach; the first time it is said what happens now. */
static void note_away(struct import *in, int rc)
{
	if (rc != FW_EAWAY) {
		in->away_us = 0;
	} else if (!in->away_us) {
		in->away_us = fw_monotonic_us();
		fprintf(stderr, "%s: the store is out of reach; it is asked again for %d s\n", in->path, FW_LIMIT_IMPORT_AWAY_MS / 1000);
	}
}

/* Whether to ask again, after a moment: the store is busy, or out of reach since not too long. Whatever became of what was asked, a line
 * counts once. */
static bool is_to_ask_again(struct import *in, int rc)
{
	note_away(in, rc);
	if (rc != FW_EBUSY && (rc != FW_EAWAY || fw_monotonic_us() - in->away_us > INT64_C(1000) * FW_LIMIT_IMPORT_AWAY_MS))
		return false;
	fw_stored_pause(&in->stored, AGAIN_MS);
	return true;
}

/* How far a file has come: its row in the store. */
struct progress {
	int64_t offset;
	uint64_t lines;
	size_t named_n; /* so many bytes that it begins with … */
	uint64_t named; /* … have this hash */
};
enum { PROGRESS_BYTES = 28 };

static void progress_key(uint64_t file, struct fw_key *key)
{
	key->bytes[0] = 'I';
	fw_key_number(key->bytes + 1, file, 8);
	key->n = 9;
	key->bucket = fw_store_bucket(file);
}

struct found {
	bool done;
	int rc;
	struct progress progress; /* named_n 0: there is none */
};

static void on_progress(void *ctx, int rc, const struct fw_row *row)
{
	struct found *f = ctx;
	const char *p = row ? row->value.p : NULL;
	f->rc = rc;
	f->done = true;
	if (rc == 0 && p && row->value.n == PROGRESS_BYTES)
		f->progress = (struct progress){ (int64_t)fw_key_read(p, 8), fw_key_read(p + 8, 8), (size_t)fw_key_read(p + 16, 4),
			fw_key_read(p + 20, 8) };
}

static int read_progress(struct import *in, struct progress *ret)
{
	struct found f;
	struct fw_key key;
	progress_key(in->file, &key);
	do {
		f = (struct found){ .rc = FW_EAWAY };
		fw_store_get(in->stored.store, key.bucket, fw_key_str(&key), &in->arena, on_progress, &f);
		fw_stored_wait(&in->stored, &f.done);
	} while (is_to_ask_again(in, f.rc));
	*ret = f.progress;
	return f.rc;
}

static int write_progress(struct import *in, const struct progress *p, uint64_t expected)
{
	char value[PROGRESS_BYTES];
	struct fw_key key;
	int rc;
	progress_key(in->file, &key);
	fw_key_number(value, (uint64_t)p->offset, 8);
	fw_key_number(value + 8, p->lines, 8);
	fw_key_number(value + 16, p->named_n, 4);
	fw_key_number(value + 20, p->named, 8);
	struct fw_change change = { FW_CHANGE_PUT, fw_key_str(&key), { value, sizeof value }, expected };
	struct fw_batch batch = { key.bucket, &change, 1 };
	do {
		struct fw_stored_wait wait = { 0 };
		rc = fw_store_commit(in->stored.store, &batch, fw_stored_committed, &wait);
		rc = rc < 0 ? rc : fw_stored_answer(&in->stored, &wait);
	} while (is_to_ask_again(in, rc));
	return rc;
}

/* The file's first lines, as far as they were imported, are its name. */
static int save_progress(struct import *in)
{
	size_t n = (size_t)in->offset < in->first_n ? (size_t)in->offset : in->first_n;
	struct progress p = { in->offset, in->number, n, fw_hash(in->first, n) };
	return n ? write_progress(in, &p, FW_VERSION_ANY) : 0;
}

/* Finds how far this file has come, under whatever path: the number under which it is known follows from its first line, the one
 * after it where the store has another file that begins with that line. A file nobody knows gets its row before its first line
 * is applied. Nothing is known of a file without a whole line. */
static int find_progress(struct import *in)
{
	in->first_n = fread(in->first, 1, sizeof in->first, in->stream);
	const char *line = memchr(in->first, '\n', in->first_n);
	if (ferror(in->stream))
		return FW_EIO;
	size_t line_n = line ? (size_t)(line - in->first) + 1 : in->first_n;
	uint64_t first = fw_hash(in->first, line_n);
	if (!line && in->first_n < sizeof in->first)
		in->first_n = 0;
	int rc = 0;
	for (uint64_t other = 0; rc == 0 && in->first_n; other++) {
		struct progress p;
		in->file = other ? fw_hash(&(uint64_t[2]){ first, other }, 16) : first;
		rc = read_progress(in, &p);
		if (rc == 0 && p.named_n == 0) {
			p = (struct progress){ 0, 0, line_n, first };
			rc = write_progress(in, &p, FW_VERSION_NONE);
			if (rc == FW_ECONFLICT) { /* another import was faster: whose file is it? */
				rc = 0;
				other--;
				continue;
			}
		}
		if (rc == 0 && p.named_n <= in->first_n && fw_hash(in->first, p.named_n) == p.named) {
			in->offset = p.offset;
			in->number = p.lines;
			break;
		}
	}
	in->skipped_bytes += (uint64_t)in->offset;
	return rc < 0 ? rc : fseeko(in->stream, in->offset, SEEK_SET) < 0 ? FW_EIO : 0;
}

static void refuse(struct import *in, const char *message, const char *hint)
{
	if (in->refused++ < REFUSALS_SHOWN)
		fprintf(stderr, "%s:%" PRIu64 ": %s%s%s\n", in->path, in->number, message, hint && hint[0] ? "; " : "", hint ? hint : "");
	else if (in->refused == REFUSALS_SHOWN + 1)
		fputs("… and more; the summary counts them\n", stderr);
}

/* What was not added, by the line where it stands. */
static bool refuse_event(struct import *in, const struct fw_people_event *e, uint64_t number)
{
	struct fw_refusal refusal;
	uint64_t last = in->number;
	if (!fw_ingest_refused(e, &refusal))
		return false;
	in->number = number;
	refuse(in, refusal.message, NULL);
	in->number = last;
	return true;
}

/* One line into an event, or a refusal. FW_ENOMEM. */
static int read_line(struct import *in, const char *line, size_t n, int64_t offset, struct fw_people_event *events, unsigned *n_events)
{
	struct fw_json *element;
	struct fw_error err;
	struct fw_refusal refusal = { .code = "" };
	struct fw_people_event *e = &events[*n_events];
	struct fw_ingest_reader reader = {
		.arena = &in->arena, .scratch = &in->scratch, .signals = in->signals, .consent = &in->signal_config.consent,
		.identity_key = in->stored.config->identity_key, .secret = true,
		.frame = { .type = -1, .received_us = fw_now_us(), .imported = true },
	};
	if (n > LINE_MOST) {
		snprintf(refusal.message, sizeof refusal.message, "the event has %zu bytes; at most %d are taken", n, LINE_MOST);
		refuse(in, refusal.message, NULL);
		return 0;
	}
	int rc = fw_json_parse(&in->arena, line, n, &element, &err);
	if (rc == FW_EINVAL) {
		refuse(in, err.message, err.hint);
		return 0;
	}
	memset(e, 0, sizeof *e);
	if (rc == 0 && (rc = fw_ingest_read(&reader, element, e, &refusal)) == FW_EINVAL) {
		refuse(in, refusal.message, NULL);
		return 0;
	}
	if (rc < 0)
		return rc;
	e->import_file = in->file;
	e->import_offset = offset;
	++*n_events;
	return 0;
}

static int apply(struct import *in, struct fw_people_event *events, const uint64_t *numbers, unsigned n)
{
	int rc;
	do {
		struct fw_stored_wait wait = { 0 };
		struct fw_people_group group = { .done = fw_stored_done, .ctx = &wait };
		fw_people_apply(in->stored.people, events, n, &group);
		rc = fw_stored_answer(&in->stored, &wait);
	} while (is_to_ask_again(in, rc));
	for (unsigned i = 0; i < n && rc == 0; i++) {
		bool refused = refuse_event(in, &events[i], numbers[i]);
		in->applied += !events[i].repeated && !refused;
		in->repeated += events[i].repeated;
	}
	return rc;
}

static void tell(struct import *in, bool last)
{
	int64_t now = fw_monotonic_us();
	if (!isatty(STDERR_FILENO) || (!last && now - in->told_us < TELL_EVERY_US))
		return;
	in->told_us = now;
	fprintf(stderr, "\r%s: %" PRIu64 " line%s%s", in->path, in->number, in->number == 1 ? "" : "s", last ? "\n" : "");
}

/* 1: there may be more; 0: the file has ended; or what went wrong. */
static int import_chunk(struct import *in)
{
	struct fw_people_event *events = FW_NEW_ARRAY(&in->arena, LINES_AT_ONCE, struct fw_people_event);
	char *line = NULL;
	size_t size = 0;
	ssize_t n = 0;
	unsigned n_events = 0;
	uint64_t *numbers = FW_NEW_ARRAY(&in->arena, LINES_AT_ONCE, uint64_t);
	int rc = events && numbers ? 0 : FW_ENOMEM;
	for (unsigned i = 0; rc == 0 && i < LINES_AT_ONCE && (n = getline(&line, &size, in->stream)) > 0; i++) {
		if (line[n - 1] != '\n')
			break; /* not written to its end yet */
		int64_t offset = in->offset;
		in->offset += n;
		in->number++;
		in->lines++;
		numbers[n_events] = in->number;
		if (n > 1)
			rc = read_line(in, line, (size_t)n - 1, offset, events, &n_events);
	}
	bool partial = n > 0 && line[n - 1] != '\n';
	free(line);
	if (rc == 0 && partial) {
		in->number++;
		refuse(in, "the last line does not end; it is left for the next time", "end it with a line break");
		in->number--;
	}
	if (rc == 0 && n_events)
		rc = apply(in, events, numbers, n_events);
	if (rc == 0)
		rc = save_progress(in);
	tell(in, false);
	fw_arena_reset(&in->arena);
	return rc < 0 ? rc : n > 0 && !partial;
}

static const char *why_stopped(int rc)
{
	switch (rc) {
	case FW_EFULL: return "stopped: the store's disk is full; make room and start again";
	case FW_ENOMEM: return "stopped: out of memory";
	case FW_EIO: return "stopped: it cannot be read, or the store cannot be written";
	default: return "stopped: the store is out of reach; start again";
	}
}

static int import_file(struct import *in, const char *path)
{
	in->path = path;
	in->stream = fopen(path, "re");
	if (!in->stream) {
		say(in, strerror(errno));
		return FW_EIO;
	}
	in->offset = 0;
	in->number = 0;
	int rc = find_progress(in);
	while (rc == 0 || rc == 1) {
		rc = import_chunk(in);
		if (rc == 0)
			break;
	}
	tell(in, true);
	fclose(in->stream);
	if (rc < 0)
		say(in, why_stopped(rc));
	return rc;
}

static int open_signals(struct import *in)
{
	struct fw_error err = { .message = "out of memory" };
	char text[1200];
	if (fw_config_signals(in->stored.config, &in->stored.arena, &in->signal_config) == 0 &&
			fw_signal_shared_create(&in->signal_config, &in->shared, &err) == 0 &&
			(in->signals = fw_signal_create(in->shared, NULL)))
		return FW_EXIT_DONE;
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(&err, text, sizeof text));
	return FW_EXIT_NO;
}

static void print(const struct import *in)
{
	if (in->json)
		printf("{\"lines\":%" PRIu64 ",\"applied\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"refused\":%" PRIu64 ","
			"\"skippedBytes\":%" PRIu64 "}\n",
			in->lines, in->applied, in->repeated, in->refused, in->skipped_bytes);
	else
		printf("%" PRIu64 " line%s: %" PRIu64 " applied, %" PRIu64 " applied before, %" PRIu64 " refused; %" PRIu64
			" bytes were done already\n", in->lines, in->lines == 1 ? "" : "s", in->applied, in->repeated, in->refused,
			in->skipped_bytes);
}

static int run(int argc, char **argv)
{
	struct fw_plain_options options;
	struct import in = { 0 };
	int status, rc = 0;
	if (fw_plain_options_read(&fw_command_import, argc, argv, &options) != FW_EXIT_DONE)
		return FW_EXIT_USAGE;
	in.json = options.json;
	if (optind == argc)
		return fw_command_misused(&fw_command_import, "which file?");
	fw_arena_init(&in.arena, NULL, 0, 0);
	fw_arena_init(&in.scratch, NULL, 0, FW_LIMIT_REQUEST_BYTES);
	status = fw_stored_open(&in.stored, options.config);
	if (status == FW_EXIT_DONE)
		status = open_signals(&in);
	for (; status == FW_EXIT_DONE && optind < argc && rc == 0; optind++)
		rc = import_file(&in, argv[optind]);
	if (status == FW_EXIT_DONE)
		print(&in);
	fw_signal_destroy(in.signals);
	fw_signal_shared_destroy(in.shared);
	fw_stored_close(&in.stored);
	fw_arena_finish(&in.arena);
	fw_arena_finish(&in.scratch);
	return status != FW_EXIT_DONE || rc < 0 || in.refused ? FW_EXIT_NO : FW_EXIT_DONE;
}

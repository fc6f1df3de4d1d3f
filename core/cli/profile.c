#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/stored.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_profile = {
	.name = "profile",
	.summary = "what is known of a person",
	.usage = "usage: floorwalker profile show [--config FILE] [--timeline] [--json] ID\n\n"
		"ID is a userId, or anonymous:, email:, phone: or external: and what comes behind it.\n\n"
		"  --timeline     what the person did last, newest first, in place of what is known\n"
		"  --json         as one line of JSON\n"
		"  --config FILE  the configuration (default: ./floorwalker.lua, /etc/floorwalker/floorwalker.lua)\n\n"
		"Exit status: 0, or 1 when nobody is known by this id.\n",
	.run = run,
};

struct shown {
	bool done;
	int rc;
	struct fw_str record;
};

static void on_loaded(void *ctx, int rc, const struct fw_person *person)
{
	struct shown *s = ctx;
	s->rc = rc;
	s->record = person->record;
	s->done = true;
}

static void print_scalar(const struct fw_json *v)
{
	char number[32];
	switch (v->type) {
	case FW_JSON_STRING: fwrite(v->string.p, 1, v->string.n, stdout); break;
	case FW_JSON_NUMBER: fwrite(number, 1, fw_number_text(v->number, number), stdout); break;
	case FW_JSON_BOOL: fputs(v->boolean ? "yes" : "no", stdout); break;
	default: fputs("-", stdout); break;
	}
}

/* A tree as indented lines, for people. */
static void print_tree(const struct fw_json *v, int depth)
{
	for (const struct fw_json *m = v->child; m; m = m->next) {
		bool nested = m->type == FW_JSON_OBJECT || m->type == FW_JSON_ARRAY;
		if (nested && !m->child)
			continue;
		printf("%*s", depth * 2, "");
		if (v->type == FW_JSON_OBJECT)
			printf("%-*.*s%s", nested ? 0 : 24 - depth * 2, (int)m->key.n, m->key.p, nested ? "" : " ");
		else if (nested)
			putchar('-');
		if (!nested)
			print_scalar(m);
		putchar('\n');
		if (nested)
			print_tree(m, depth + 1);
	}
}

static int print(const struct fw_buf *json, struct fw_arena *arena, bool as_json)
{
	struct fw_json *tree;
	if (as_json) {
		fwrite(json->data, 1, json->n, stdout);
		putchar('\n');
		return FW_EXIT_DONE;
	}
	if (fw_json_parse(arena, json->data, json->n, &tree, NULL) < 0)
		return FW_EXIT_NO;
	print_tree(tree, 0);
	return FW_EXIT_DONE;
}

static int show(struct fw_stored *s, const struct fw_person_id *id, bool timeline, bool json)
{
	struct shown shown = { 0 };
	struct fw_error err = { .message = "out of memory" };
	struct fw_json_out o;
	struct fw_buf b;
	char text[1200];
	fw_people_load(s->people, id, (struct fw_str){ NULL, 0 }, false, &s->arena, on_loaded, &shown);
	fw_stored_wait(s, &shown.done);
	if (shown.rc < 0 || !shown.record.n) {
		fputs(shown.rc < 0 ? "floorwalker: the store cannot be read; try floorwalker store check\n" :
			"floorwalker: nobody is known by this id; write a userId, or anonymous:, email:, phone: or external: and what "
			"comes behind it\n", stderr);
		return FW_EXIT_NO;
	}
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	if (timeline) {
		fw_json_key(&o, "id");
		fw_json_string(&o, id->id);
		fw_json_key(&o, "timeline");
	}
	int rc = timeline ? fw_profile_timeline(&s->arena, shown.record, &o, &err)
		: fw_profile_describe(&s->arena, shown.record, fw_now_us(), &o, &err);
	fw_json_close_object(&o);
	int status = rc < 0 || b.failed ? FW_EXIT_NO : print(&b, &s->arena, json);
	if (rc < 0)
		fprintf(stderr, "floorwalker: %s\n", fw_error_text(&err, text, sizeof text));
	fw_buf_finish(&b);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "timeline", no_argument, NULL, 't' }, { 0 } };
	struct fw_stored stored;
	struct fw_arena arena;
	struct fw_person_id id;
	struct fw_error err;
	const char *config = NULL;
	bool json = false, timeline = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'c')
			config = optarg;
		else if (c == 'j')
			json = true;
		else if (c == 't')
			timeline = true;
		else
			return fw_command_misused(&fw_command_profile, NULL);
	}
	if (argc - optind != 2 || strcmp(argv[optind], "show") != 0)
		return fw_command_misused(&fw_command_profile, optind < argc ? "write profile show ID" : "what about whom?");
	fw_arena_init(&arena, NULL, 0, 0);
	int status = fw_person_id_parse(&arena, fw_str(argv[optind + 1]), &id, &err) < 0
		? fw_command_misused(&fw_command_profile, err.message) : FW_EXIT_DONE;
	if (status == FW_EXIT_DONE) {
		status = fw_stored_open(&stored, config);
		if (status == FW_EXIT_DONE)
			status = show(&stored, &id, timeline, json);
		fw_stored_close(&stored);
	}
	fw_arena_finish(&arena);
	return status;
}

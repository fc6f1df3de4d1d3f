/* What is kept of a person: shown, exported, and who became part of it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/profile.h"
#include "server/rights.h"

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

int fw_profile_load(struct fw_profile_job *j, const struct fw_person_id *id, struct fw_str *ret)
{
	struct shown shown = { 0 };
	fw_people_load(j->stored.people, id, (struct fw_str){ NULL, 0 }, false, &j->arena, on_loaded, &shown);
	fw_stored_wait(&j->stored, &shown.done);
	*ret = shown.record;
	return !shown.done || shown.rc < 0 ? fw_profile_failed(shown.done ? shown.rc : FW_EAWAY) : FW_EXIT_DONE;
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

int fw_profile_print(struct fw_profile_job *j, const struct fw_buf *json)
{
	struct fw_json *tree;
	if (json->failed)
		return fw_profile_failed(FW_ENOMEM);
	if (j->json) {
		fwrite(json->data, 1, json->n, stdout);
		putchar('\n');
		return FW_EXIT_DONE;
	}
	if (fw_json_parse(&j->arena, json->data, json->n, &tree, NULL) < 0)
		return fw_profile_failed(FW_ENOMEM);
	print_tree(tree, 0);
	return FW_EXIT_DONE;
}

enum part { SHOW, TIMELINE, EXPORT, MERGES };

static int write_part(struct fw_profile_job *j, enum part part, struct fw_str record, struct fw_str unverified, struct fw_json_out *o,
	struct fw_error *err)
{
	switch (part) {
	case TIMELINE: return fw_rights_timeline(&j->arena, j->id.id, record, unverified, o, err);
	case EXPORT: return fw_profile_export(&j->arena, record, unverified, fw_now_us(), o, err);
	case MERGES: return fw_profile_merges(&j->arena, record, o, err);
	default: return fw_profile_describe(&j->arena, record, fw_now_us(), o, err);
	}
}

static int show(struct fw_profile_job *j, enum part part)
{
	const struct fw_person_id claimed = { FW_PERSON_UNVERIFIED, j->id.id };
	struct fw_str record, unverified = { NULL, 0 };
	struct fw_error err = { .message = "out of memory" };
	struct fw_json_out o;
	struct fw_buf b;
	char text[1200];
	int status = fw_profile_load(j, &j->id, &record);
	if (status == FW_EXIT_DONE && (part == EXPORT || part == TIMELINE) && j->id.kind == FW_PERSON_USER)
		status = fw_profile_load(j, &claimed, &unverified);
	if (status != FW_EXIT_DONE)
		return status;
	if (!record.n && !unverified.n)
		return fw_profile_nobody();
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	int rc = write_part(j, part, record, unverified, &o, &err);
	fw_json_close_object(&o);
	if (rc < 0)
		fprintf(stderr, "floorwalker: %s\n", fw_error_text(&err, text, sizeof text));
	status = rc < 0 ? FW_EXIT_NO : fw_profile_print(j, &b);
	if (rc == 0)
		fw_profile_audit(j, part == EXPORT ? "export" : "access", &j->id);
	fw_buf_finish(&b);
	return status;
}

int fw_profile_show(struct fw_profile_job *j)
{
	return show(j, j->timeline ? TIMELINE : SHOW);
}

int fw_profile_export_all(struct fw_profile_job *j)
{
	j->json = true;
	return show(j, EXPORT);
}

int fw_profile_list_merges(struct fw_profile_job *j)
{
	return show(j, MERGES);
}

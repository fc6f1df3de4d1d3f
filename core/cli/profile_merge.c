/* Two people become one because somebody says so, and two again. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/profile.h"
#include "people/undo.h"
#include "server/rights.h"

enum { WAIT_MS = 30000, STEP_MS = 50 };

struct preview {
	bool done;
	int rc;
	const char *refused;
	struct fw_str record;
};

static void on_previewed(void *ctx, int rc, const char *refused, struct fw_str record)
{
	*(struct preview *)ctx = (struct preview){ true, rc, refused, record };
}

static struct preview preview(struct fw_profile_job *j)
{
	struct preview p = { 0 };
	fw_people_preview_merge(j->stored.people, &j->id, &j->other, &j->arena, on_previewed, &p);
	fw_stored_wait(&j->stored, &p.done);
	if (!p.done)
		p.rc = FW_EAWAY;
	return p;
}

static bool are_one(const struct preview *p)
{
	return p->rc == 0 && p->refused && strcmp(p->refused, "one_already") == 0;
}

static int refuse(const struct fw_profile_job *j, const char *why)
{
	static const char *const reasons[][2] = {
		{ "one_already", "they are one person already" },
		{ "two_users", "both have a userId, and a person has one at most" },
		{ "too_many_merges", "too many have become part of them already" },
		{ "too_many_ids", "together they have more ids, or longer ones, than a person may" },
	};
	const char *text = why;
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(why, reasons[i][0]) == 0)
			text = reasons[i][1];
	if (j->json)
		printf("{\"merged\":false,\"refused\":\"%s\"}\n", why);
	fprintf(stderr, "floorwalker: they do not become one: %s\n", text);
	return FW_EXIT_NO;
}

/* The person as one, alone or as a member. */
static int print_person(struct fw_profile_job *j, struct fw_str record, bool merged)
{
	struct fw_error err = { .message = "out of memory" };
	struct fw_json_out o;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	if (j->json) {
		fw_json_key(&o, "merged");
		fw_json_bool(&o, merged);
		fw_json_key(&o, "person");
		fw_json_open_object(&o);
	}
	int rc = fw_profile_describe(&j->arena, record, fw_now_us(), &o, &err);
	if (j->json)
		fw_json_close_object(&o);
	fw_json_close_object(&o);
	int status = rc < 0 ? fw_profile_failed(rc) : fw_profile_print(j, &b);
	fw_buf_finish(&b);
	return status;
}

/* What was told to the one is carried out by the other's bucket, and comes back. */
static int await_one(struct fw_profile_job *j)
{
	struct fw_str record;
	struct preview p = preview(j);
	for (int ms = 0; p.rc == 0 && !are_one(&p) && ms < WAIT_MS; ms += STEP_MS) {
		fw_profile_pause(j, STEP_MS);
		p = preview(j);
	}
	if (!are_one(&p)) {
		fputs("floorwalker: it was begun and is not done yet; it goes on by itself while a daemon runs\n", stderr);
		return FW_EXIT_NO;
	}
	if (!j->json) {
		puts("merged; profile unmerge undoes it");
		return FW_EXIT_DONE;
	}
	int status = fw_profile_load(j, &j->id, &record);
	return status == FW_EXIT_DONE ? print_person(j, record, true) : status;
}

int fw_profile_merge(struct fw_profile_job *j)
{
	struct fw_stored_wait wait = { 0 };
	struct preview p = preview(j);
	int status = p.rc < 0 ? fw_profile_failed(p.rc) : p.refused ? refuse(j, p.refused) : FW_EXIT_DONE;
	if (status == FW_EXIT_DONE && !j->json)
		status = print_person(j, p.record, false);
	fflush(stdout);
	if (status == FW_EXIT_DONE)
		status = fw_profile_confirm(j, "The two become this person. Go on?");
	if (status != FW_EXIT_DONE)
		return status;
	fw_people_merge(j->stored.people, &j->id, &j->other, fw_now_us(), fw_stored_done, &wait);
	int rc = fw_stored_answer(&j->stored, &wait);
	if (rc < 0)
		return fw_profile_failed(rc);
	fw_profile_audit(j, "merge", &j->id);
	fw_profile_audit(j, "merge", &j->other);
	return await_one(j);
}

int fw_profile_unmerge(struct fw_profile_job *j)
{
	struct fw_stored_wait wait = { 0 };
	fw_people_unmerge(j->stored.people, &j->id, j->number, fw_now_us(), fw_stored_done, &wait);
	int rc = fw_stored_answer(&j->stored, &wait);
	if (rc == FW_ENOENT) {
		fputs("floorwalker: " FW_RIGHTS_NOBODY ", or has a merge of this number that can still be undone; "
			"profile merges lists them\n", stderr);
		return FW_EXIT_NO;
	}
	if (rc < 0)
		return fw_profile_failed(rc);
	fw_profile_audit(j, "unmerge", &j->id);
	puts(j->json ? "{\"unmerged\":true}" : "unmerged; what came since stays with the one whom the other had become part of");
	return FW_EXIT_DONE;
}

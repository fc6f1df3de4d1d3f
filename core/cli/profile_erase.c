/* A person goes, for good, or is kept and used for nothing. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/profile.h"
#include "server/rights.h"

enum { WAIT_MS = 60000, STEP_MS = 100 };

struct erased {
	bool done;
	int rc;
	struct fw_receipt receipt;
};

static void on_erased(void *ctx, int rc, const struct fw_receipt *receipt)
{
	*(struct erased *)ctx = (struct erased){ true, rc, *receipt };
}

static struct erased ask_receipt(struct fw_profile_job *j, const char *id)
{
	struct erased e = { 0 };
	fw_people_receipt(j->stored.people, id, on_erased, &e);
	fw_stored_wait(&j->stored, &e.done);
	if (!e.done)
		e.rc = FW_EAWAY;
	return e;
}

/* Goes on with it until it is complete: where a daemon runs it does so, too, and either may be the faster. */
static struct erased finish(struct fw_profile_job *j, struct erased e)
{
	for (int ms = 0; e.rc == 0 && !e.receipt.done_us && ms < WAIT_MS; ms += STEP_MS) {
		struct fw_stored_wait wait = { 0 };
		fw_people_erase_sweep(j->stored.people, 0, FW_STORE_BUCKETS, fw_now_us(), fw_stored_done, &wait);
		fw_stored_wait(&j->stored, &wait.done);
		struct erased now = ask_receipt(j, e.receipt.id);
		if (now.rc < 0)
			break;
		e = now;
		if (!e.receipt.done_us)
			fw_profile_pause(j, STEP_MS);
	}
	return e;
}

static int print(const struct fw_profile_job *j, const struct fw_receipt *r)
{
	char begun[32], done[32];
	if (j->json) {
		struct fw_buf b;
		struct fw_json_out o;
		fw_buf_init(&b, 0);
		fw_json_out_init(&o, &b);
		fw_json_open_object(&o);
		fw_rights_receipt(&o, r);
		fw_json_close_object(&o);
		puts(fw_buf_text(&b));
		fw_buf_finish(&b);
	} else {
		printf("receipt      %s\nbegun        %s\n", r->id, fw_time_text(r->begun_us, begun));
		printf("complete     %s\n", r->done_us ? fw_time_text(r->done_us, done) : "not yet");
		printf("ids          %u\ndead letters %u\n", r->ids, r->dead_letters);
		printf("overwritten  %s\n", r->scrubbed ? "yes" : "no");
	}
	return FW_EXIT_DONE;
}

int fw_profile_erase(struct fw_profile_job *j)
{
	struct erased e = { 0 };
	struct fw_str record;
	int status = fw_profile_load(j, &j->id, &record);
	if (status == FW_EXIT_DONE && !record.n)
		status = fw_profile_nobody();
	if (status == FW_EXIT_DONE)
		status = fw_profile_confirm(j, "The person is erased, for good, from all but backups. Go on?");
	if (status != FW_EXIT_DONE)
		return status;
	fw_people_erase(j->stored.people, &j->id, fw_now_us(), on_erased, &e);
	fw_stored_wait(&j->stored, &e.done);
	if (!e.done || e.rc < 0)
		return fw_profile_failed(e.done ? e.rc : FW_EAWAY);
	fw_rights_audit_erasure(e.receipt.id, "command");
	e = finish(j, e);
	print(j, &e.receipt);
	if (e.receipt.done_us)
		return FW_EXIT_DONE;
	fputs("floorwalker: it is not complete yet, and goes on by itself while a daemon runs; profile receipt tells\n", stderr);
	return FW_EXIT_NO;
}

int fw_profile_receipt(struct fw_profile_job *j)
{
	struct erased e = ask_receipt(j, j->texts[0]);
	if (e.rc == FW_ENOENT) {
		fputs("floorwalker: there is no erasure of this id\n", stderr);
		return FW_EXIT_NO;
	}
	return e.rc < 0 ? fw_profile_failed(e.rc) : print(j, &e.receipt);
}

int fw_profile_restrict(struct fw_profile_job *j)
{
	struct fw_stored_wait wait = { 0 };
	fw_people_restrict(j->stored.people, &j->id, !j->off, fw_stored_done, &wait);
	int rc = fw_stored_answer(&j->stored, &wait);
	if (rc < 0)
		return fw_profile_failed(rc);
	fw_profile_audit(j, j->off ? "unrestrict" : "restrict", &j->id);
	if (j->json)
		printf("{\"restricted\":%s}\n", j->off ? "false" : "true");
	else
		puts(j->off ? "used again" : "restricted: kept, and used for nothing");
	return FW_EXIT_DONE;
}

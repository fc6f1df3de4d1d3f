/* Whether the messages of a channel, which are to be explained, reach the person at all: by the address that the record has, and by the
 * list of those to which nothing goes. Of who is only given, or was never met, no record says so. */
#include "decide/due.h"
#include "people/suppression.h"
#include "server/engine_own.h"

struct reaching {
	struct fw_engine_run *run;
	uint32_t left; /* channels that wait for the store */
	int rc;
	struct looking {
		struct reaching *all;
		enum fw_reason *unreached;
		struct fw_str address;
	} channels[];
};

static void leave(struct reaching *r, int rc)
{
	if (rc < 0)
		r->rc = rc;
	if (--r->left == 0)
		fw_engine_explain(r->run, r->rc);
}

static void on_suppression(void *ctx, int rc, bool suppressed)
{
	struct looking *l = ctx;
	*l->unreached = fw_due_unreached(l->address, suppressed);
	leave(l->all, rc);
}

static void look(struct reaching *r, const struct fw_record *record)
{
	struct fw_engine_run *run = r->run;
	uint32_t n = run->q.n_channels;
	r->left = n + 1;
	for (uint32_t i = 0; i < n; i++) {
		struct looking *l = &r->channels[i];
		struct fw_str channel = fw_str(run->q.channels[i]);
		*l = (struct looking){ .all = r, .unreached = &run->q.unreached[i] };
		int rc = fw_record_address(record, channel, &l->address);
		if (rc < 0 || l->address.n == 0)
			on_suppression(l, rc, false);
		else
			fw_suppression_look_up(run->worker->people, channel, l->address, &run->arena, on_suppression, l);
	}
	leave(r, 0);
}

void fw_engine_reach(struct fw_engine_run *run)
{
	struct fw_arena *a = &run->arena;
	uint32_t n = run->q.n_channels;
	bool known = run->reading.read == FW_PROFILE_READ && run->reading.record.n;
	struct fw_record *record = NULL;
	if (n == 0 || !known) {
		fw_engine_explain(run, 0);
		return;
	}
	struct reaching *r = fw_arena_array(a, 1, sizeof *r + n * sizeof *r->channels);
	run->q.unreached = FW_NEW_ARRAY(a, n, enum fw_reason);
	int rc = r && run->q.unreached ? fw_record_read(a, run->reading.record, &record, NULL) : FW_ENOMEM;
	if (rc < 0) {
		fw_engine_explain(run, rc);
		return;
	}
	*r = (struct reaching){ .run = run };
	look(r, record);
}

#include "people/commit.h"

#include "people/flight.h"

static void on_committed(void *ctx, int rc, uint64_t version);

static int hand_in(struct fw_commit *c)
{
	int rc = fw_store_commit(c->people->store, &c->batch, on_committed, c);
	c->people->committing += rc == 0;
	return rc;
}

/* There is room for one more, or for several. */
static void go_on(struct fw_people *p)
{
	while (p->stalled) {
		struct fw_commit *c = p->stalled;
		int rc = hand_in(c);
		if (rc == FW_EBUSY && p->committing)
			return;
		p->stalled = c->next;
		if (!p->stalled)
			p->last_stalled = &p->stalled;
		if (rc < 0)
			c->done(c->ctx, rc, FW_VERSION_NONE);
	}
}

static void on_committed(void *ctx, int rc, uint64_t version)
{
	struct fw_commit *c = ctx;
	struct fw_people *p = c->people;
	p->committing--;
	c->done(c->ctx, rc, version);
	go_on(p);
}

int fw_commit(struct fw_commit *c, struct fw_people *p, const struct fw_batch *batch, fw_store_committed done, void *ctx)
{
	*c = (struct fw_commit){ .people = p, .batch = *batch, .done = done, .ctx = ctx };
	int rc = p->stalled ? FW_EBUSY : hand_in(c);
	if (rc != FW_EBUSY || !p->committing)
		return rc;
	*p->last_stalled = c;
	p->last_stalled = &c->next;
	return 0;
}

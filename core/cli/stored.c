#include "cli/stored.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "cli/command.h"
#include "server/config_store.h"
#include "server/control.h"

static int say(const struct fw_error *err)
{
	char text[1200];
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(err, text, sizeof text));
	return FW_EXIT_NO;
}

/* Where a daemon runs its keeper writes, the one that it has or the next. Where none runs, a child of this command writes in its place,
 * if there is anything that this machine keeps. */
static int begin_keeper(struct fw_stored *s, struct fw_error *err)
{
	struct fw_store_options kept;
	bool runs;
	int rc = fw_control_runs(s->config->run, &runs, err);
	if (rc < 0 || runs)
		return rc;
	if ((rc = fw_config_kept(s->config, &s->arena, &kept, err)) < 0)
		return rc == FW_ENOENT ? 0 : rc;
	return fw_hosted_begin(&s->hosted, &kept, err);
}

static int open_spool(struct fw_stored *s, struct fw_error *err)
{
	struct fw_store_options options;
	int rc = fw_config_spool(s->config, &s->arena, &options, err);
	return rc == FW_ENOENT ? 0 : rc < 0 ? rc : fw_store_open(&options, s->base, &s->spool, err);
}

int fw_stored_open(struct fw_stored *s, const char *given)
{
	struct fw_store_options options;
	struct fw_error err;
	const char *path = fw_config_find(given);
	*s = (struct fw_stored){ .hosted = FW_HOSTED_NONE };
	fw_arena_init(&s->arena, NULL, 0, 0);
	if (!path) {
		fputs("floorwalker: no configuration: name it with --config\n", stderr);
		return FW_EXIT_NO;
	}
	if (fw_config_load(path, &s->config, &err) < 0 || fw_config_store(s->config, &s->arena, &options, &err) < 0 ||
			fw_make_folders(s->config->run, 0750, &err) < 0 || begin_keeper(s, &err) < 0)
		return say(&err);
	if (!(s->base = event_base_new())) {
		fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory");
		return say(&err);
	}
	if (fw_store_open(&options, s->base, &s->store, &err) < 0 || open_spool(s, &err) < 0)
		return say(&err);
	struct fw_people_options people = { s->config->currency, s->config->hosts.items, s->config->hosts.n, s->spool };
	s->people = fw_people_create(s->store, &people);
	if (!s->people)
		return say((fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory"), &err));
	return FW_EXIT_DONE;
}

void fw_stored_close(struct fw_stored *s)
{
	fw_store_close(s->store);
	fw_store_close(s->spool);
	fw_people_destroy(s->people);
	if (s->base)
		event_base_free(s->base);
	fw_hosted_end(&s->hosted);
	fw_config_destroy(s->config);
	fw_arena_finish(&s->arena);
}

void fw_stored_wait(struct fw_stored *s, const bool *done)
{
	while (!*done && event_base_loop(s->base, EVLOOP_ONCE) == 0)
		continue;
}

void fw_stored_pause(struct fw_stored *s, unsigned ms)
{
	fw_people_learn(s->people);
	event_base_loop(s->base, EVLOOP_NONBLOCK);
	usleep(ms * 1000);
}

void fw_stored_done(void *ctx, int rc)
{
	*(struct fw_stored_wait *)ctx = (struct fw_stored_wait){ true, rc };
}

void fw_stored_committed(void *ctx, int rc, uint64_t version)
{
	(void)version;
	fw_stored_done(ctx, rc);
}

int fw_stored_answer(struct fw_stored *s, const struct fw_stored_wait *wait)
{
	fw_stored_wait(s, &wait->done);
	return wait->done ? wait->rc : FW_EAWAY;
}

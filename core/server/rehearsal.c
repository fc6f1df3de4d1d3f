#include "server/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/config_values.h"

enum { SAID_BYTES = 1 << 20, DECISIONS_MOST = 10000000, JOBS = 1 /* others serve meanwhile */ };

extern char **environ;

int fw_config_reload(const struct fw_config *c, struct fw_config_reload *ret, struct fw_error *err)
{
	static const char *const known[] = { "replay", "fail_above", NULL };
	const struct fw_json *v = c->reload, *replay = fw_json_get(v, "replay"), *above = fw_json_get(v, "fail_above");
	double n = 0;
	*ret = (struct fw_config_reload){ .fail_above = 100 };
	int rc = v ? fw_config_only(v, known, err) : 0;
	if (rc == 0 && replay)
		rc = fw_config_number(replay, 0, DECISIONS_MOST, true, &n, err);
	if (rc == 0 && above)
		rc = fw_config_number(above, 0, 100, false, &ret->fail_above, err);
	ret->replay = (uint64_t)n;
	return rc;
}

static char *read_all(int fd, size_t *ret_n)
{
	char *text = malloc(SAID_BYTES + 1);
	size_t n = 0;
	for (ssize_t got = 1; text && got != 0 && n < SAID_BYTES;) {
		got = read(fd, text + n, SAID_BYTES - n);
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[n] = 0;
	*ret_n = n;
	return text;
}

/* What the program says on its standard output, and its exit status (-1: it did not end by itself). To be freed; NULL: it could not be
 * started. */
static char *run_replay(const struct fw_config *c, const struct fw_config_reload *r, size_t *ret_n, int *ret_status)
{
	char last[24], above[32], jobs[8];
	snprintf(last, sizeof last, "%" PRIu64, r->replay);
	snprintf(above, sizeof above, "%.17g", r->fail_above);
	snprintf(jobs, sizeof jobs, "%d", JOBS);
	char *argv[] = { "floorwalker", "replay", "--config", (char *)(uintptr_t)c->file, "--last", last, "--fail-above", above,
		"--jobs", jobs, "--samples", "0", "--json", NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int failed = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	char *said = failed ? NULL : read_all(ends[0], ret_n);
	close(ends[0]);
	int status = 0;
	while (!failed && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return said;
}

static double number_of(const struct fw_json *object, const char *key)
{
	const struct fw_json *v = fw_json_get(object, key);
	return v && v->type == FW_JSON_NUMBER ? v->number : 0;
}

static double sum_of(const struct fw_json *object)
{
	double n = 0;
	for (const struct fw_json *m = object ? object->child : NULL; m; m = m->next)
		n += m->number;
	return n;
}

static int judge(const struct fw_json *said, const struct fw_config_reload *r, struct fw_load_steps *steps, struct fw_report *report)
{
	double decisions = number_of(said, "decisions"), changed = number_of(said, "changed");
	double gaps = sum_of(fw_json_get(said, "notDetermined"));
	double share = decisions > 0 ? changed / decisions * 100 : 0;
	struct fw_error err;
	fw_steps_note(steps, FW_STEP_REPLAY, "%.0f of %.0f decisions would be others (%.3g %%); %.0f could not be determined", changed,
		decisions, share, gaps);
	if (share <= r->fail_above)
		return 0;
	fw_fail(&err, FW_EFAILED, NULL, 0,
		"%.0f of the last %.0f decisions would be others by these rules (%.3g %%), which is more than fail_above = %g", changed,
		decisions, share, r->fail_above);
	fw_hint(&err, "\"floorwalker replay\" says which; raise fail_above in the configuration's reload, if that is what you want");
	fw_report_add(report, &err);
	return FW_EFAILED;
}

int fw_rehearse_load(const struct fw_config *c, struct fw_load_steps *steps, struct fw_report *report)
{
	struct fw_config_reload r;
	struct fw_error err;
	struct fw_arena a;
	struct fw_json *said = NULL;
	size_t n = 0;
	int status = -1, rc = 0;
	if (fw_config_reload(c, &r, &err) < 0 || !r.replay) {
		fw_steps_skip(steps, FW_STEP_REPLAY, "the configuration asks for none");
		return 0;
	}
	fw_steps_begin(steps, FW_STEP_REPLAY);
	char *text = run_replay(c, &r, &n, &status);
	fw_arena_init(&a, NULL, 0, 0);
	if (text && status >= 0 && n && fw_json_parse(&a, text, n, &said, &err) == 0) {
		rc = judge(said, &r, steps, report);
		fw_steps_end(steps, FW_STEP_REPLAY, rc);
	} else {
		fw_steps_skip(steps, FW_STEP_REPLAY, "nothing could be replayed; the log says why");
		fw_log(FW_LOG_WARN, "what was decided lately cannot be decided again: the rules are loaded without that", NULL);
	}
	fw_arena_finish(&a);
	free(text);
	return rc;
}

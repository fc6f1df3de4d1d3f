#include "server/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "server/config_values.h"

enum { SAID_BYTES = 64 << 20, READ_BYTES = 64 << 10, DECISIONS_MOST = 10000000, JOBS = 1 /* others serve meanwhile */ };

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

/* To its end; `said` fails where there is too much of it. */
static void read_all(int fd, struct fw_buf *said)
{
	for (ssize_t got = 1; got != 0;) {
		char *room = fw_buf_reserve(said, READ_BYTES);
		got = room ? read(fd, room, READ_BYTES) : 0;
		if (got < 0 && errno != EINTR)
			break;
		said->n += got > 0 ? (size_t)got : 0;
	}
}

/* In the child. A load that takes too long is killed, and this with it. */
static _Noreturn void become_replay(int out, char *const argv[])
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(out, STDOUT_FILENO) >= 0)
		execv("/proc/self/exe", argv);
	_exit(127);
}

/* What the program says on its standard output. Whether it could be started, and ended by itself. */
static bool run_replay(const struct fw_config *c, const struct fw_config_reload *r, struct fw_buf *said)
{
	char last[24], above[32], jobs[8];
	snprintf(last, sizeof last, "%" PRIu64, r->replay);
	snprintf(above, sizeof above, "%.17g", r->fail_above);
	snprintf(jobs, sizeof jobs, "%d", JOBS);
	char *argv[] = { "floorwalker", "replay", "--config", (char *)(uintptr_t)c->file, "--last", last, "--fail-above", above,
		"--jobs", jobs, "--samples", "0", "--json", NULL };
	int ends[2], status = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		become_replay(ends[1], argv);
	close(ends[1]);
	if (pid > 0)
		read_all(ends[0], said);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && said->n && !said->failed;
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
	if (decisions == 0) { /* that nothing is known is no "fine" */
		fw_steps_skip(steps, FW_STEP_REPLAY, gaps > 0
			? "of no decision could be determined what it would be: \"floorwalker replay\" says why"
			: "nothing was decided yet");
		return 0;
	}
	fw_steps_note(steps, FW_STEP_REPLAY, "%.0f of %.0f decisions would be others (%.3g %%); %.0f could not be determined", changed,
		decisions, share, gaps);
	fw_steps_end(steps, FW_STEP_REPLAY, share > r->fail_above ? FW_EFAILED : 0);
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
	struct fw_buf said;
	struct fw_json *outcome = NULL;
	int rc = 0;
	if (fw_config_reload(c, &r, &err) < 0 || !r.replay) {
		fw_steps_skip(steps, FW_STEP_REPLAY, "the configuration asks for none");
		return 0;
	}
	fw_steps_begin(steps, FW_STEP_REPLAY);
	fw_arena_init(&a, NULL, 0, 0);
	fw_buf_init(&said, SAID_BYTES);
	if (run_replay(c, &r, &said) && fw_json_parse(&a, said.data, said.n, &outcome, &err) == 0) {
		rc = judge(outcome, &r, steps, report);
	} else {
		fw_steps_skip(steps, FW_STEP_REPLAY, "nothing could be replayed; the log says why");
		fw_log(FW_LOG_WARN, "what was decided lately cannot be decided again: the rules are loaded without that", NULL);
	}
	fw_buf_finish(&said);
	fw_arena_finish(&a);
	return rc;
}

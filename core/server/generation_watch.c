/* Deadlines of a generation: loads that take too long, silent workers, drains that do not end. */
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/master.h"
#include "server/report.h"

void fw_generation_signal(struct fw_generation *g, int sign)
{
	for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
		if (g->workers[i].pid > 0)
			kill(g->workers[i].pid, sign);
}

void fw_generation_drain(struct fw_master *m, struct fw_generation *g)
{
	g->phase = FW_PHASE_DRAINING;
	g->deadline_us = fw_monotonic_us() + m->limits.drain_ms * 1000;
	g->kill_us = 0;
	if (g->fd >= 0)
		fw_channel_tell_all(g->fd, FW_TELL_RETIRE, 0, 0, 0, NULL);
	for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++)
		if (g->workers[i].fd >= 0 && g->workers[i].pid > 0)
			fw_channel_tell_all(g->workers[i].fd, FW_TELL_DRAIN, (int)i, 0, 0, NULL);
}

static void watch_workers(struct fw_master *m, struct fw_generation *g, int64_t now_us)
{
	for (unsigned i = 0; i < FW_LIMIT_WORKERS; i++) {
		struct fw_master_worker *w = &g->workers[i];
		char pid[16], doing[160];
		if (w->pid <= 0 || now_us - w->beat_us < m->limits.heartbeat_ms * 1000)
			continue;
		snprintf(pid, sizeof pid, "%d", w->pid);
		fw_log(FW_LOG_ERROR, "a worker is silent and is killed", "worker", pid, "while",
			fw_shared_doing(m->shared, g->bank, i, doing), NULL);
		w->beat_us = now_us;
		kill(w->pid, SIGKILL);
	}
}

void fw_generation_watch(struct fw_master *m, struct fw_generation *g, int64_t now_us)
{
	struct fw_report report;
	if (g->phase == FW_PHASE_LOADING && now_us >= g->deadline_us) {
		fw_generation_refuse(m, g, fw_report_one(&report, "loading took longer than %lld ms (limits.load_ms), while %s",
			(long long)m->limits.load_ms, m->shared->stage[g->bank]));
		fw_report_finish(&report);
		return;
	}
	if (g->phase == FW_PHASE_DRAINING && now_us >= g->deadline_us) {
		bool again = g->kill_us != 0;
		g->deadline_us = g->kill_us = now_us + m->limits.kill_ms * 1000;
		fw_log(FW_LOG_WARN, "a generation did not end in time", "signal", again ? "KILL" : "TERM", NULL);
		fw_generation_signal(g, again ? SIGKILL : SIGTERM);
		if (again && g->loader > 0)
			kill(g->loader, SIGKILL);
	}
	watch_workers(m, g, now_us);
}

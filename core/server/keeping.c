/* The keeper, as the master sees it: begun before everything else, watched, begun again when it dies, ended last. Where the data
 * lies elsewhere it keeps the spool, and there is none without. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/config_store.h"
#include "server/master.h"
#include "store/keeper.h"

int fw_keeping_open(struct fw_master *m, struct fw_error *err)
{
	struct fw_keeping *k = &m->keeping;
	int rc = fw_config_kept(m->config, &m->config->arena, &k->options, err);
	if (rc == FW_ENOENT)
		return 0;
	if (rc == 0)
		rc = fw_keeper_host(&k->options, &k->host, err);
	if (rc == 0)
		rc = fw_keeper_bind(&k->options, &k->listener, err);
	if (rc == 0)
		k->backoff_ms = m->limits.restart_ms;
	return rc;
}

void fw_keeping_close_in_child(struct fw_master *m)
{
	struct fw_keeping *k = &m->keeping;
	if (k->listener >= 0)
		close(k->listener);
	if (k->fd >= 0)
		close(k->fd);
	if (k->host >= 0)
		close(k->host);
	k->listener = k->fd = k->host = -1;
}

static void begin(struct fw_master *m, int64_t now_us)
{
	struct fw_keeping *k = &m->keeping;
	int ends[2];
	k->again_us = now_us + k->backoff_ms * 1000;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
		fw_log(FW_LOG_ERROR, "the keeper cannot be started", "error", strerror(errno), NULL);
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		int listener = k->listener;
		k->listener = -1;
		close(ends[0]);
		fw_master_close_in_child(m);
		fw_sockets_close(&m->sockets, false);
		fw_log_role("keeper");
		fw_keeper_run(&k->options, listener, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		fw_log(FW_LOG_ERROR, "the keeper cannot be started", "error", strerror(errno), NULL);
		close(ends[0]);
		return;
	}
	k->pid = pid;
	k->fd = ends[0];
	k->beat_us = k->began_us = now_us;
	atomic_store(&m->shared->keeper_pid, pid);
}

void fw_keeping_hear(struct fw_master *m)
{
	char beats[64];
	ssize_t n;
	while ((n = read(m->keeping.fd, beats, sizeof beats)) > 0)
		m->keeping.beat_us = fw_monotonic_us();
	if (n == 0) { /* how it ended is learnt when it is reaped */
		close(m->keeping.fd);
		m->keeping.fd = -1;
	}
}

void fw_keeping_watch(struct fw_master *m, int64_t now_us)
{
	struct fw_keeping *k = &m->keeping;
	if (k->listener >= 0 && k->pid == 0 && !k->ending && now_us >= k->again_us)
		begin(m, now_us);
	else if (k->pid && !k->ending && now_us - k->beat_us > m->limits.heartbeat_ms * 1000) {
		fw_log(FW_LOG_ERROR, "the keeper is silent and is killed", NULL);
		kill(k->pid, SIGKILL);
		k->beat_us = now_us;
	} else if (k->pid && k->ending && now_us > k->end_us) {
		kill(k->pid, SIGKILL);
	}
}

bool fw_keeping_reaped(struct fw_master *m, pid_t pid, int status)
{
	struct fw_keeping *k = &m->keeping;
	char how[96];
	if (pid != k->pid)
		return false;
	k->pid = 0;
	atomic_store(&m->shared->keeper_pid, 0);
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	if (k->ending)
		return true;
	int64_t now = fw_monotonic_us(), most = FW_LIMIT_RESTART_MOST_MS;
	bool lived_well = now - k->began_us > most * 1000;
	k->backoff_ms = lived_well ? m->limits.restart_ms : k->backoff_ms * 2 < most ? k->backoff_ms * 2 : most;
	if (k->backoff_ms <= 0)
		k->backoff_ms = 1;
	k->again_us = now + (k->lost == 0 || lived_well ? 0 : k->backoff_ms * 1000);
	k->lost++;
	atomic_fetch_add(&m->shared->keepers_lost, 1);
	fw_log(FW_LOG_ERROR, "the keeper is lost and will be started again; what was not answered is handed in anew", "how",
		fw_describe_end(status, how), NULL);
	return true;
}

void fw_keeping_end(struct fw_master *m)
{
	struct fw_keeping *k = &m->keeping;
	if (k->ending)
		return;
	k->ending = true;
	k->end_us = fw_monotonic_us() + m->limits.drain_ms * 1000;
	if (k->pid)
		kill(k->pid, SIGTERM);
}

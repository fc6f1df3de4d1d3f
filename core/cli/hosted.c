#include "cli/hosted.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "store/keeper.h"

int fw_hosted_begin(struct fw_hosted *h, const struct fw_store_options *options, struct fw_error *err)
{
	int ends[2], rc;
	*h = (struct fw_hosted)FW_HOSTED_NONE;
	if ((rc = fw_keeper_host(options, &h->host, err)) < 0 || (rc = fw_keeper_bind(options, &h->listener, err)) < 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return fw_fail(err, FW_EIO, NULL, 0, "no keeper can be started: too many open files");
	h->pid = fork();
	if (h->pid == 0) {
		signal(SIGINT, SIG_IGN);
		close(ends[0]);
		fw_log_role("keeper");
		fw_keeper_run(options, h->listener, ends[1]);
	}
	close(ends[1]);
	h->beat = ends[0];
	if (h->pid > 0)
		return 0;
	h->pid = 0;
	return fw_fail(err, FW_EIO, NULL, 0, "no keeper can be started: too many processes");
}

void fw_hosted_end(struct fw_hosted *h)
{
	if (h->beat >= 0)
		close(h->beat);
	if (h->pid > 0) {
		kill(h->pid, SIGTERM);
		waitpid(h->pid, NULL, 0);
	}
	if (h->listener >= 0)
		close(h->listener);
	if (h->host >= 0)
		close(h->host);
	*h = (struct fw_hosted)FW_HOSTED_NONE;
}

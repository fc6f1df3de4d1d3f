#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

static struct {
	int fd;
	enum fw_log_level least;
	const char *role;
	char path[512];
} sink = { .fd = STDERR_FILENO, .least = FW_LOG_INFO, .role = "floorwalker" };

static int open_path(const char *path, int *ret_fd, struct fw_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return fw_fail(err, FW_EIO, path, 0, "cannot open the log: %s", strerror(errno));
	*ret_fd = fd;
	return 0;
}

int fw_log_open(const char *path, enum fw_log_level least, struct fw_error *err)
{
	int fd = STDERR_FILENO;
	if (path && open_path(path, &fd, err) < 0)
		return FW_EIO;
	sink.fd = fd;
	sink.least = least;
	snprintf(sink.path, sizeof sink.path, "%s", path ? path : "");
	return 0;
}

int fw_log_reopen(struct fw_error *err)
{
	int fd = -1;
	if (!sink.path[0])
		return 0;
	if (open_path(sink.path, &fd, err) < 0)
		return FW_EIO;
	close(sink.fd);
	sink.fd = fd;
	return 0;
}

void fw_log_role(const char *role)
{
	sink.role = role;
}

static void begin(struct fw_json_out *o, enum fw_log_level level, const char *msg)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	struct timespec now;
	struct tm tm;
	char at[64];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(at + n, sizeof at - n, ".%03ldZ", now.tv_nsec / 1000000);
	fw_json_open_object(o);
	fw_json_key(o, "at");
	fw_json_text_value(o, at);
	fw_json_key(o, "level");
	fw_json_text_value(o, names[level]);
	fw_json_key(o, "role");
	fw_json_text_value(o, sink.role);
	fw_json_key(o, "pid");
	fw_json_number(o, (double)getpid());
	fw_json_key(o, "msg");
	fw_json_text_value(o, msg);
}

static void end(struct fw_json_out *o)
{
	fw_json_close_object(o);
	fw_buf_putc(o->buf, '\n');
	/* One write a line: lines of several processes do not mix. A log that cannot be written has nowhere to say so. */
	if (!o->buf->failed && write(sink.fd, o->buf->data, o->buf->n) < 0)
		return;
}

void fw_log(enum fw_log_level level, const char *msg, ...)
{
	if (level < sink.least)
		return;
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	begin(&o, level, msg);
	va_list ap;
	va_start(ap, msg);
	for (const char *name; (name = va_arg(ap, const char *));) {
		fw_json_key(&o, name);
		fw_json_text_value(&o, va_arg(ap, const char *));
	}
	va_end(ap);
	end(&o);
	fw_buf_finish(&b);
}

void fw_log_error(enum fw_log_level level, const char *msg, const struct fw_error *err)
{
	char line[16];
	snprintf(line, sizeof line, "%d", err->line);
	if (err->file[0])
		fw_log(level, msg, "error", err->message, "file", err->file, "line", line, "hint", err->hint, NULL);
	else
		fw_log(level, msg, "error", err->message, "hint", err->hint, NULL);
}

#include "cli/told_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { MOST_BYTES = 4096 };

/* "scheme://USER:PASSWORD@…", or "scheme://PASSWORD@…". */
static void hide_password(char *url)
{
	char *begin = strstr(url, "//"), *end = NULL;
	if (begin)
		end = memrchr(begin + 2, '@', strcspn(begin + 2, "/?#"));
	if (!end)
		return;
	char *colon = memchr(begin + 2, ':', (size_t)(end - begin - 2)), *from = colon ? colon + 1 : begin + 2;
	memset(from, '*', (size_t)(end - from));
}

static int take(struct fw_arena *a, const char *text, const char **ret_url, struct fw_error *err)
{
	struct fw_str url = fw_str_trim(fw_str(text));
	*ret_url = fw_arena_strndup(a, url.p, url.n);
	return *ret_url ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

static int read_variable(struct fw_arena *a, const char *name, const char **ret_url, struct fw_error *err)
{
	const char *text = getenv(name);
	if (!text || !text[0])
		return fw_fail(err, FW_EINVAL, NULL, 0, "the environment has no %s", name[0] ? name : "variable without a name");
	return take(a, text, ret_url, err);
}

static int read_file(struct fw_arena *a, const char *path, const char **ret_url, struct fw_error *err)
{
	char line[MOST_BYTES];
	FILE *f = fopen(path, "re");
	const char *text = f ? fgets(line, sizeof line, f) : NULL;
	int rc = 0;
	if (!f || ferror(f))
		rc = fw_fail(err, FW_EIO, path, 0, "it cannot be read: %s", strerror(errno));
	else if (!text || strlen(text) == sizeof line - 1)
		rc = fw_fail(err, FW_EINVAL, path, 1, "no URL stands there");
	if (f)
		fclose(f);
	if (rc == 0)
		rc = take(a, text, ret_url, err);
	explicit_bzero(line, sizeof line);
	return rc;
}

int fw_told_url(struct fw_arena *a, char *told, const char **ret_url, struct fw_error *err)
{
	if (strncmp(told, "env:", 4) == 0)
		return read_variable(a, told + 4, ret_url, err);
	if (strncmp(told, "file:", 5) == 0)
		return read_file(a, told + 5, ret_url, err);
	int rc = take(a, told, ret_url, err);
	hide_password(told);
	return rc;
}

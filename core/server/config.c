/* From the file to a checked configuration. The keys themselves are in config_keys.c. */
#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/config_keys.h"
#include "server/config_lua.h"

enum { FILE_BYTES = 1 << 20 };

const char *fw_config_find(const char *given)
{
	static const char *const places[] = { "floorwalker.lua", "/etc/floorwalker/floorwalker.lua" };
	if (given)
		return given;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], F_OK) == 0)
			return places[i];
	return NULL;
}

int fw_config_read_file(struct fw_arena *a, const char *path, size_t most, struct fw_str *ret, struct fw_error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fw_fail(err, FW_EIO, path, 0, "cannot be read: %s", strerror(errno));
	int rc = FW_EIO;
	size_t n = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fw_fail(err, FW_EIO, path, 0, "is no file");
		goto done;
	}
	if ((uint64_t)st.st_size > most) {
		rc = fw_fail(err, FW_ELIMIT, path, 0, "has %lld bytes; %zu are allowed", (long long)st.st_size, most);
		goto done;
	}
	char *data = fw_arena_alloc(a, (size_t)st.st_size + 1);
	if (!data) {
		rc = fw_fail(err, FW_ENOMEM, path, 0, "out of memory");
		goto done;
	}
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, data + n, (size_t)st.st_size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fw_fail(err, FW_EIO, path, 0, "cannot be read: %s", strerror(errno));
			goto done;
		}
		if (got == 0)
			break; /* it became shorter meanwhile */
		n += (size_t)got;
	}
	data[n] = 0;
	*ret = (struct fw_str){ data, n };
	rc = 0;
done:
	close(fd);
	return rc;
}

const char *fw_config_own(struct fw_arena *a, const char *what)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	bool plugins = strcmp(what, "plugins") == 0;
	if (n > 0) {
		exe[n] = 0;
		*strrchr(exe, '/') = 0;
		/* build/core/floorwalker: plugins are in build/plugins, the shipped rules in the tree's rules/. */
		char real[PATH_MAX];
		const char *near = fw_arena_printf(a, plugins ? "%s/../%s" : "%s/../../rules/%s", exe, what);
		if (near && realpath(near, real))
			return fw_arena_strdup(a, real);
	}
	const char *path = plugins ? FW_OWN_PLUGINS : fw_arena_printf(a, "%s/%s", FW_OWN_DATA, what);
	return path && access(path, F_OK) == 0 ? path : NULL;
}

bool fw_config_has_keys(const struct fw_config *config)
{
	return config->write_keys.n + config->secret_keys.n > 0;
}

static int unknown_key(const struct fw_config_set *set, const char *file, struct fw_error *err)
{
	const char *const *names = fw_config_keys();
	size_t n = 0;
	while (names[n])
		n++;
	const char *nearest = fw_nearest(set->value->key.p, names, n);
	fw_fail(err, FW_EINVAL, file, set->line, "there is no key \"%s\"", set->value->key.p);
	if (nearest)
		fw_hint(err, "did you mean \"%s\"?", nearest);
	return FW_EINVAL;
}

static int set_all(struct fw_config *c, const struct fw_config_set *first, struct fw_error *err)
{
	for (const struct fw_config_set *set = first; set; set = set->next) {
		int rc = fw_config_set_key(c, set->value, err);
		if (rc == FW_ENOENT)
			return unknown_key(set, c->file, err);
		if (rc < 0) {
			if (err && !err->file[0])
				snprintf(err->file, sizeof err->file, "%s", c->file);
			if (err)
				err->line = set->line;
			return rc;
		}
	}
	return 0;
}

int fw_config_parse(struct fw_str text, const char *file, const char *folder, struct fw_config **ret, struct fw_error *err)
{
	struct fw_config_set *first = NULL;
	struct fw_config *c = calloc(1, sizeof *c);
	if (!c)
		return fw_fail(err, FW_ENOMEM, file, 0, "out of memory");
	fw_arena_init(&c->arena, NULL, 0, 0);
	c->file = fw_arena_strdup(&c->arena, file);
	c->folder = fw_arena_strdup(&c->arena, folder);
	char *copy = fw_arena_strndup(&c->arena, text.p, text.n);
	int rc = FW_ENOMEM;
	if (!c->file || !c->folder || !copy || fw_config_set_defaults(c) < 0) {
		fw_fail(err, FW_ENOMEM, file, 0, "out of memory");
		goto failed;
	}
	c->text = (struct fw_str){ copy, text.n };
	if ((rc = fw_config_eval(&c->arena, c->text, file, &first, err)) < 0)
		goto failed;
	if ((rc = set_all(c, first, err)) < 0 || (rc = fw_config_set_rest(c, err)) < 0)
		goto failed;
	*ret = c;
	return 0;
failed:
	fw_config_destroy(c);
	return rc;
}

int fw_config_load(const char *file, struct fw_config **ret, struct fw_error *err)
{
	struct fw_arena arena;
	struct fw_str text;
	char folder[PATH_MAX];
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_config_read_file(&arena, file, FILE_BYTES, &text, err);
	if (rc < 0)
		goto done;
	if (!realpath(file, folder)) {
		rc = fw_fail(err, FW_EIO, file, 0, "cannot be found: %s", strerror(errno));
		goto done;
	}
	*strrchr(folder, '/') = 0;
	rc = fw_config_parse(text, file, folder[0] ? folder : "/", ret, err);
done:
	fw_arena_finish(&arena);
	return rc;
}

void fw_config_destroy(struct fw_config *config)
{
	if (!config)
		return;
	fw_arena_finish(&config->arena);
	free(config);
}

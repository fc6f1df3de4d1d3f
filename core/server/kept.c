#include "server/kept.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/limits.h"
#include "server/rundir.h"

enum { DEPTH = 32 };

/* The hash is chained over path and content, file by file, in the order of the paths. */
static void add_to_hash(struct fw_kept *kept, const char *path, struct fw_str bytes)
{
	uint64_t seed = strtoull(kept->hash, NULL, 16);
	seed = XXH64(path, strlen(path) + 1, seed);
	seed = XXH64(bytes.p, bytes.n, seed);
	snprintf(kept->hash, sizeof kept->hash, "%016llx", (unsigned long long)seed);
	kept->files++;
}

int fw_kept_add(struct fw_kept *kept, const char *path, struct fw_str bytes, struct fw_error *err)
{
	char full[PATH_MAX];
	snprintf(full, sizeof full, "%s/%s", kept->folder, path);
	char *slash = strrchr(full, '/');
	*slash = 0;
	int rc = fw_make_folders(full, err);
	*slash = '/';
	if (rc == 0)
		rc = fw_write_file(full, bytes, err);
	if (rc == 0)
		add_to_hash(kept, path, bytes);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void free_names(char **names, size_t n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

/* The names in a folder, sorted; those that begin with a point or an underscore are nobody's. */
static int list(const char *path, char ***ret_names, size_t *ret_n, struct fw_error *err)
{
	size_t n = 0, size = 0;
	char **names = NULL;
	DIR *folder = opendir(path);
	if (!folder)
		return fw_fail(err, FW_EIO, path, 0, "the folder cannot be read: %s", strerror(errno));
	for (struct dirent *e; (e = readdir(folder));) {
		if (e->d_name[0] == '.' || e->d_name[0] == '_')
			continue;
		if (n == size) {
			size = size ? 2 * size : 64;
			char **grown = realloc(names, size * sizeof *names);
			if (!grown)
				goto no_memory;
			names = grown;
		}
		if (!(names[n] = strdup(e->d_name)))
			goto no_memory;
		n++;
	}
	closedir(folder);
	if (n > 0)
		qsort(names, n, sizeof *names, by_name);
	*ret_names = names;
	*ret_n = n;
	return 0;
no_memory:
	closedir(folder);
	free_names(names, n);
	return fw_fail(err, FW_ENOMEM, path, 0, "out of memory");
}

static int copy_file(struct fw_kept *kept, const char *from, const char *to, struct fw_error *err)
{
	struct fw_arena arena;
	struct fw_str bytes;
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = fw_config_read_file(&arena, from, FW_LIMIT_FILE_BYTES, &bytes, err);
	if (rc == 0)
		rc = fw_kept_add(kept, to, bytes, err);
	fw_arena_finish(&arena);
	return rc;
}

static int copy_tree(struct fw_kept *kept, const char *from, const char *to, int depth, struct fw_error *err)
{
	char **names = NULL;
	size_t n = 0;
	int rc = depth > DEPTH ? fw_fail(err, FW_ELIMIT, from, 0, "the folders are nested too deeply") : list(from, &names, &n, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		char source[PATH_MAX], target[PATH_MAX];
		struct stat st;
		size_t length = strlen(names[i]);
		snprintf(source, sizeof source, "%s/%s", from, names[i]);
		snprintf(target, sizeof target, "%s/%s", to, names[i]);
		if (stat(source, &st) < 0)
			continue; /* gone meanwhile, or a link to nothing, as an editor's lock */
		if (S_ISDIR(st.st_mode))
			rc = copy_tree(kept, source, target, depth + 1, err);
		else if (length > 4 && strcmp(names[i] + length - 4, ".lua") == 0 && strcmp(names[i], "floorwalker.lua") != 0)
			rc = copy_file(kept, source, target, err);
	}
	free_names(names, n);
	return rc;
}

static int make_empty(const struct fw_kept *kept, const char *name, struct fw_error *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", kept->folder, name);
	return fw_make_folders(path, err);
}

int fw_kept_begin(struct fw_kept *kept, const struct fw_config *config, struct fw_error *err)
{
	*kept = (struct fw_kept){ .files = 0 };
	if (snprintf(kept->folder, sizeof kept->folder, "%s/sets/.loading-%d", config->run, getpid()) >= (int)sizeof kept->folder - 40)
		return fw_fail(err, FW_EIO, config->run, 0, "the path is too long");
	fw_remove_tree(kept->folder);
	int rc = make_empty(kept, "rules", err);
	if (rc == 0)
		rc = copy_tree(kept, config->rules, "rules", 0, err);
	if (rc == 0 && config->compliance && (rc = make_empty(kept, "compliance", err)) == 0)
		rc = copy_tree(kept, config->compliance, "compliance", 0, err);
	if (rc == 0)
		rc = fw_kept_add(kept, "config.lua", config->text, err);
	if (rc == 0)
		rc = fw_kept_add(kept, "origin/file", fw_str(config->file), err);
	if (rc == 0)
		rc = fw_kept_add(kept, "origin/folder", fw_str(config->folder), err);
	if (rc < 0)
		fw_kept_drop(kept);
	return rc;
}

int fw_kept_finish(struct fw_kept *kept, const struct fw_config *config, struct fw_error *err)
{
	char path[sizeof kept->folder];
	snprintf(path, sizeof path, "%s/sets/%s", config->run, kept->hash);
	if (access(path, F_OK) == 0) {
		fw_remove_tree(kept->folder);
	} else if (rename(kept->folder, path) < 0) {
		fw_fail(err, FW_EIO, path, 0, "cannot be made: %s", strerror(errno));
		fw_kept_drop(kept);
		return FW_EIO;
	}
	snprintf(kept->folder, sizeof kept->folder, "%s", path);
	return 0;
}

void fw_kept_drop(struct fw_kept *kept)
{
	if (kept->folder[0])
		fw_remove_tree(kept->folder);
	kept->folder[0] = 0;
}

const char *fw_kept_current(const char *run, char *buf)
{
	char link[PATH_MAX], name[64];
	snprintf(link, sizeof link, "%s/sets/current", run);
	ssize_t n = readlink(link, name, sizeof name - 1);
	if (n <= 0)
		return NULL;
	name[n] = 0;
	if (snprintf(buf, 512, "%s/sets/%s", run, name) >= 512)
		return NULL;
	return access(buf, F_OK) == 0 ? buf : NULL;
}

int fw_kept_commit(const char *run, const char *folder, struct fw_error *err)
{
	char sets[PATH_MAX], link[PATH_MAX + 16], beside[PATH_MAX + 16];
	const char *name = strrchr(folder, '/') + 1;
	snprintf(sets, sizeof sets, "%s/sets", run);
	snprintf(link, sizeof link, "%s/current", sets);
	snprintf(beside, sizeof beside, "%s/.current", sets);
	unlink(beside);
	if (symlink(name, beside) < 0 || rename(beside, link) < 0)
		return fw_fail(err, FW_EIO, link, 0, "cannot be made: %s", strerror(errno));
	DIR *all = opendir(sets);
	for (struct dirent *e; all && (e = readdir(all));) {
		static const char *const stay[] = { ".", "..", "current", NULL };
		bool stays = strcmp(e->d_name, name) == 0;
		for (const char *const *s = stay; *s; s++)
			stays = stays || strcmp(e->d_name, *s) == 0;
		char path[PATH_MAX + 300];
		snprintf(path, sizeof path, "%s/%s", sets, e->d_name);
		if (!stays)
			fw_remove_tree(path);
	}
	if (all)
		closedir(all);
	return 0;
}

static int read_into(struct fw_arena *a, const char *folder, const char *name, struct fw_str *ret, struct fw_error *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return fw_config_read_file(a, path, 1 << 20, ret, err);
}

int fw_kept_load(const char *folder, struct fw_config **ret, struct fw_error *err)
{
	struct fw_arena arena;
	struct fw_str text, file, base;
	struct fw_config *c = NULL;
	fw_arena_init(&arena, NULL, 0, 0);
	int rc = read_into(&arena, folder, "config.lua", &text, err);
	if (rc == 0)
		rc = read_into(&arena, folder, "origin/file", &file, err);
	if (rc == 0)
		rc = read_into(&arena, folder, "origin/folder", &base, err);
	if (rc == 0)
		rc = fw_config_parse(text, file.p, base.p, &c, err);
	fw_arena_finish(&arena);
	if (rc < 0)
		return rc;
	c->rules = fw_arena_printf(&c->arena, "%s/rules", folder);
	c->plugin_path = fw_arena_printf(&c->arena, "%s/plugins", folder);
	if (c->compliance)
		c->compliance = fw_arena_printf(&c->arena, "%s/compliance", folder);
	if (!c->rules || !c->plugin_path) {
		fw_config_destroy(c);
		return fw_fail(err, FW_ENOMEM, folder, 0, "out of memory");
	}
	*ret = c;
	return 0;
}

#include "server/kept.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/hash.h"
#include "base/limits.h"

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
	int rc = fw_make_folders(full, 0750, err);
	*slash = '/';
	if (rc == 0)
		rc = fw_write_file(full, bytes, err);
	if (rc == 0)
		add_to_hash(kept, path, bytes);
	return rc;
}

int fw_kept_begin(struct fw_kept *kept, const struct fw_config *config, struct fw_error *err)
{
	*kept = (struct fw_kept){ .files = 0 };
	if (snprintf(kept->folder, sizeof kept->folder, "%s/sets/.loading-%d", config->run, getpid()) >= (int)sizeof kept->folder - 40)
		return fw_fail(err, FW_EIO, config->run, 0, "the path is too long");
	fw_remove_tree(kept->folder);
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/rules", kept->folder);
	int rc = fw_make_folders(path, 0750, err);
	snprintf(path, sizeof path, "%s/compliance", kept->folder);
	if (rc == 0 && config->compliance)
		rc = fw_make_folders(path, 0750, err);
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

/* Where run/sets/`pointer` leads. False: nowhere. */
static bool read_pointer(const char *run, const char *pointer, char name[64])
{
	char link[PATH_MAX];
	snprintf(link, sizeof link, "%s/sets/%s", run, pointer);
	ssize_t n = readlink(link, name, 63);
	name[n > 0 ? n : 0] = 0;
	return n > 0;
}

static int write_pointer(const char *run, const char *pointer, const char *name, struct fw_error *err)
{
	char link[PATH_MAX], beside[PATH_MAX];
	snprintf(link, sizeof link, "%s/sets/%s", run, pointer);
	snprintf(beside, sizeof beside, "%s/sets/.%s", run, pointer);
	unlink(beside);
	if (symlink(name, beside) < 0 || rename(beside, link) < 0)
		return fw_fail(err, FW_EIO, link, 0, "cannot be made: %s", strerror(errno));
	return 0;
}

static const char *pointed(const char *run, const char *pointer, char *buf)
{
	char name[64];
	if (!read_pointer(run, pointer, name) || snprintf(buf, 512, "%s/sets/%s", run, name) >= 512)
		return NULL;
	return access(buf, F_OK) == 0 ? buf : NULL;
}

const char *fw_kept_current(const char *run, char *buf)
{
	return pointed(run, "current", buf);
}

const char *fw_kept_former(const char *run, char *buf)
{
	return pointed(run, "former", buf);
}

/* What neither serves nor has served before. */
static void remove_others(const char *run, const char *name, const char *former)
{
	char sets[PATH_MAX];
	snprintf(sets, sizeof sets, "%s/sets", run);
	DIR *all = opendir(sets);
	for (struct dirent *e; all && (e = readdir(all));) {
		const char *const stay[] = { ".", "..", "current", "former", name, former };
		bool stays = false;
		for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
			stays = stays || strcmp(e->d_name, stay[i]) == 0;
		char path[PATH_MAX + 300];
		snprintf(path, sizeof path, "%s/%s", sets, e->d_name);
		if (!stays)
			fw_remove_tree(path);
	}
	if (all)
		closedir(all);
}

int fw_kept_commit(const char *run, const char *folder, struct fw_error *err)
{
	const char *name = strrchr(folder, '/') + 1;
	char before[64], former[64];
	int rc = 0;
	if (read_pointer(run, "current", before) && strcmp(before, name) != 0)
		rc = write_pointer(run, "former", before, err);
	if (rc == 0)
		rc = write_pointer(run, "current", name, err);
	read_pointer(run, "former", former);
	if (rc == 0)
		remove_others(run, name, former);
	return rc;
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

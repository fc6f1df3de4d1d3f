#include "rules/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/limits.h"

static int add(struct fw_files *files, struct fw_file file)
{
	if (files->n == files->size) {
		uint32_t size = files->size ? files->size * 2 : 16;
		struct fw_file *more = realloc(files->items, size * sizeof *more);
		if (!more)
			return FW_ENOMEM;
		files->items = more;
		files->size = size;
	}
	files->items[files->n++] = file;
	return 0;
}

int fw_files_add(struct fw_files *files, const char *name, const char *text, size_t n, bool compliance)
{
	struct fw_file file = { .name = strdup(name), .text = malloc(n + 1), .n = n, .compliance = compliance };
	if (file.text) {
		memcpy(file.text, text, n);
		file.text[n] = '\0';
	}
	if (file.name && file.text && add(files, file) == 0)
		return 0;
	free(file.name);
	free(file.text);
	return FW_ENOMEM;
}

static int read_text(const char *path, struct fw_file *file, struct fw_error *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return fw_fail(err, FW_EIO, path, 0, "cannot be read: %s", strerror(errno));
	size_t size = 0;
	int ret = 0;
	for (;;) {
		if (file->n + 1 >= size) {
			size = size ? size * 2 : 16384;
			bool too_large = file->n > (size_t)FW_LIMIT_FILE_BYTES;
			char *more = too_large ? NULL : realloc(file->text, size);
			if (!more) {
				ret = too_large ? fw_fail(err, FW_ELIMIT, path, 0, "the file is larger than %d bytes", FW_LIMIT_FILE_BYTES)
					: fw_fail(err, FW_ENOMEM, path, 0, "out of memory");
				break;
			}
			file->text = more;
		}
		size_t n = fread(file->text + file->n, 1, size - file->n - 1, f);
		file->n += n;
		if (n == 0)
			break;
	}
	if (ret == 0 && ferror(f))
		ret = fw_fail(err, FW_EIO, path, 0, "cannot be read: %s", strerror(errno));
	if (file->text)
		file->text[file->n] = '\0';
	fclose(f);
	return ret;
}

static bool ends_in(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);
	return n > m && strcmp(name + n - m, ending) == 0;
}

static bool is_rule_file(const char *name)
{
	return ends_in(name, ".lua") && strcmp(name, "floorwalker.lua") != 0;
}

static bool ends_as_template(const char *name)
{
	return ends_in(name, ".html") || ends_in(name, ".txt") || ends_in(name, ".sms");
}

static bool is_template(const char *name, bool compliance)
{
	return !compliance && strncmp(name, FW_TEMPLATES_FOLDER, sizeof FW_TEMPLATES_FOLDER - 1) == 0 && ends_as_template(name);
}

bool fw_file_may_be_read(const char *name)
{
	return name[0] != '.' && (is_rule_file(name) || ends_as_template(name));
}

bool fw_file_is_template(const struct fw_file *file)
{
	return is_template(file->name, file->compliance);
}

static int read_folder(struct fw_files *files, const char *folder, const char *prefix, bool compliance, int depth, struct fw_error *err);

/* A folder is gone into, a rule file or a template read, anything else left alone. */
static int read_entry(struct fw_files *files, const char *path, const char *name, bool compliance, int depth, struct fw_error *err)
{
	struct stat st;
	const char *slash = strrchr(name, '/');
	bool there = stat(path, &st) == 0;
	if (there && S_ISDIR(st.st_mode)) {
		if (depth < FW_FILES_DEEPEST)
			return read_folder(files, path, name, compliance, depth + 1, err);
		return fw_fail(err, FW_ELIMIT, path, 0, "folders are nested more than %d deep", FW_FILES_DEEPEST);
	}
	if (!is_rule_file(slash ? slash + 1 : name) && !is_template(name, compliance))
		return 0;
	if (there && !S_ISREG(st.st_mode))
		return fw_fail(err, FW_EIO, path, 0, "is no regular file");
	struct fw_file file = { .compliance = compliance };
	int ret = read_text(path, &file, err);
	file.name = strdup(name);
	if (ret == 0 && (!file.name || add(files, file) < 0))
		ret = fw_fail(err, FW_ENOMEM, path, 0, "out of memory");
	if (ret < 0) {
		free(file.name);
		free(file.text);
	}
	return ret;
}

static int read_folder(struct fw_files *files, const char *folder, const char *prefix, bool compliance, int depth, struct fw_error *err)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), ret = 0;
	if (n < 0)
		return fw_fail(err, FW_EIO, folder, 0, "the folder cannot be read: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char path[4096], relative[1024];
		int length = snprintf(path, sizeof path, "%s/%s", folder, name);
		int relative_length = snprintf(relative, sizeof relative, "%s%s%s", prefix, prefix[0] ? "/" : "", name);
		bool wanted = ret == 0 && name[0] != '.' && (name[0] != '_' || is_template(relative, compliance));
		if (wanted && ((size_t)length >= sizeof path || (size_t)relative_length >= sizeof relative))
			ret = fw_fail(err, FW_ELIMIT, folder, 0, "the path of %s is too long", name);
		else if (wanted)
			ret = read_entry(files, path, relative, compliance, depth, err);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

int fw_files_read(struct fw_files *files, const char *folder, bool compliance, struct fw_error *err)
{
	return read_folder(files, folder, "", compliance, 0, err);
}

void fw_files_finish(struct fw_files *files)
{
	for (uint32_t i = 0; i < files->n; i++) {
		free(files->items[i].name);
		free(files->items[i].text);
	}
	free(files->items);
	*files = (struct fw_files){ 0 };
}

uint64_t fw_files_secret(const struct fw_files *files)
{
	uint64_t h = 0;
	for (uint32_t i = 0; i < files->n; i++)
		h = XXH64(files->items[i].text, files->items[i].n, h);
	return h;
}

/* One hash over the hashes: the library's streaming state wants an alignment that not every stack gives. */
void fw_files_hash(const struct fw_files *files, char hash[33])
{
	XXH128_hash_t h = { 0, 0 };
	for (uint32_t i = 0; i < files->n; i++) {
		const struct fw_file *f = &files->items[i];
		XXH128_hash_t name = XXH3_128bits(f->name, strlen(f->name)), text = XXH3_128bits(f->text, f->n);
		uint64_t parts[7] = { h.low64, h.high64, name.low64, name.high64, text.low64, text.high64, f->compliance };
		h = XXH3_128bits(parts, sizeof parts);
	}
	snprintf(hash, 33, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

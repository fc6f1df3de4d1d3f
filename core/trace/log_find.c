#include "trace/log_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLACK_S = 3600 }; /* that clocks may have been set back */

static int is_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name), m = sizeof FW_LOG_ENDING - 1;
	return n > m && e->d_name[0] != '.' && strcmp(e->d_name + n - m, FW_LOG_ENDING) == 0;
}

/* False: it is gone meanwhile, nothing can be read of it, or nothing was written to it since that time. */
static bool map(const char *folder, const char *name, int64_t at_s, struct fw_log_found *f)
{
	char path[4096];
	struct stat st;
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path || strlen(name) >= sizeof f->name)
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool fine = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		(int64_t)st.st_mtime + SLACK_S > at_s;
	void *p = fine ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return false;
	f->bytes = (struct fw_str){ p, (size_t)st.st_size };
	memcpy(f->name, name, strlen(name) + 1);
	return true;
}

static void unmap(struct fw_log_found *f)
{
	if (f->bytes.p)
		munmap((void *)(uintptr_t)f->bytes.p, f->bytes.n);
	f->bytes = (struct fw_str){ NULL, 0 };
}

void fw_log_found_finish(struct fw_log_found *f)
{
	unmap(f);
}

static bool is_in(struct fw_log_found *f, const unsigned char id[FW_LOG_ID])
{
	struct fw_log_reader r;
	struct fw_str entry;
	bool found = false;
	if (fw_log_reader_init(&r, f->bytes) < 0) {
		f->lost += f->bytes.n;
		return false;
	}
	while (!found && fw_log_next(&r, &entry))
		found = fw_log_get_decision(entry, &f->decision) == 0 && memcmp(f->decision.id, id, FW_LOG_ID) == 0;
	f->lost += r.lost;
	return found;
}

static int read_set(struct fw_log_found *f, struct fw_arena *a, struct fw_error *err)
{
	struct fw_str entry;
	int rc = fw_log_at(f->bytes, f->decision.set_at, 'S', &entry) ? fw_log_get_set(a, entry, &f->set) : FW_EINVAL;
	if (rc < 0)
		fw_fail(err, rc, f->name, 0, "the decision is there, but which rule set made it cannot be read: the file is damaged");
	return rc;
}

int fw_log_find(const char *folder, const unsigned char id[FW_LOG_ID], struct fw_arena *a, struct fw_log_found *ret, struct fw_error *err)
{
	struct dirent **names;
	int64_t at_s = fw_log_id_us(id) / 1000000;
	*ret = (struct fw_log_found){ .files = 0 };
	int n = scandir(folder, &names, is_file, alphasort), rc = FW_ENOENT;
	if (n < 0)
		return fw_fail(err, FW_EIO, folder, 0, "the folder of the decision log cannot be read: %s", strerror(errno));
	fw_fail(err, FW_ENOENT, NULL, 0, "no file of the decision log has it");
	/* The newest first: what was just decided is asked for most. */
	for (int i = n; i-- > 0;) {
		if (rc == FW_ENOENT && map(folder, names[i]->d_name, at_s, ret)) {
			ret->files++;
			if (is_in(ret, id))
				rc = read_set(ret, a, err);
			else
				unmap(ret);
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

int fw_log_map_all(const char *folder, struct fw_arena *a, struct fw_log_found **ret, uint32_t *ret_n, struct fw_error *err)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_file, alphasort);
	if (n < 0)
		return fw_fail(err, FW_EIO, folder, 0, "the folder of the decision log cannot be read: %s", strerror(errno));
	struct fw_log_found *files = FW_NEW_ARRAY(a, (size_t)n + 1, struct fw_log_found);
	*ret_n = 0;
	for (int i = 0; i < n; i++) {
		if (files && map(folder, names[i]->d_name, 0, &files[*ret_n]))
			++*ret_n;
		free(names[i]);
	}
	free(names);
	*ret = files;
	return files ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

static int open_record(const struct fw_log_found *f, const unsigned char *key, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_log_sealed person;
	struct fw_str entry;
	*ret = (struct fw_str){ NULL, 0 };
	if (!f->decision.person_at)
		return 0;
	if (!fw_log_at(f->bytes, f->decision.person_at, 'P', &entry) || fw_log_get_person(entry, &person) < 0)
		return FW_EINVAL;
	return fw_unseal(key, person.beside, person.sealed, a, ret);
}

int fw_log_unseal(const struct fw_log_found *f, const unsigned char key[FW_SEAL_KEY], struct fw_arena *a, struct fw_logged *ret,
	struct fw_str *ret_record)
{
	struct fw_str plain, record;
	struct fw_unpack u;
	int rc = fw_unseal(key, f->decision.sealed.beside, f->decision.sealed.sealed, a, &plain);
	if (rc == 0)
		rc = open_record(f, key, a, &record);
	if (rc < 0)
		return rc;
	fw_unpack_init(&u, plain);
	XXH128_hash_t hash = { 0, 0 }, is = { 0, 0 };
	hash.low64 = fw_unpack_fixed(&u);
	hash.high64 = fw_unpack_fixed(&u);
	if (record.n)
		is = XXH3_128bits(record.p, record.n);
	if (u.failed || !XXH128_isEqual(hash, is))
		return FW_EINVAL;
	rc = fw_logged_read(a, (struct fw_str){ (const char *)u.p, (size_t)(u.end - u.p) }, ret);
	if (rc == 0)
		*ret_record = record;
	return rc;
}

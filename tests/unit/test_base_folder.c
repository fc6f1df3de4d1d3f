/* Under a tight umask the data folder of a daemon that gives up being root could not be reached by whom it became. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/folder.h"
#include "lib_temporary.h"

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void test_modes(void **state)
{
	char root[TEMPORARY_PATH], path[TEMPORARY_PATH + 16], file[TEMPORARY_PATH + 16];
	struct fw_error err;
	(void)state;
	temporary_folder(root);
	mode_t before = umask(027);
	snprintf(path, sizeof path, "%s/a/b/c", root);
	assert_int_equal(fw_make_folders(path, 0700, &err), 0);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(fw_make_folders(path, 0700, &err), 0); /* what is there stays */
	umask(before);
	snprintf(file, sizeof file, "%s/a/b", root);
	assert_int_equal(mode_of(file), 0755);
	snprintf(file, sizeof file, "%s/a", root);
	assert_int_equal(mode_of(file), 0755);
	snprintf(file, sizeof file, "%s/file", root);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	snprintf(path, sizeof path, "%s/file/below", root);
	assert_int_equal(fw_make_folders(path, 0700, &err), FW_EIO);
	static const char *const made[] = { "a/b/c", "a/b", "a", "file", "" };
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		snprintf(path, sizeof path, "%s/%s", root, made[i]);
		assert_int_equal(remove(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_modes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

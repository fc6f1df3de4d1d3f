/* Places from real databases, nested and flat, and from every broken one at hand. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "signal/geo.h"

static const char *path_of(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/data/maxmind-db/%s", FW_TESTS, name);
	return path;
}

static struct fw_geo *open_database(const char *name)
{
	struct fw_geo *geo = NULL;
	struct fw_error err;
	if (fw_geo_open(path_of(name), &geo, &err) != 0)
		fail_msg("%s: %s", name, err.message);
	return geo;
}

static struct fw_ip ip_of(const char *text)
{
	struct fw_ip ip;
	assert_true(fw_ip_parse(fw_str(text), &ip));
	return ip;
}

static void assert_text(struct fw_str got, const char *expected, const char *of)
{
	if (!(got.n == 0 && !expected[0]) && !fw_str_is(got, expected))
		fail_msg("%s: expected \"%s\", got \"%.*s\"", of, expected, (int)got.n, got.p);
}

static void check(const struct fw_geo *geo, const char *address, const char *country, const char *region, const char *city,
	const char *continent, const char *timezone)
{
	struct fw_place place;
	struct fw_ip ip = ip_of(address);
	assert_int_equal(fw_geo_find(geo, &ip, &place), 0);
	assert_text((struct fw_str){ place.country, place.country[0] ? 2 : 0 }, country, address);
	assert_text(fw_str(place.region), region, address);
	assert_text(place.city, city, address);
	assert_text(place.continent, continent, address);
	assert_text(place.timezone, timezone, address);
}

static void check_unknown(const struct fw_geo *geo, const char *address)
{
	struct fw_place place;
	struct fw_ip ip = ip_of(address);
	assert_int_equal(fw_geo_find(geo, &ip, &place), FW_ENOENT);
}

static void test_nested(void **state)
{
	(void)state;
	struct fw_geo *geo = open_database("GeoIP2-City-Test.mmdb");
	struct fw_place place;
	check(geo, "2.125.160.216", "GB", "GB-ENG", "Boxford", "EU", "Europe/London");
	check(geo, "216.160.83.56", "US", "US-WA", "Milton", "NA", "America/Los_Angeles");
	check(geo, "::ffff:216.160.83.56", "US", "US-WA", "Milton", "NA", "America/Los_Angeles");
	check(geo, "89.160.20.112", "SE", "SE-E", "Link\xc3\xb6ping", "EU", "Europe/Stockholm");
	check(geo, "175.16.199.1", "CN", "CN-22", "Changchun", "AS", "Asia/Harbin");
	check(geo, "2001:218::1", "JP", "", "", "AS", "Asia/Tokyo");
	check_unknown(geo, "127.0.0.1");
	check_unknown(geo, "2001:db8::1");
	struct fw_ip swede = ip_of("89.160.20.112"), briton = ip_of("2.125.160.216");
	assert_int_equal(fw_geo_find(geo, &swede, &place), 0);
	assert_true(place.in_eu_told && place.in_eu);
	assert_int_equal(fw_geo_find(geo, &briton, &place), 0);
	assert_false(place.in_eu_told);
	fw_geo_destroy(geo);

	geo = open_database("GeoLite2-Country-Test.mmdb");
	check(geo, "2.125.160.216", "GB", "", "", "EU", "");
	fw_geo_destroy(geo);
}

static void test_flat(void **state)
{
	(void)state;
	struct fw_geo *geo = open_database("flat.mmdb");
	check(geo, "192.0.2.1", "CA", "CA-ON", "Toronto", "NA", "America/Toronto");
	check(geo, "192.0.2.17", "DE", "", "", "", "");
	check(geo, "192.0.2.33", "FR", "FR-IDF", "", "", "");
	check(geo, "192.0.2.49", "", "", "Somewhere", "", "");
	check(geo, "192.0.2.65", "US", "", "", "", "");
	check(geo, "192.0.2.81", "", "", "", "", "");
	check(geo, "192.0.2.97", "US", "", "", "", "");
	check(geo, "::ffff:192.0.2.1", "CA", "CA-ON", "Toronto", "NA", "America/Toronto");
	check_unknown(geo, "198.51.100.1");
	check_unknown(geo, "2001:db8::1"); /* an error of the library, but to us the database just does not know it */
	fw_geo_destroy(geo);
	fw_geo_destroy(NULL);
}

/* Whatever a file holds: no crash, and an answer or a refusal. */
static void test_broken(void **state)
{
	(void)state;
	static const char *const asked[] = { "0.0.0.0", "1.1.1.1", "2.125.160.216", "81.2.69.142", "89.160.20.112", "128.0.0.1",
		"216.160.83.56", "255.255.255.255", "::2", "2001:218::1", "2a02:d040::1", "ffff::1" };
	DIR *folder = opendir(path_of("bad"));
	assert_non_null(folder);
	int files = 0, refused = 0;
	for (struct dirent *e; (e = readdir(folder));) {
		char name[512];
		struct fw_geo *geo = NULL;
		struct fw_error err = { 0 };
		struct fw_place place;
		if (e->d_name[0] == '.')
			continue;
		files++;
		snprintf(name, sizeof name, "bad/%s", e->d_name);
		int r = fw_geo_open(path_of(name), &geo, &err);
		refused += r < 0;
		assert_true(r == 0 || (r == FW_EINVAL && err.message[0] && err.file[0]));
		for (size_t i = 0; r == 0 && i < sizeof asked / sizeof *asked; i++) {
			struct fw_ip ip = ip_of(asked[i]);
			int found = fw_geo_find(geo, &ip, &place);
			assert_true(found == 0 || found == FW_ENOENT || found == FW_EINVAL);
		}
		fw_geo_destroy(geo);
	}
	closedir(folder);
	assert_true(files >= 25);
	assert_true(refused >= 5);
}

static void check_refused(const char *path, int expected)
{
	struct fw_geo *geo = NULL;
	struct fw_error err = { 0 };
	assert_int_equal(fw_geo_open(path, &geo, &err), expected);
	assert_null(geo);
	assert_string_equal(err.file, path);
	assert_true(err.message[0]);
}

static void test_no_database(void **state)
{
	(void)state;
	check_refused("/nowhere/geo.mmdb", FW_EIO);
	check_refused("/tmp", FW_EINVAL);
	check_refused("/dev/null", FW_EINVAL);
	check_refused(path_of("README.md"), FW_EINVAL);
}

/* A file that is overwritten in place while it serves would, mapped, end the process with SIGBUS. */
static void test_replaced_in_place(void **state)
{
	(void)state;
	char path[] = "/tmp/floorwalker-geo-XXXXXX", *buf = malloc(1 << 20);
	struct fw_geo *geo = NULL;
	struct fw_error err;
	FILE *from = fopen(path_of("GeoIP2-City-Test.mmdb"), "rb");
	assert_non_null(from);
	size_t n = fread(buf, 1, 1 << 20, from);
	fclose(from);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, buf, n), n);
	free(buf);
	assert_int_equal(fw_geo_open(path, &geo, &err), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	unlink(path);
	check(geo, "216.160.83.56", "US", "US-WA", "Milton", "NA", "America/Los_Angeles");
	fw_geo_destroy(geo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_no_database),
		cmocka_unit_test(test_replaced_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

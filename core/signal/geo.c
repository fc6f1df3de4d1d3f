#include "signal/geo.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "fact/catalogue.h"

/* A record read before. The texts in it point into the database. */
struct remembered {
	bool known;
	uint32_t offset;
	struct fw_place place;
};

enum { REMEMBERED = 1021 };

struct fw_geo {
	MMDB_s db;
	struct remembered *remembered; /* by offset; each process' own after a fork */
};

/* A copy of the file that nobody else can change: a mapped file that shrinks would end every process that reads it. */
static int copy_file(const char *path, int *ret_fd, struct fw_error *err)
{
	struct stat st;
	int r = FW_EIO, copy = -1, from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0) {
		r = fw_fail(err, FW_EIO, path, 0, "cannot open the geo database: %s", strerror(errno));
		goto done;
	}
	if (!S_ISREG(st.st_mode)) {
		r = fw_fail(err, FW_EINVAL, path, 0, "the geo database is no regular file");
		goto done;
	}
	if (st.st_size > FW_LIMIT_GEO_BYTES) {
		r = fw_fail(err, FW_ELIMIT, path, 0, "the geo database is larger than %d MiB", FW_LIMIT_GEO_BYTES >> 20);
		goto done;
	}
	copy = memfd_create("floorwalker-geo", MFD_CLOEXEC);
	if (copy < 0)
		goto failed;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(copy, from, NULL, (size_t)left);
		if (n < 0)
			goto failed;
		if (n == 0)
			break; /* it has shrunk meanwhile */
		left -= n;
	}
	*ret_fd = copy;
	copy = -1;
	r = 0;
	goto done;
failed:
	r = fw_fail(err, FW_EIO, path, 0, "cannot read the geo database: %s", strerror(errno));
done:
	if (copy >= 0)
		close(copy);
	if (from >= 0)
		close(from);
	return r;
}

int fw_geo_open(const char *path, struct fw_geo **ret_geo, struct fw_error *err)
{
	int fd = -1, r = copy_file(path, &fd, err);
	if (r < 0)
		return r;
	char name[32];
	struct fw_geo *geo = calloc(1, sizeof *geo);
	if (geo && !(geo->remembered = calloc(REMEMBERED, sizeof *geo->remembered))) {
		free(geo);
		geo = NULL;
	}
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int status = geo ? MMDB_open(name, MMDB_MODE_MMAP, &geo->db) : MMDB_OUT_OF_MEMORY_ERROR;
	close(fd);
	if (status != MMDB_SUCCESS) {
		if (geo)
			free(geo->remembered);
		free(geo);
		if (status == MMDB_OUT_OF_MEMORY_ERROR)
			return fw_fail(err, FW_ENOMEM, path, 0, "no memory for the geo database");
		return fw_fail(err, FW_EINVAL, path, 0, "no geo database in the MaxMind DB format: %s", MMDB_strerror(status));
	}
	*ret_geo = geo;
	return 0;
}

void fw_geo_destroy(struct fw_geo *geo)
{
	if (!geo)
		return;
	MMDB_close(&geo->db);
	free(geo->remembered);
	free(geo);
}

/* The first of the paths that leads to a non-empty text. */
static struct fw_str find_text(MMDB_entry_s *entry, const char *const (*paths)[5], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		MMDB_entry_data_s data;
		struct fw_str text;
		if (MMDB_aget_value(entry, &data, paths[i]) != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING)
			continue;
		text = (struct fw_str){ data.utf8_string, data.data_size };
		if (text.n > 0 && text.n <= 128 && fw_utf8_valid(text))
			return text;
	}
	return (struct fw_str){ 0 };
}

static void read_country(MMDB_entry_s *entry, struct fw_place *place)
{
	static const char *const paths[][5] = { { "country", "iso_code" }, { "country_code" }, { "country" } };
	MMDB_entry_data_s data;
	struct fw_str code = find_text(entry, paths, 3);
	if (!fw_place_set_country(place, code))
		return;
	static const char *const eu[] = { "country", "is_in_european_union", NULL };
	if (MMDB_aget_value(entry, &data, eu) == MMDB_SUCCESS && data.has_data && data.type == MMDB_DATA_TYPE_BOOLEAN) {
		place->in_eu_told = true;
		place->in_eu = data.boolean;
	}
}

static struct fw_str read_continent(MMDB_entry_s *entry)
{
	static const char *const paths[][5] = { { "continent", "code" }, { "continent_code" }, { "continent" } };
	struct fw_str code = find_text(entry, paths, 3);
	for (const char *const *known = fw_fact_info(FW_FACT_CONTINENT)->values; *known; known++)
		if (fw_str_equal_fold(code, fw_str(*known)))
			return fw_str(*known);
	return (struct fw_str){ 0 };
}

static void read_place(MMDB_entry_s *entry, struct fw_place *ret)
{
	static const char *const cities[][5] = { { "city", "names", "en" }, { "city" }, { "city_name" } },
		*const regions[][5] = { { "subdivisions", "0", "iso_code" }, { "region_code" }, { "subdivision_code" } },
		*const zones[][5] = { { "location", "time_zone" }, { "timezone" }, { "time_zone" } };
	memset(ret, 0, sizeof *ret);
	read_country(entry, ret);
	fw_place_set_region(ret, find_text(entry, regions, 3));
	ret->continent = read_continent(entry);
	ret->city = find_text(entry, cities, 3);
	ret->timezone = find_text(entry, zones, 3);
	if (ret->timezone.n && !fw_fact_info(FW_FACT_TIMEZONE)->fits(ret->timezone))
		ret->timezone = (struct fw_str){ 0 };
}

int fw_geo_find(const struct fw_geo *geo, const struct fw_ip *ip, struct fw_place *ret)
{
	struct sockaddr_storage to;
	int status = MMDB_SUCCESS;
	fw_ip_to(ip, &to);
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&geo->db, (const struct sockaddr *)&to, &status);
	if (status == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR)
		return FW_ENOENT;
	if (status != MMDB_SUCCESS)
		return FW_EINVAL;
	if (!found.found_entry)
		return FW_ENOENT;
	/* Many networks share a record: what was read from it last is remembered by where it stands in the file. */
	struct remembered *r = &geo->remembered[found.entry.offset % REMEMBERED];
	if (!r->known || r->offset != found.entry.offset) {
		r->known = true;
		r->offset = found.entry.offset;
		read_place(&found.entry, &r->place);
	}
	*ret = r->place;
	return 0;
}

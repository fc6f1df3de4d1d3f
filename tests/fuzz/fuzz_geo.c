/* A geo database of any bytes: every lookup ends, and what it finds has the form that facts have. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fact/catalogue.h"
#include "signal/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
const char *__lsan_default_suppressions(void) __attribute__((visibility("default")));

/* MMDB_open of libmaxminddb 1.7 forgets the languages of a database that it refuses after reading them. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static void check(enum fw_fact fact, struct fw_str text)
{
	char message[512], hint[512];
	if (!fw_utf8_valid(text) || (text.n && fw_fact_refuse(fact, text, message, sizeof message, hint, sizeof hint)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const asked[] = { "0.0.0.0", "1.1.1.1", "2.125.160.216", "81.2.69.142", "89.160.20.112", "192.0.2.1",
		"216.160.83.56", "255.255.255.255", "2001:218::1", "2a02:d040::1", "ffff::1" };
	struct fw_geo *geo = NULL;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int r = fw_geo_open(path, &geo, NULL);
	close(fd);
	for (size_t i = 0; r == 0 && i < sizeof asked / sizeof *asked; i++) {
		struct fw_ip ip;
		struct fw_place place;
		if (!fw_ip_parse(fw_str(asked[i]), &ip))
			abort();
		if (fw_geo_find(geo, &ip, &place) != 0)
			continue;
		check(FW_FACT_COUNTRY, (struct fw_str){ place.country, place.country[0] ? 2 : 0 });
		check(FW_FACT_REGION, fw_str(place.region));
		check(FW_FACT_CITY, place.city);
		check(FW_FACT_CONTINENT, place.continent);
		check(FW_FACT_TIMEZONE, place.timezone);
	}
	fw_geo_destroy(geo);
	return 0;
}

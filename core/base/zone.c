#include "base/zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"

static const char directory[] = "/usr/share/zoneinfo/";
enum { LARGEST_FILE = 1 << 17, MOST_UNKNOWN = 4096, LONGEST_NAME = 64, MOST_ZONES = 64 };

struct change {
	int64_t at_s;
	int32_t offset_s;
};

/* A POSIX TZ rule (RFC 9636 section 3.3), for the time after the last change of the table. */
struct yearly {
	int month, week, weekday; /* "M" form; month 0: "day" is used */
	int day;                  /* Julian day */
	bool skip_leap;           /* "J" form: 29 February is never counted */
	int32_t time_s;
};

struct fw_zone {
	char *name;
	int32_t first_offset_s;
	struct change *changes;
	size_t n_changes;
	bool has_rule, has_summer;
	int32_t standard_s, summer_s;
	struct yearly begins, ends;
};

struct country {
	char code[2];
	const struct fw_zone *zones[MOST_ZONES];
	size_t n;
};

struct fw_zone_set {
	struct fw_arena arena;
	struct fw_map by_name; /* to an index of zones, or UNKNOWN */
	struct fw_zone **zones;
	size_t n_zones, size;
	size_t n_unknown;
	struct country *countries;
	size_t n_countries;
	bool countries_read;
};

enum { UNKNOWN = UINT32_MAX - 1 };

struct fw_zone_set *fw_zone_set_create(void)
{
	struct fw_zone_set *set = calloc(1, sizeof *set);
	if (!set)
		return NULL;
	fw_arena_init(&set->arena, NULL, 0, 0);
	fw_map_init(&set->by_name, &set->arena);
	return set;
}

void fw_zone_set_destroy(struct fw_zone_set *set)
{
	if (!set)
		return;
	free(set->zones);
	fw_arena_finish(&set->arena);
	free(set);
}

const char *fw_zone_name(const struct fw_zone *zone)
{
	return zone->name;
}

/* Letters, digits, "_", "+", "-" and single slashes between parts that begin with a letter. */
static bool name_is_safe(struct fw_str name)
{
	if (name.n == 0 || name.n > LONGEST_NAME)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool starts = i == 0 || name.p[i - 1] == '/';
		if (starts ? !isalpha(c) : !(isalnum(c) || strchr("_+-/", c)))
			return false;
		if (c == 0 || c >= 0x80)
			return false;
	}
	return name.p[name.n - 1] != '/';
}

static int64_t big_endian(const unsigned char *p, int bytes)
{
	uint64_t v = p[0] & 0x80 && bytes < 8 ? ~(uint64_t)0 : 0;
	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static const char *read_seconds(const char *p, int32_t *ret)
{
	int sign = 1;
	if (*p == '-' || *p == '+')
		sign = *p++ == '-' ? -1 : 1;
	int32_t v = 0, unit = 3600;
	if (!isdigit((unsigned char)*p))
		return NULL;
	for (;;) {
		char *end;
		v += (int32_t)(strtol(p, &end, 10) % 1000) * unit;
		p = end;
		unit /= 60;
		if (*p != ':' || unit == 0)
			break;
		p++;
	}
	*ret = sign * v;
	return p;
}

static const char *skip_abbreviation(const char *p)
{
	if (*p == '<') {
		p = strchr(p, '>');
		return p ? p + 1 : NULL;
	}
	while (isalpha((unsigned char)*p))
		p++;
	return p;
}

static const char *read_yearly(const char *p, struct yearly *y)
{
	char *end;
	if (*p++ != ',')
		return NULL;
	*y = (struct yearly){ .time_s = 7200 };
	if (*p == 'M') {
		y->month = (int)strtol(p + 1, &end, 10);
		y->week = *end == '.' ? (int)strtol(end + 1, &end, 10) : 0;
		y->weekday = *end == '.' ? (int)strtol(end + 1, &end, 10) : -1;
		if (y->month < 1 || y->month > 12 || y->week < 1 || y->week > 5 || y->weekday < 0 || y->weekday > 6)
			return NULL;
	} else {
		y->skip_leap = *p == 'J';
		y->day = (int)strtol(p + y->skip_leap, &end, 10);
	}
	p = end;
	return *p == '/' ? read_seconds(p + 1, &y->time_s) : p;
}

/* "CET-1CEST,M3.5.0,M10.5.0/3": offsets count west of Greenwich. */
static bool read_rule(struct fw_zone *z, const char *p)
{
	if (!(p = skip_abbreviation(p)) || !(p = read_seconds(p, &z->standard_s)))
		return false;
	z->standard_s = -z->standard_s;
	z->has_rule = true;
	if (*p == '\0')
		return true;
	if (!(p = skip_abbreviation(p)))
		return false;
	z->summer_s = z->standard_s + 3600;
	if (*p != ',') {
		if (!(p = read_seconds(p, &z->summer_s)))
			return false;
		z->summer_s = -z->summer_s;
	}
	if (!(p = read_yearly(p, &z->begins)) || !(p = read_yearly(p, &z->ends)))
		return false;
	z->has_summer = true;
	return true;
}

static bool read_changes(struct fw_zone_set *set, struct fw_zone *z, const unsigned char *p, const unsigned char *end)
{
	enum { HEADER = 44 };
	if (end - p < HEADER || memcmp(p, "TZif", 4) != 0)
		return false;
	int64_t utc = big_endian(p + 20, 4), std = big_endian(p + 24, 4), leap = big_endian(p + 28, 4);
	int64_t times = big_endian(p + 32, 4), types = big_endian(p + 36, 4), chars = big_endian(p + 40, 4);
	if (utc < 0 || std < 0 || leap < 0 || times < 0 || types < 1 || chars < 0 || times > 10000 || types > 256)
		return false;
	int64_t bytes = times * 8 + times + types * 6 + chars + leap * 12 + std + utc;
	const unsigned char *at = p + HEADER, *index = at + times * 8, *info = index + times;
	if (bytes > end - at)
		return false;
	z->changes = FW_NEW_ARRAY(&set->arena, (size_t)times + 1, struct change);
	if (!z->changes)
		return false;
	z->first_offset_s = (int32_t)big_endian(info, 4);
	for (int64_t i = 0; i < times; i++) {
		if (index[i] >= types)
			return false;
		z->changes[i] = (struct change){ big_endian(at + i * 8, 8), (int32_t)big_endian(info + index[i] * 6, 4) };
	}
	z->n_changes = (size_t)times;
	const char *footer = (const char *)at + bytes;
	if ((const unsigned char *)footer >= end || *footer != '\n')
		return true;
	const char *stop = memchr(footer + 1, '\n', (size_t)((const char *)end - footer - 1));
	if (!stop || stop == footer + 1)
		return true;
	char *rule = fw_arena_strndup(&set->arena, footer + 1, (size_t)(stop - footer - 1));
	return rule && read_rule(z, rule);
}

/* The second block of a version 2+ file holds 64-bit times; the first is skipped by its own counts. */
static bool read_file(struct fw_zone_set *set, struct fw_zone *z, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n;
	if (n < 44 || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	int64_t times = big_endian(p + 32, 4), types = big_endian(p + 36, 4), chars = big_endian(p + 40, 4);
	int64_t skip = 44 + times * 5 + types * 6 + chars + big_endian(p + 28, 4) * 8 + big_endian(p + 24, 4) + big_endian(p + 20, 4);
	if (times < 0 || types < 0 || chars < 0 || skip < 44 || skip > (int64_t)n)
		return false;
	return read_changes(set, z, p + skip, end);
}

static unsigned char *load_bytes(const char *path, size_t *ret_n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	struct stat st;
	unsigned char *bytes = NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < LARGEST_FILE && (bytes = malloc((size_t)st.st_size + 1))) {
		ssize_t n = read(fd, bytes, (size_t)st.st_size);
		if (n != st.st_size) {
			free(bytes);
			bytes = NULL;
		} else {
			bytes[n] = 0;
			*ret_n = (size_t)n;
		}
	}
	close(fd);
	return bytes;
}

static struct fw_zone *load(struct fw_zone_set *set, struct fw_str name)
{
	char path[sizeof directory + LONGEST_NAME + 1];
	memcpy(path, directory, sizeof directory - 1);
	memcpy(path + sizeof directory - 1, name.p, name.n);
	path[sizeof directory - 1 + name.n] = '\0';
	size_t n;
	unsigned char *bytes = load_bytes(path, &n);
	if (!bytes)
		return NULL;
	struct fw_zone *z = FW_NEW(&set->arena, struct fw_zone);
	if (z)
		z->name = fw_arena_strndup(&set->arena, name.p, name.n);
	if (z && (!z->name || !read_file(set, z, bytes, n)))
		z = NULL;
	free(bytes);
	return z;
}

static int keep(struct fw_zone_set *set, struct fw_zone *z)
{
	if (set->n_zones == set->size) {
		size_t size = set->size ? set->size * 2 : 32;
		struct fw_zone **zones = realloc(set->zones, size * sizeof(struct fw_zone *));
		if (!zones)
			return FW_ENOMEM;
		set->zones = zones;
		set->size = size;
	}
	set->zones[set->n_zones++] = z;
	return 0;
}

const struct fw_zone *fw_zone_find(struct fw_zone_set *set, struct fw_str name)
{
	uint32_t known = fw_map_get(&set->by_name, name);
	if (known != FW_MAP_NONE)
		return known == UNKNOWN ? NULL : set->zones[known];
	if (!name_is_safe(name))
		return NULL;
	struct fw_zone *z = load(set, name);
	if (!z) {
		if (set->n_unknown < MOST_UNKNOWN && fw_map_put(&set->by_name, name, UNKNOWN) == 0)
			set->n_unknown++;
		return NULL;
	}
	if (keep(set, z) < 0 || fw_map_put(&set->by_name, name, (uint32_t)set->n_zones - 1) < 0)
		return NULL;
	return z;
}

static struct country *country_of(struct fw_zone_set *set, struct fw_str code)
{
	for (size_t i = 0; i < set->n_countries; i++)
		if (fw_str_equal_fold((struct fw_str){ set->countries[i].code, 2 }, code))
			return &set->countries[i];
	return NULL;
}

/* zone.tab: country code, coordinates, name, comment, split by tabs. */
static void read_countries(struct fw_zone_set *set)
{
	enum { MOST_COUNTRIES = 300 };
	set->countries_read = true;
	size_t n;
	char *text = (char *)load_bytes("/usr/share/zoneinfo/zone.tab", &n);
	if (!text)
		return;
	set->countries = FW_NEW_ARRAY(&set->arena, MOST_COUNTRIES, struct country);
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line && set->countries; line = strtok_r(NULL, "\n", &rest)) {
		char *name = strchr(line, '\t');
		name = name ? strchr(name + 1, '\t') : NULL;
		if (line[0] == '#' || !name)
			continue;
		name++;
		struct country *c = country_of(set, (struct fw_str){ line, 2 });
		if (!c && set->n_countries < MOST_COUNTRIES) {
			c = &set->countries[set->n_countries++];
			memcpy(c->code, line, 2);
		}
		const struct fw_zone *z = fw_zone_find(set, (struct fw_str){ name, strcspn(name, "\t") });
		if (c && z && c->n < MOST_ZONES)
			c->zones[c->n++] = z;
	}
	free(text);
}

size_t fw_zone_of_country(struct fw_zone_set *set, struct fw_str country, const struct fw_zone *const **ret_zones)
{
	if (!set->countries_read)
		read_countries(set);
	const struct country *c = country.n == 2 ? country_of(set, country) : NULL;
	if (!c)
		return 0;
	*ret_zones = c->zones;
	return c->n;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The day on which a yearly rule falls. */
static int64_t rule_day(const struct yearly *y, int year)
{
	if (y->month == 0) {
		int64_t january = fw_days_from_civil(year, 1, 1);
		if (!y->skip_leap)
			return january + y->day;
		return january + y->day - 1 + (is_leap(year) && y->day >= 60);
	}
	int64_t first = fw_days_from_civil(year, y->month, 1);
	int wanted = (y->weekday + 6) % 7; /* ours begins on Monday, POSIX' on Sunday */
	int64_t day = first + (wanted - fw_weekday(first) + 7) % 7 + (y->week - 1) * 7;
	int64_t next = y->month == 12 ? fw_days_from_civil(year + 1, 1, 1) : fw_days_from_civil(year, y->month + 1, 1);
	return day >= next ? day - 7 : day;
}

static int32_t rule_offset(const struct fw_zone *z, int64_t at_s)
{
	if (!z->has_summer)
		return z->standard_s;
	int64_t local_day = (at_s + z->standard_s) / 86400 - ((at_s + z->standard_s) % 86400 < 0);
	int year, month, day;
	fw_civil_from_days(local_day, &year, &month, &day);
	int64_t begins = rule_day(&z->begins, year) * 86400 + z->begins.time_s - z->standard_s;
	int64_t ends = rule_day(&z->ends, year) * 86400 + z->ends.time_s - z->summer_s;
	bool summer = begins < ends ? at_s >= begins && at_s < ends : at_s >= begins || at_s < ends;
	return summer ? z->summer_s : z->standard_s;
}

int32_t fw_zone_offset(const struct fw_zone *z, int64_t at_s)
{
	size_t n = z->n_changes;
	if (n == 0)
		return z->has_rule ? rule_offset(z, at_s) : z->first_offset_s;
	if (at_s >= z->changes[n - 1].at_s)
		return z->has_rule ? rule_offset(z, at_s) : z->changes[n - 1].offset_s;
	size_t low = 0, high = n; /* the first change after at_s */
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (z->changes[middle].at_s <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? z->first_offset_s : z->changes[low - 1].offset_s;
}

int64_t fw_zone_instant(const struct fw_zone *z, int64_t days, int32_t second, bool last)
{
	int64_t local = days * 86400 + second;
	int32_t before = fw_zone_offset(z, local - 86400), after = fw_zone_offset(z, local + 86400);
	int64_t a = local - before, b = local - after;
	bool a_fits = fw_zone_offset(z, a) == before, b_fits = fw_zone_offset(z, b) == after;
	if (a_fits && b_fits)
		return last ? (a > b ? a : b) : (a < b ? a : b);
	if (a_fits || b_fits)
		return a_fits ? a : b;
	/* Skipped: the change lies between b and a; find the instant at which the clock jumps. */
	int64_t low = a < b ? a : b, high = a < b ? b : a;
	while (low + 1 < high) {
		int64_t middle = low + (high - low) / 2;
		if (fw_zone_offset(z, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

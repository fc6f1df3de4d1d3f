/* Time: clocks, durations, civil dates. Instants are microseconds since 1970 (UTC) unless a name says otherwise. */
#ifndef FW_BASE_CLOCK_H
#define FW_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

int64_t fw_now_us(void);       /* wall clock */
int64_t fw_monotonic_us(void); /* for measuring; arbitrary zero */

/* "90m", "1h", "7d", "2w": a whole number and s, m, h, d or w. Seconds, or -1 when it is no duration. */
int64_t fw_duration_s(struct fw_str text);

/* The proleptic Gregorian calendar; days since 1970-01-01. Source: H. Hinnant, "chrono-compatible low-level date
 * algorithms". */
int64_t fw_days_from_civil(int year, int month, int day);
void fw_civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* 0 is Monday. */
int fw_weekday(int64_t days);

/* A civil time as people write it in rule files. */
struct fw_civil {
	int64_t days;    /* since 1970-01-01 */
	int32_t second;  /* of the day */
	bool has_time;   /* false: a date alone */
	bool has_offset; /* it carried Z or ±hh:mm */
	int32_t offset_s;
};

/* "2026-11-23", "2026-11-23T22:40", "…:40:05", with "Z" or "+01:00" after a time; a blank may stand for the T.
 * False when it is neither or no such day exists. */
bool fw_civil_parse(struct fw_str text, struct fw_civil *ret);
/* "YYYY-MM-DD" into buf of 16. */
const char *fw_date_text(int64_t days, char *buf);
/* "2026-11-23T22:40:00.123Z" into buf of 32. */
const char *fw_time_text(int64_t at_us, char *buf);

#endif

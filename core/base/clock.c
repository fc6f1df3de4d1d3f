#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t fw_now_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t fw_monotonic_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t fw_duration_s(struct fw_str text)
{
	int64_t n = 0;
	size_t i = 0;
	while (i < text.n && i < 10 && text.p[i] >= '0' && text.p[i] <= '9')
		n = n * 10 + (text.p[i++] - '0');
	if (i == 0 || i + 1 != text.n)
		return -1;
	switch (text.p[i]) {
	case 's': return n;
	case 'm': return n * 60;
	case 'h': return n * 3600;
	case 'd': return n * 86400;
	case 'w': return n * 7 * 86400;
	default: return -1;
	}
}

int64_t fw_days_from_civil(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void fw_civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * of_year + 2) / 153;
	*ret_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*ret_month = (int)(m < 10 ? m + 3 : m - 9);
	*ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

int fw_weekday(int64_t days)
{
	int64_t w = (days + 3) % 7; /* 1970-01-01 was a Thursday */
	return (int)(w < 0 ? w + 7 : w);
}

/* Exactly n digits; -1 when there are none such. */
static int digits(struct fw_str *s, int n)
{
	int v = 0;
	if (s->n < (size_t)n)
		return -1;
	for (int i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		v = v * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= (size_t)n;
	return v;
}

static bool take(struct fw_str *s, const char *any)
{
	if (s->n == 0 || !s->p[0] || !strchr(any, s->p[0]))
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool parse_offset(struct fw_str *s, struct fw_civil *c)
{
	if (take(s, "Zz")) {
		c->has_offset = true;
		return true;
	}
	if (s->n == 0)
		return true;
	int sign = s->p[0] == '-' ? -1 : 1;
	if (!take(s, "+-"))
		return false;
	int h = digits(s, 2);
	take(s, ":");
	int m = digits(s, 2);
	if (h < 0 || h > 18 || m < 0 || m > 59)
		return false;
	c->has_offset = true;
	c->offset_s = sign * (h * 3600 + m * 60);
	return true;
}

bool fw_civil_parse(struct fw_str text, struct fw_civil *ret)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct fw_civil c = { 0 };
	struct fw_str s = text;
	int year = digits(&s, 4);
	if (year < 0 || !take(&s, "-"))
		return false;
	int month = digits(&s, 2);
	if (month < 1 || month > 12 || !take(&s, "-"))
		return false;
	int day = digits(&s, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day < 1 || day > lengths[month - 1] || (month == 2 && day == 29 && !leap))
		return false;
	c.days = fw_days_from_civil(year, month, day);
	if (s.n == 0) {
		*ret = c;
		return true;
	}
	if (!take(&s, "T "))
		return false;
	int h = digits(&s, 2), m = take(&s, ":") ? digits(&s, 2) : -1, sec = 0;
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return false;
	if (take(&s, ":") && ((sec = digits(&s, 2)) < 0 || sec > 59))
		return false;
	if (take(&s, ".")) {
		if (digits(&s, 1) < 0)
			return false;
		while (digits(&s, 1) >= 0)
			;
	}
	c.has_time = true;
	c.second = h * 3600 + m * 60 + sec;
	if (!parse_offset(&s, &c) || s.n)
		return false;
	*ret = c;
	return true;
}

const char *fw_date_text(int64_t days, char *buf)
{
	int y, m, d;
	fw_civil_from_days(days, &y, &m, &d);
	snprintf(buf, 16, "%04d-%02d-%02d", y % 10000, m % 100, d % 100);
	return buf;
}

const char *fw_time_text(int64_t at_us, char *buf)
{
	int64_t s = at_us / 1000000 - (at_us % 1000000 < 0), days = s / 86400 - (s % 86400 < 0);
	int ms = (int)((at_us - s * 1000000) / 1000), second = (int)(s - days * 86400);
	char date[16];
	fw_date_text(days, date);
	snprintf(buf, 32, "%.10sT%02u:%02u:%02u.%03uZ", date, (unsigned)(second / 3600) % 24, (unsigned)(second / 60) % 60,
		(unsigned)second % 60, (unsigned)ms % 1000);
	return buf;
}

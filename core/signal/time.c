#include "signal/time.h"

#include "base/clock.h"

static struct fw_str text_of(const struct fw_value *v)
{
	return v->state == FW_KNOWN && v->kind == FW_KIND_TEXT ? v->text : (struct fw_str){ 0 };
}

const struct fw_zone *fw_time_zone(struct fw_zone_set *zones, const struct fw_facts *f, struct fw_str client,
	struct fw_str place)
{
	struct fw_str names[] = { client, text_of(fw_facts_member(f, FW_FACT_TRAIT, FW_STR("timezone"))), place };
	const struct fw_zone *zone = NULL;
	for (int i = 0; i < 3 && !zone; i++)
		zone = names[i].n ? fw_zone_find(zones, names[i]) : NULL;
	return zone;
}

/* A fact of each zone, where the fact is still absent. */
static int fill(struct fw_facts *f, enum fw_fact fact, const double *numbers, size_t n)
{
	if (f->single[fact].state != FW_ABSENT)
		return 0;
	return fw_facts_several(f, fact, numbers, (unsigned)n);
}

int fw_time_fill(struct fw_zone_set *zones, const struct fw_zone *zone, struct fw_facts *f)
{
	if (!f->has_clock)
		return 0;
	const struct fw_zone *const *possible = &zone;
	size_t n = zone ? 1 : fw_zone_of_country(zones, text_of(&f->single[FW_FACT_COUNTRY]), &possible);
	if (n == 0)
		return 0;
	double *hours = FW_NEW_ARRAY(f->arena, n, double), *weekdays = FW_NEW_ARRAY(f->arena, n, double);
	double *dates = FW_NEW_ARRAY(f->arena, n, double);
	if (!hours || !weekdays || !dates)
		return FW_ENOMEM;
	int64_t now_s = f->now_us / 1000000 - (f->now_us % 1000000 < 0);
	for (size_t i = 0; i < n; i++) {
		int64_t local = now_s + fw_zone_offset(possible[i], now_s);
		int64_t days = local / 86400 - (local % 86400 < 0);
		hours[i] = (double)((local - days * 86400) / 3600);
		weekdays[i] = fw_weekday(days);
		dates[i] = (double)days;
	}
	if (fill(f, FW_FACT_HOUR, hours, n) < 0 || fill(f, FW_FACT_WEEKDAY, weekdays, n) < 0)
		return FW_ENOMEM;
	return fill(f, FW_FACT_DATE, dates, n);
}

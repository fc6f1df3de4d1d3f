#include "check/together.h"

#include "base/clock.h"
#include "signal/country.h"

static bool is_known(const struct fw_value *v)
{
	return v->state == FW_KNOWN;
}

/* What a country says of its continent and of the European Union is derived from it, so that it is never without. */
static bool country_goes(const struct fw_value *country, enum fw_fact other, const struct fw_value *v)
{
	struct fw_str continent = is_known(country) ? fw_country_continent(country->text) : (struct fw_str){ 0 };
	if (!is_known(country))
		return true;
	switch (other) {
	case FW_FACT_CONTINENT: return continent.n ? is_known(v) && fw_str_equal_fold(continent, v->text) : true;
	case FW_FACT_IN_EU: return continent.n ? is_known(v) && v->boolean == fw_country_in_eu(country->text) : true;
	case FW_FACT_REGION:
		return !is_known(v) || (v->text.n > 3 && fw_str_equal_fold(country->text, (struct fw_str){ v->text.p, 2 }));
	default: return true;
	}
}

/* The country is the first part of a region. */
static bool region_goes(const struct fw_value *region, enum fw_fact other, const struct fw_value *v)
{
	struct fw_value country = { .state = FW_KNOWN, .text = { region->text.p, 2 } };
	if (!is_known(region) || region->text.n < 2 || !is_known(v) || (other != FW_FACT_CONTINENT && other != FW_FACT_IN_EU))
		return true;
	return country_goes(&country, other, v);
}

static bool continent_goes(const struct fw_value *continent, enum fw_fact other, const struct fw_value *v)
{
	if (other != FW_FACT_IN_EU || !is_known(continent) || !is_known(v) || !v->boolean)
		return true;
	/* Europe, and where its overseas territories lie. */
	return !fw_str_equal_fold(continent->text, FW_STR("AN")) && !fw_str_equal_fold(continent->text, FW_STR("AS")) &&
		!fw_str_equal_fold(continent->text, FW_STR("OC"));
}

static bool visits_go(enum fw_fact fact, const struct fw_value *a, enum fw_fact other, const struct fw_value *b)
{
	bool new_first = fact == FW_FACT_NEW_VISITOR, new_second = other == FW_FACT_NEW_VISITOR;
	if (!new_first && !new_second)
		return true;
	const struct fw_value *is_new = new_first ? a : b, *v = new_first ? b : a;
	enum fw_fact what = new_first ? other : fact;
	if (!is_known(is_new) || !is_known(v))
		return true;
	if (what == FW_FACT_VISITS)
		return is_new->boolean ? v->number <= 1 : v->number >= 1;
	return what != FW_FACT_DAYS_SINCE_VISIT || !is_new->boolean;
}

static bool orders_go(enum fw_fact fact, const struct fw_value *a, enum fw_fact other, const struct fw_value *b)
{
	bool first = fact == FW_FACT_ORDERS, second = other == FW_FACT_ORDERS;
	const struct fw_value *orders = first ? a : b, *v = first ? b : a;
	enum fw_fact what = first ? other : fact;
	if (first == second || !is_known(orders) || !is_known(v) || orders->number != 0)
		return true;
	if (what == FW_FACT_REVENUE)
		return v->number == 0;
	return what != FW_FACT_DAYS_SINCE_ORDER && what != FW_FACT_AVERAGE_ORDER;
}

static bool cart_goes(enum fw_fact fact, const struct fw_value *a, enum fw_fact other, const struct fw_value *b)
{
	bool first = fact == FW_FACT_CART_ITEMS, second = other == FW_FACT_CART_ITEMS;
	const struct fw_value *items = first ? a : b, *v = first ? b : a;
	enum fw_fact what = first ? other : fact;
	if (first == second || !is_known(items) || !is_known(v) || items->number != 0)
		return true;
	return (what != FW_FACT_CART_TOTAL || v->number == 0) && what != FW_FACT_CART_AGE;
}

static bool days_go(enum fw_fact fact, const struct fw_value *a, enum fw_fact other, const struct fw_value *b)
{
	if (fact == FW_FACT_WEEKDAY && other == FW_FACT_DATE)
		return !is_known(a) || !is_known(b) || fw_weekday((int64_t)b->number) == (int)a->number;
	if (fact == FW_FACT_DATE && other == FW_FACT_WEEKDAY)
		return days_go(other, b, fact, a);
	return true;
}

static bool is_among(const uint32_t *list, uint32_t n, uint32_t x)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}

/* Counts are known together, and a part is no more than the whole. */
static bool counts_go(const struct fw_domain *d, uint32_t part_dim, const struct fw_value *part, uint32_t whole_dim,
	const struct fw_value *whole)
{
	if (!is_among(d->dims[part_dim].most, d->dims[part_dim].n_most, whole_dim))
		return true;
	return is_known(part) == is_known(whole) && (!is_known(part) || part->number <= whole->number);
}

static bool one_way(const struct fw_domain *d, uint32_t x, const struct fw_value *a, uint32_t y, const struct fw_value *b)
{
	enum fw_fact fact = d->set->refs[x].fact, other = d->set->refs[y].fact;
	switch (fact) {
	case FW_FACT_COUNTRY: return country_goes(a, other, b);
	case FW_FACT_REGION: return region_goes(a, other, b);
	case FW_FACT_CONTINENT: return continent_goes(a, other, b);
	default: return counts_go(d, x, a, y, b);
	}
}

bool fw_go_together(const struct fw_domain *d, uint32_t dim, uint32_t cell, uint32_t other_dim, uint32_t other_cell)
{
	const struct fw_value *a = &d->dims[dim].cells[cell].value, *b = &d->dims[other_dim].cells[other_cell].value;
	enum fw_fact fact = d->set->refs[dim].fact, other = d->set->refs[other_dim].fact;
	return one_way(d, dim, a, other_dim, b) && one_way(d, other_dim, b, dim, a) && visits_go(fact, a, other, b) &&
		orders_go(fact, a, other, b) && cart_goes(fact, a, other, b) && days_go(fact, a, other, b);
}

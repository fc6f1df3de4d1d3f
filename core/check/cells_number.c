#include "check/domain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct range {
	double least, most;
	bool whole;
};

/* What numbers of the fact there can be. */
static struct range range_of(enum fw_fact fact)
{
	switch (fact) {
	case FW_FACT_HOUR: return (struct range){ 0, 23, true };
	case FW_FACT_WEEKDAY: return (struct range){ 0, 6, true };
	case FW_FACT_DATE: return (struct range){ -INFINITY, INFINITY, true };
	case FW_FACT_PAGES_THIS_VISIT: case FW_FACT_VISITS: case FW_FACT_ORDERS: case FW_FACT_VIEWED: case FW_FACT_SEARCHED:
	case FW_FACT_ADDED: case FW_FACT_BOUGHT: case FW_FACT_CLICKED: case FW_FACT_OPENED: return (struct range){ 0, INFINITY, true };
	case FW_FACT_CART_ITEMS: case FW_FACT_CART_AGE: case FW_FACT_DAYS_SINCE_VISIT: case FW_FACT_DAYS_SINCE_ORDER:
	case FW_FACT_ENGAGEMENT: case FW_FACT_PRICE: return (struct range){ 0, INFINITY, false };
	case FW_FACT_AFFINITY: return (struct range){ 0, 1, false };
	default: return (struct range){ -INFINITY, INFINITY, false };
	}
}

static int compare(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

/* Whether the number's text is one that the fact is compared with. */
static bool is_named(const struct fw_dim *dim, double x)
{
	char text[32];
	size_t n = fw_number_text(x, text);
	return dim->values.arena && fw_map_get(&dim->values, (struct fw_str){ text, n }) != FW_MAP_NONE;
}

static int add(struct fw_domain *d, struct fw_dim *dim, double x, double low, double high)
{
	struct fw_cell *c = fw_domain_cell(d, dim);
	if (!c)
		return FW_ENOMEM;
	c->value = (struct fw_value){ .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = x };
	c->shown = true;
	c->low = low;
	c->high = high;
	if (!is_named(dim, x))
		return 0;
	/* Compared as text the number is one that is named; the same number can be told in a text that is not. */
	char text[48];
	size_t n = fw_number_text(x, text);
	n += (size_t)snprintf(text + n, sizeof text - n, "%s", strpbrk(text, "eE.") ? "0" : "e0");
	double same;
	struct fw_value v;
	if (!fw_number_parse((struct fw_str){ text, n }, &same) || same != x
		|| fw_map_get(&dim->values, (struct fw_str){ text, n }) != FW_MAP_NONE)
		return fw_domain_give_up(d, dim);
	if (fw_value_text(d->arena, (struct fw_str){ text, n }, &v) < 0 || !(c = fw_domain_cell(d, dim)))
		return FW_ENOMEM;
	c->value = v;
	c->shown = true;
	c->low = low;
	c->high = high;
	return 0;
}

/* One number for all that lie between two break points, neither included. */
static int add_between(struct fw_domain *d, struct fw_dim *dim, const struct range *r, double low, double high)
{
	double x;
	if (r->whole) {
		double first = isinf(low) ? low : floor(low) + 1, last = isinf(high) ? high : ceil(high) - 1;
		first = first < r->least ? r->least : first;
		last = last > r->most ? r->most : last;
		if (first > last)
			return 0;
		x = isinf(first) ? (isinf(last) ? 0 : last) : first;
		return add(d, dim, x, first, last);
	}
	low = low < r->least ? r->least : low;
	high = high > r->most ? r->most : high;
	if (low >= high)
		return 0;
	if (isinf(low))
		x = isinf(high) ? 0 : high - 1;
	else if (isinf(high) || floor(low) + 1 < high)
		x = floor(low) + 1;
	else
		x = low + (high - low) / 2;
	if (x <= low || x >= high)
		return 0; /* no number that a machine knows lies between */
	for (int i = 0; i < 60 && is_named(dim, x); i++) {
		double nearer = isinf(high) ? x + 0.5 : x + (high - x) / 2;
		if (nearer <= low || nearer >= high)
			break;
		x = nearer;
	}
	return add(d, dim, x, low, high);
}

int fw_cells_number(struct fw_domain *d, struct fw_dim *dim, const struct fw_asked *asked)
{
	struct range r = range_of(d->set->refs[dim->subject].fact);
	uint32_t n = 0, most = 2;
	for (uint32_t i = 0; i < asked->n; i++)
		most += d->set->literals[asked->literals[i]].n + 2;
	double *points = FW_NEW_ARRAY(d->arena, most + 24, double);
	if (!points)
		return FW_ENOMEM;
	for (uint32_t i = 0; i < asked->n; i++) {
		const struct fw_literal *l = &d->set->literals[asked->literals[i]];
		if (l->op == FW_OP_RANGE && isfinite(l->low))
			points[n++] = l->low;
		if (l->op == FW_OP_RANGE && isfinite(l->high))
			points[n++] = l->high;
		for (uint32_t k = 0; k < l->n && l->as == FW_AS_NUMBER; k++)
			if (isfinite(l->numbers[k]))
				points[n++] = l->numbers[k];
	}
	if (isfinite(r.least) && isfinite(r.most) && r.whole)
		for (n = 0; n <= (uint32_t)r.most; n++)
			points[n] = n;
	else if (isfinite(r.least))
		points[n++] = r.least; /* the bounds of what there is are values, too */
	if (isfinite(r.most) && !r.whole)
		points[n++] = r.most;
	qsort(points, n, sizeof *points, compare);
	int ret = 0;
	double before = -INFINITY;
	for (uint32_t i = 0; i < n && ret == 0; i++) {
		double x = points[i] == 0 ? 0 : points[i]; /* -0 is 0 */
		if (i && points[i] == points[i - 1])
			continue;
		ret = add_between(d, dim, &r, before, x);
		bool can_be = x >= r.least && x <= r.most && (!r.whole || x == floor(x));
		if (ret == 0 && can_be)
			ret = add(d, dim, x, x, x);
		before = x;
	}
	return ret < 0 ? ret : add_between(d, dim, &r, before, INFINITY);
}

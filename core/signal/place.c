#include "signal/place.h"

#include <stdio.h>

#include "signal/country.h"

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool fits(enum fw_fact fact, struct fw_str text)
{
	return text.n > 0 && fw_fact_info(fact)->fits(text);
}

bool fw_place_set_country(struct fw_place *place, struct fw_str code)
{
	if (!fits(FW_FACT_COUNTRY, code))
		return false;
	place->country[0] = upper(code.p[0]);
	place->country[1] = upper(code.p[1]);
	return true;
}

void fw_place_set_region(struct fw_place *place, struct fw_str code)
{
	char text[sizeof place->region];
	if (code.n > 3 && code.p[2] == '-' && upper(code.p[0]) == place->country[0] && upper(code.p[1]) == place->country[1])
		code = (struct fw_str){ code.p + 3, code.n - 3 };
	if (!place->country[0] || code.n == 0 || code.n > 3)
		return;
	int n = snprintf(text, sizeof text, "%.2s-%.*s", place->country, (int)code.n, code.p);
	if (!fits(FW_FACT_REGION, (struct fw_str){ text, (size_t)n }))
		return;
	for (int i = 0; i <= n; i++)
		place->region[i] = upper(text[i]);
}

void fw_place_tell(struct fw_place *place, const struct fw_json *location)
{
	struct fw_place told = { 0 };
	if (!fw_place_set_country(&told, fw_json_text(location, "country")))
		return;
	fw_place_set_region(&told, fw_json_text(location, "region"));
	told.city = fw_json_text(location, "city");
	if (memcmp(told.country, place->country, sizeof told.country) == 0) {
		told.continent = place->continent;
		told.in_eu_told = place->in_eu_told;
		told.in_eu = place->in_eu;
		bool same = !told.region[0] || strcmp(told.region, place->region) == 0;
		if (same)
			memcpy(told.region, place->region, sizeof told.region);
		if (same && told.city.n == 0)
			told.city = place->city;
		if (same && fw_str_equal_fold(told.city, place->city))
			told.timezone = place->timezone;
	}
	*place = told;
}

int fw_place_fill(struct fw_facts *f, const struct fw_place *place)
{
	struct fw_str country = { place->country, place->country[0] ? 2 : 0 }, derived = fw_country_continent(country);
	struct fw_str continent = place->continent.n ? place->continent : derived;
	if (fw_facts_text(f, FW_FACT_COUNTRY, country) < 0 || fw_facts_text(f, FW_FACT_REGION, fw_str(place->region)) < 0 ||
			fw_facts_text(f, FW_FACT_CITY, place->city) < 0 || fw_facts_text(f, FW_FACT_CONTINENT, continent) < 0)
		return FW_ENOMEM;
	if (place->in_eu_told || derived.n)
		fw_facts_bool(f, FW_FACT_IN_EU, place->in_eu_told ? place->in_eu : fw_country_in_eu(country));
	return 0;
}

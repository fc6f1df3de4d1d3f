#include "signal/country.h"
#include "signal/signal.h"
#include "signal/time.h"

int fw_signal_derive(struct fw_zone_set *zones, struct fw_facts *f)
{
	const struct fw_value *country = &f->single[FW_FACT_COUNTRY], *timezone = &f->single[FW_FACT_TIMEZONE];
	struct fw_str continent = { 0 }, place = { 0 };
	if (country->state == FW_KNOWN)
		continent = fw_country_continent(country->text);
	if (continent.n && f->single[FW_FACT_CONTINENT].state == FW_ABSENT &&
			fw_facts_text(f, FW_FACT_CONTINENT, continent) < 0)
		return FW_ENOMEM;
	if (continent.n && f->single[FW_FACT_IN_EU].state == FW_ABSENT)
		fw_facts_bool(f, FW_FACT_IN_EU, fw_country_in_eu(country->text));
	if (timezone->state == FW_KNOWN)
		place = timezone->text;
	return fw_time_fill(zones, fw_time_zone(zones, f, place, (struct fw_str){ 0 }), f);
}

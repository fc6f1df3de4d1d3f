/* The regimes of consent: what holds of visitors who said nothing, by place. A mistake here would let be done what nobody allowed, so
 * nothing is passed over. */
#include "server/config_values.h"

#include "base/limits.h"
#include "fact/catalogue.h"
#include "signal/consent.h"
#include "signal/country.h"

static int read_purpose(const struct fw_json *m, struct fw_error *err)
{
	static const char *const words[] = { "granted", "denied", NULL };
	const char *state;
	if (m->key.n == 0 || m->key.n > FW_LIMIT_CONSENT_NAME_BYTES)
		return fw_fail(err, FW_EINVAL, NULL, 0, "consent: a purpose has a name of 1 to %d bytes", FW_LIMIT_CONSENT_NAME_BYTES);
	if (fw_consent_is_channel(m->key)) {
		fw_fail(err, FW_EINVAL, NULL, 0, "consent: \"%s\" is a channel, and no place opens one", m->key.p);
		fw_hint(err, "only the person does: POST /v1/visitors/ID/consent");
		return FW_EINVAL;
	}
	return fw_config_one_of(m, words, &state, err);
}

static int read_purposes(const struct fw_json *v, struct fw_error *err)
{
	int rc = v->type == FW_JSON_OBJECT ? 0 : fw_config_wanted(v, "a table of purposes", err);
	for (const struct fw_json *m = rc == 0 ? v->child : NULL; m && rc == 0; m = m->next)
		rc = read_purpose(m, err);
	return rc;
}

/* "EU", a country, or a part of one. */
static int check_place(struct fw_str place, struct fw_error *err)
{
	struct fw_str country = { place.p, place.n < 2 ? place.n : 2 };
	bool formed = place.n == 2 || fw_fact_info(FW_FACT_REGION)->fits(place);
	if (fw_str_equal_fold(place, FW_STR("EU")) || (formed && fw_country_continent(country).n))
		return 0;
	fw_fail(err, FW_EINVAL, NULL, 0, "consent.region: there is no place \"%s\"", place.p);
	fw_hint(err, "%s", fw_str_equal_fold(country, FW_STR("UK")) ? "ISO 3166 says GB"
		: "write EU, a country of ISO 3166-1 such as DE, or a part of one such as [\"US-CA\"]");
	return FW_EINVAL;
}

int fw_config_consent(const struct fw_json *v, struct fw_error *err)
{
	static const char *const known[] = { "default", "region", "gpc", NULL };
	const struct fw_json *gpc = fw_json_get(v, "gpc"), *fallback = fw_json_get(v, "default"), *region = fw_json_get(v, "region");
	int rc = fw_config_only(v, known, err);
	if (rc == 0 && fallback)
		rc = read_purposes(fallback, err);
	if (rc == 0 && gpc && gpc->type != FW_JSON_BOOL)
		rc = fw_config_wanted(gpc, "true or false", err);
	if (rc == 0 && region && region->type != FW_JSON_OBJECT)
		rc = fw_config_wanted(region, "a table of countries", err);
	for (const struct fw_json *m = rc == 0 && region ? region->child : NULL; m && rc == 0; m = m->next) {
		rc = check_place(m->key, err);
		if (rc == 0)
			rc = read_purposes(m, err);
	}
	return rc;
}

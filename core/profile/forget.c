/* What a record that has grown too large forgets, least missed first; profile/README.md says it in words. */
#include "profile/own.h"

static void forget_cart_details(struct fw_record *r)
{
	for (uint32_t i = 0; i < r->cart.entries.n; i++)
		r->cart.entries.items[i].labels[FW_KEY_CATEGORY - 1] = r->cart.entries.items[i].labels[FW_KEY_BRAND - 1] = 0;
}

/* The oldest half of the traits. */
static void forget_traits(struct fw_record *r)
{
	for (uint32_t n = (r->traits.n + 1) / 2; n > 0; n--) {
		uint32_t oldest = fw_trait_oldest(r);
		FW_LIST_TAKE(r->traits, oldest);
	}
}

bool fw_record_forget(struct fw_record *r, unsigned level)
{
	enum { FEWER_SERIES = 64, FEW_PRODUCTS = 10, FEW_ORDERS = 5, FEW_ASKS = 5 };
	switch (level) {
	case 1: fw_series_fold(r, FEWER_SERIES); return true;
	case 2: r->recent.n = 0; return true;
	case 3: fw_series_fold(r, 1); return true;
	case 4: forget_cart_details(r); return true;
	case 5: fw_messages_forget_outcomes(r, FW_LIMIT_OUTCOMES_BYTES / 4); return true;
	case 6: case 7: case 8: forget_traits(r); return true;
	case 9: r->traits.n = 0; return true;
	case 10: fw_messages_forget_facts(r); fw_asks_forget_places(r); return true;
	case 11: fw_series_forget_times(r); return true;
	case 12: fw_cart_forget(r, FEW_PRODUCTS); return true;
	case 13: fw_orders_forget(r, FEW_ORDERS); return true;
	case 14: fw_consent_forget_superseded(r); return true;
	case 15: fw_consent_forget_oldest(r, FW_LIMIT_CONSENT_LOG_BYTES / 4); return true;
	case 16: fw_asks_bound(r, FEW_ASKS); return true;
	default: return false; /* by now it fits: test_profile_size has the worst there can be */
	}
}

void fw_record_forget_behaviour(struct fw_record *r)
{
	while (r->sessions.n > 1)
		FW_LIST_TAKE(r->sessions, 0);
	if (r->sessions.n)
		r->sessions.items[0].campaign = 0;
	r->series.n = r->recent.n = r->engagements.n = 0;
	r->newest_hour = 0;
	r->session_touch = r->first_touch = r->last_touch = (struct touch){ 0 };
	r->lifetime = (struct lifetime){ 0 };
}

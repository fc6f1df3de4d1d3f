#include "profile/complete.h"

#include "profile/layout.h"

/* What could not be read may say no to what the place allows. */
static void lose(struct fw_facts *f)
{
	fw_facts_lose_profile(f);
	f->profile_lost = true;
	if (f->consent_basis != FW_CONSENT_BASIS_TOLD)
		f->single[FW_FACT_CONSENT] = (struct fw_value){ .state = FW_OUT_OF_REACH };
}

int fw_profile_complete(struct fw_facts *f, const struct fw_profile_reading *r)
{
	int rc = r->read == FW_PROFILE_READ ? fw_profile_fill(r->record, f) : 0;
	if (rc < 0)
		return rc;
	if (r->read == FW_PROFILE_LOST)
		lose(f);
	else if (r->read == FW_PROFILE_NOT_READ && f->profile_in_reach)
		fw_facts_lose_profile(f);
	/* What a known customer told of himself is for those who prove to speak for him. */
#ifndef FW_BREAK_CLAIMS
	if (r->read == FW_PROFILE_READ && r->withhold) {
		f->n_traits = f->n_claimed = 0;
		f->traits_withheld = true;
	}
#endif
	f->caps_in_reach = r->read == FW_PROFILE_READ && !f->restricted;
	if (!f->key.n)
		f->key = r->id;
	return 0;
}

struct fw_str fw_profile_visitor(struct fw_arena *a, const struct fw_profile_reading *r)
{
	struct parts parts;
	bool known = r->read == FW_PROFILE_READ && r->record.n && fw_parts_read(a, r->record, &parts, NULL) == 0;
	return known ? parts.first_id : r->id;
}

/* What is known of one visitor at one moment: a value, or its absence, for each fact. Lives in the request's arena. */
#ifndef FW_FACT_FACTS_H
#define FW_FACT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/pack.h"
#include "base/str.h"
#include "fact/catalogue.h"

enum fw_state {
	FW_ABSENT,       /* the fact has no value */
	FW_OUT_OF_REACH, /* whether it has one cannot be asked: known() and unknown() are unknown too */
	FW_KNOWN,
};

enum fw_kind { FW_KIND_TEXT, FW_KIND_NUMBER, FW_KIND_BOOL, FW_KIND_SET };

struct fw_value {
	enum fw_state state;
	enum fw_kind kind;      /* when known */
	bool boolean;
	double number;          /* also weekday 0–6, date in days, cart.age in seconds */
	struct fw_str text;     /* as told */
	struct fw_str folded;   /* ASCII case folded */
	const struct fw_value *items; /* FW_KIND_SET: texts */
	unsigned n_items;
	/* A time fact where only the country is known: one number a zone, all of them possible. The fact is known with
	 * n_several > 1 only if they differ; number is then the first. */
	const double *several;
	unsigned n_several;
};

/* A member of a family: traits.plan, event.price, engagement.email. */
struct fw_member {
	struct fw_str name;
	struct fw_value value;
};

enum fw_key_kind { FW_KEY_NONE, FW_KEY_CATEGORY, FW_KEY_PRODUCT, FW_KEY_BRAND, FW_KEY_TERM };

/* A question to the history: how often, or how large a share. */
struct fw_query {
	enum fw_fact fact;       /* FW_FACT_VIEWED … FW_FACT_AFFINITY; or one of a product, which is the key then */
	enum fw_key_kind key_kind;
	struct fw_str key;       /* folded */
	struct fw_packed packed; /* the key by fw_history_pack_key; no letters: that is done when it is asked */
	int64_t within_s;        /* 0: ever */
};

/* An answer given beforehand. */
struct fw_answer {
	struct fw_query query;
	double number;
};

/* What somebody wrote down of a product; what he did not write the catalogue may know. */
struct fw_product_answer {
	struct fw_query query;
	struct fw_value value;
};

/* Something shown or sent under a cap that still counts. */
struct fw_cap_use {
	uint64_t cap; /* fw_hash of the cap's id */
	int64_t at_us;
	uint64_t rule; /* fw_hash of the rule's that it was taken for, while it is not confirmed; 0: not known */
	bool pending;  /* it is not */
	bool own;      /* whoever asks has taken it, and still shows what it was taken for: `rule`, or where that is 0 any */
};

/* Where the fact `consent` is from before the profile is looked into. */
enum fw_consent_basis {
	FW_CONSENT_BASIS_GIVEN, /* somebody wrote it down, or nobody was asked */
	FW_CONSENT_BASIS_NONE,  /* the request does not tell, and the store has no defaults */
	FW_CONSENT_BASIS_PLACE, /* the defaults of the place */
	FW_CONSENT_BASIS_TOLD,  /* the request tells it */
};

struct fw_history;
struct fw_products; /* products.h */
struct fw_products_asked; /* the same */
struct fw_products_then; /* products_then.h */

struct fw_facts {
	struct fw_arena *arena;
	struct fw_value single[FW_FACT_SINGLE];
	struct fw_member *traits, *event, *engagement;
	unsigned n_traits, n_event, n_engagement;
	struct fw_answer *answers;
	unsigned n_answers;
	struct fw_history *history; /* answers what `answers` do not, or NULL; unpacked at the first question */
	bool profile_in_reach;   /* false: what would come from the profile is out of reach … */
	bool profile_lost;       /* … though whoever asks is somebody: his record could not be read */
	bool restricted;         /* … because his record is to be used for nothing */
	unsigned n_claimed;      /* of the traits the last ones: nobody has proven them, and no guard believes them */
	bool traits_withheld;    /* what was told of a known person is not for whoever asks: every trait is out of reach */
	bool behaviour_in_reach; /* false: the visitor lets no behaviour be kept, and what would come of it is out of reach */
	enum fw_consent_basis consent_basis;
	bool objects;            /* Global Privacy Control: `sale` and `personalization` are never granted */
	bool segments_given;     /* then `segments` (a set) decides, not the segments' conditions */
	struct fw_value segments;

	const struct fw_cap_use *cap_uses;
	unsigned n_cap_uses;
	bool caps_in_reach;      /* whoever asks is somebody: what he saw under a cap is in cap_uses; false: no capped rule wins */

	bool has_clock;          /* false: dates of rules do not count */
	int64_t now_us;
	struct fw_str key;       /* the id that rollouts draw by; n == 0: none */
	bool has_point;          /* a given point of every rollout, 0–100 */
	double point;

	const struct fw_products *products; /* what the store sells; NULL: nobody knows */
	struct fw_product_answer *product_answers;
	unsigned n_product_answers;
	struct fw_products_asked *asked; /* notes which products were asked about; NULL: nobody wants to know */
	struct fw_products_then *then; /* notes what is asked of products, or says it again; NULL: neither */
};

/* An empty visitor: every fact absent, except that with `profile_in_reach` false those which come from the profile
 * are out of reach. */
void fw_facts_init(struct fw_facts *f, struct fw_arena *arena, bool profile_in_reach);

/* The profile is out of reach after all: so is what came from it and is still absent, and every cap. */
void fw_facts_lose_profile(struct fw_facts *f);

/* The visitor lets no behaviour be kept: what would come of it and is still absent is out of reach. Orders are none of it. */
void fw_facts_lose_behaviour(struct fw_facts *f);

/* Setting a fact. Texts are copied into the arena; empty text is no value. 0 or FW_ENOMEM. */
int fw_facts_text(struct fw_facts *f, enum fw_fact fact, struct fw_str text);
void fw_facts_number(struct fw_facts *f, enum fw_fact fact, double number);
void fw_facts_bool(struct fw_facts *f, enum fw_fact fact, bool b);
/* hour, weekday or date where several zones are possible; equal numbers collapse. */
int fw_facts_several(struct fw_facts *f, enum fw_fact fact, const double *numbers, unsigned n);
int fw_facts_set(struct fw_facts *f, enum fw_fact fact, const struct fw_str *items, unsigned n);

/* A value from text, with its folded form. */
int fw_value_text(struct fw_arena *a, struct fw_str text, struct fw_value *ret);
/* A value of a trait or an event property from JSON: text, number, boolean, or a list of them as a set; null, empty
 * text and objects are no value. */
int fw_value_json(struct fw_arena *a, const struct fw_json *v, struct fw_value *ret);

/* The value of traits.NAME, event.NAME or engagement.NAME; never NULL. */
const struct fw_value *fw_facts_member(const struct fw_facts *f, enum fw_fact family, struct fw_str name);
const struct fw_value *fw_facts_single(const struct fw_facts *f, enum fw_fact fact);
/* The count or share asked for, or what a product is said to be, as a value. */
struct fw_value fw_facts_ask(const struct fw_facts *f, const struct fw_query *query);

/* Every fact that has a value, as an object in the shape that rules see and `given` takes. */
void fw_facts_write(struct fw_json_out *o, const struct fw_facts *f);

/* Whether the fact would come from the profile. */
bool fw_fact_from_profile(enum fw_fact fact);

#endif

/* A rule set, loaded: everything that rule files declare, compiled, checked and frozen. Made once in the loader and only
 * read afterwards; its Lua state is the one exception, and belongs to the process that calls into it. */
#ifndef FW_RULES_RULESET_H
#define FW_RULES_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/zone.h"
#include "rules/condition.h"
#include "rules/files.h"
#include "rules/order.h"

struct fw_sandbox;
struct fw_index;

struct fw_place {
	const char *file; /* relative to the rule folder */
	int line;
};

/* A Lua function of the rule files, called through the sandbox. */
struct fw_function {
	int lua_ref;
	struct fw_place place;
	uint32_t rule; /* the first rule, or FW_NONE, that a failure is counted for */
	bool compliance;
};

/* What a winner shows: a table, written as JSON at load, or a function. */
struct fw_content {
	struct fw_str json;
	uint32_t function; /* or FW_NONE */
	bool given;
	bool may_name_products; /* of a table: false is certain, and nothing of it can be sold out */
	const struct fw_ordering *ordering; /* of its lists that are put in order; NULL: none is. The JSON has them as they are written */
};

struct fw_slot {
	const char *id;
	struct fw_str id_json;   /* as answers have it */
	const char *channel;
	struct fw_place place;
	uint32_t show_up_to;
	struct fw_content fallback; /* `default` */
	bool public;
	uint32_t first_ranked, n_ranked; /* its enabled rules, strongest first, in set->ranked */
	uint32_t first_rule, n_rules;    /* all its rules, strongest first, in set->slot_rules */
};

struct fw_segment {
	const char *id;
	struct fw_place place;
	bool compliance;
	uint32_t when;   /* a node */
	unsigned uses;   /* of its condition, segments in it included */
	bool pure;       /* no function decides, here or in a segment it names */
	uint32_t depth;  /* how deep its condition is nested, segments included */
};

struct fw_guard {
	const char *id, *because;
	struct fw_place place;
	bool compliance;
	const char **channels, **slots, **rules, **tags; /* ended by NULL; NULL: any */
	unsigned uses;   /* applies only to candidates that use one of these; 0: to all */
	uint32_t require, forbid; /* nodes or FW_NONE */
	bool defer;
};

struct fw_cap {
	const char *id;
	struct fw_place place;
	bool compliance;
	const char **channels, **slots, **rules, **tags;
	unsigned uses;
	bool defer;
	uint32_t limit;
	int64_t per_s;
	uint64_t hash;   /* fw_hash of the id: what a person's record knows it by */
};

/* Whether a guard or a cap with these `uses` applies to a candidate of those. */
static inline bool fw_uses_fit(unsigned wanted, unsigned uses)
{
	return !wanted || (wanted & uses);
}

enum fw_class { FW_CLASS_MARKETING, FW_CLASS_SERVICE, FW_CLASS_TRANSACTIONAL };

/* The part of a rule that only messages have. */
struct fw_message {
	const char *channel;
	const char **on, **cancel_on; /* event names, ended by NULL */
	uint32_t on_segment;          /* segment_entered, or FW_NONE */
	int64_t every_s, after_s, expires_s;
	enum fw_class class;
};

/* What most decisions read of a rule comes first, so that it takes one or two lines of a cache. */
struct fw_rule {
	struct fw_content show;     /* of a message, what it sends */
	int64_t starts_us, ends_us; /* INT64_MIN, INT64_MAX: open */
	double rollout;             /* per cent; 100: all */
	const uint32_t *guards;     /* those whose `applies` fits, `uses` aside; n_guards, shared with other rules */
	uint32_t n_guards;
	uint32_t group;             /* number of only_one_of, or FW_NONE */
	uint32_t rank;              /* among all rules of slots, or among all of messages: 0 is the strongest */
	uint32_t when;              /* a node, or FW_NONE: for everybody */
	unsigned uses;              /* what its tables name */
	bool enabled;
	bool calls;                 /* trying it may call a function: in its condition, for its content, or for a boost in that */
	bool has_caps;
	bool shares;                /* a group or a cap: what wins another slot may stand in its way */
	struct fw_str id_json;      /* as answers have it */

	const char *id;
	struct fw_place place;
	uint32_t slot;              /* or FW_NONE: a message */
	struct fw_message *message; /* or NULL */
	const char *only_one_of, *owner, *note;
	const char **tags;          /* ended by NULL, or NULL */
	double priority;            /* a whole number */
	uint32_t specificity;
	const uint32_t *caps;
	uint32_t n_caps;
};

/* A test of a rule set: a visitor and the winners expected. */
struct fw_test {
	const char *id;
	struct fw_place place;
	bool compliance;
	struct fw_json *given, *expect; /* objects */
	struct fw_json *order;          /* the same, of lists of ids by slot; or NULL */
};

struct fw_ruleset {
	struct fw_arena arena;      /* all of it, but the Lua state and the index */
	char hash[33];              /* of all files, hexadecimal */
	struct fw_files files;      /* as they were read, until forgotten */
	const struct fw_zone *zone; /* the store's */
	const char *currency;

	struct fw_slot *slots;
	struct fw_segment *segments;
	struct fw_rule *rules;
	struct fw_guard *guards;
	struct fw_cap *caps;
	struct fw_test *tests;
	struct fw_function *functions;
	uint32_t n_slots, n_segments, n_rules, n_guards, n_caps, n_tests, n_functions, n_groups;
	struct fw_map slot_ids, rule_ids; /* to their numbers */
	struct fw_map segment_ids[2];     /* the rule files', the compliance folder's */

	struct fw_ref *refs;
	struct fw_literal *literals;
	struct fw_node *nodes;
	uint32_t *children;
	uint32_t n_refs, n_literals, n_nodes, n_children;
	uint32_t *ranked;           /* enabled rules by slot, strongest first */
	uint32_t *slot_rules;       /* all rules by slot, strongest first */
	uint32_t *message_rules;    /* all rules of messages, strongest first */
	uint32_t n_message_rules;
	bool slots_share, slots_have_caps; /* some rule of a slot does */

	struct fw_index *index;
	struct fw_sandbox *sandbox;

	/* What the store sells: put there, after the load, by whoever serves the set. NULL: nobody knows. */
	const struct fw_products *products;
};

/* Errors of a load, at most FW_LIMIT_ERRORS kept. */
struct fw_errors {
	struct fw_error *items;
	struct fw_error reserve; /* the first item when no memory is left for more */
	uint32_t n, size;
	uint32_t dropped; /* how many more there were */
};

void fw_errors_init(struct fw_errors *e);
void fw_errors_finish(struct fw_errors *e);
struct fw_error *fw_errors_add(struct fw_errors *e); /* a zeroed place to write to; never NULL */

struct fw_ruleset_options {
	const char *rules;      /* folder */
	const struct fw_files *texts; /* files that are in memory, in place of both folders; or NULL */
	const char *compliance; /* folder, or NULL */
	const char *timezone;   /* IANA name; NULL: UTC */
	const char *currency;   /* ISO 4217; NULL: EUR */
	struct fw_zone_set *zones; /* must outlive the set */
};

/* Loads, checks, compiles and freezes a rule set. On failure returns FW_EINVAL (errors say each place and cause),
 * FW_EIO or FW_ENOMEM, with at least one error written. */
int fw_ruleset_load(const struct fw_ruleset_options *options, struct fw_ruleset **ret_set, struct fw_errors *errors);
void fw_ruleset_destroy(struct fw_ruleset *set);
/* Gives back the files' text, once whoever keeps a copy of them has it. */
void fw_ruleset_forget_files(struct fw_ruleset *set);

/* Of event names as a message has them (NULL: none): how many there are; whether an event is among them, capitals aside. */
uint32_t fw_event_names_count(const char **names);
bool fw_event_names_have(const char **names, struct fw_str event);
/* The number of a slot or rule by id, or FW_NONE. */
uint32_t fw_ruleset_slot(const struct fw_ruleset *set, struct fw_str id);
uint32_t fw_ruleset_rule(const struct fw_ruleset *set, struct fw_str id);
/* The segment that a name means: in the compliance folder one of its own, in rule files either one of theirs or that. */
uint32_t fw_ruleset_segment(const struct fw_ruleset *set, struct fw_str id, bool compliance);

#endif

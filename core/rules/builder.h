/* What the files of this room share while a rule set is being loaded. Not for other rooms. */
#ifndef FW_RULES_BUILDER_H
#define FW_RULES_BUILDER_H

#include <lua.h>

#include "base/limits.h"
#include "rules/ruleset.h"
#include "rules/scan.h"

enum fw_declared { FW_DECLARED_SLOT, FW_DECLARED_SEGMENT, FW_DECLARED_RULE, FW_DECLARED_GUARD, FW_DECLARED_CAP, FW_DECLARED_TEST,
	FW_DECLARED_KINDS };

extern const char *const fw_declared_words[FW_DECLARED_KINDS];

struct fw_source {
	const char *name; /* relative to its folder */
	bool compliance;
	char *text;
	size_t n;
	struct fw_scan *scan;
	int env_ref;
};

/* A declaration as it was made: its table stays in Lua until it is compiled. */
struct fw_declaration {
	enum fw_declared kind;
	const char *id;
	uint32_t source;
	int line;
	int table_ref; /* LUA_NOREF until the table came */
};

/* A growable array in the builder: items live on the heap until they are copied into the set's arena. */
#define FW_LIST(type) struct { type *items; uint32_t n, size; }

struct fw_builder {
	struct fw_ruleset *set;
	struct fw_sandbox *sandbox;
	lua_State *lua;
	struct fw_errors *errors;
	struct fw_zone_set *zones;
	bool failed; /* at least one error was written, or memory ran out */
	struct fw_arena scratch; /* emptied after each declaration; nothing in it is lost when Lua raises an error */

	FW_LIST(struct fw_source) sources;
	FW_LIST(struct fw_declaration) declarations;
	uint32_t running; /* the source being run */
	bool loading;

	FW_LIST(struct fw_ref) refs;
	FW_LIST(struct fw_literal) literals;
	FW_LIST(struct fw_node) nodes;
	FW_LIST(uint32_t) children;
	FW_LIST(struct fw_function) functions;
	struct fw_map function_keys, ref_keys, group_keys;
	uint8_t *segment_state;            /* 0 not begun, 1 being compiled, 2 done */
	uint32_t segments_open;            /* being compiled, one for the other */
	uint32_t *segment_declaration;
};

/* What is being compiled, for places in errors. */
struct fw_at {
	const struct fw_declaration *declaration;
	char path[256]; /* "when.cart.total" */
};

/* A key of a Lua table: tables are read in one order on every machine, positions first, then names bytewise. */
struct fw_key {
	struct fw_str name; /* p NULL: a position */
	lua_Integer position;
};
/* The keys of the table at the index, sorted, in the scratch arena. */
int fw_build_keys(struct fw_builder *b, const struct fw_at *at, int table, struct fw_key **ret_keys, size_t *ret_n);
/* Pushes the value of a key. */
void fw_build_push(struct fw_builder *b, int table, const struct fw_key *key);

/* A new zeroed item at the end of a list, or NULL. */
void *fw_list_add(void *list, size_t item_size);
#define FW_ADD(list) ((__typeof__((list)->items))fw_list_add((list), sizeof *(list)->items))

/* Writes an error at the place of `at`; returns FW_EINVAL. */
int fw_build_fail(struct fw_builder *b, const struct fw_at *at, const char *hint, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
/* The same at a field below the place of `at`, which the message names. */
int fw_build_fail_in(struct fw_builder *b, struct fw_at *at, const char *field, const char *hint, const char *fmt,
	...) __attribute__((format(printf, 5, 6)));
int fw_build_no_memory(struct fw_builder *b);
/* Whether a declaration stands in the compliance folder. */
bool fw_in_compliance(const struct fw_builder *b, const struct fw_declaration *d);
/* Extends the path by a key; returns its former length, to be given back to fw_at_leave. */
size_t fw_at_enter(struct fw_at *at, const char *key);
void fw_at_leave(struct fw_at *at, size_t length);
char *fw_build_copy(struct fw_builder *b, const char *s, size_t n);

/* words.c: the language's words as globals of rule files. Pushes nothing. */
int fw_words_open(struct fw_builder *b);
/* Pushes a new environment for a file: own names, the words, and an error for every other name. */
void fw_words_push_env(struct fw_builder *b);
const char *const *fw_words_names(void);
/* What the value at index is, for people: "text", "a number", "a table" … */
const char *fw_words_type(lua_State *L, int index);
/* "did you mean …" for a name that is not defined, into buf; returns buf. */
const char *fw_words_hint(const char *name, char *buf, size_t size);
/* The tag of a table that a word made ("any", "all", "none", "list", "at_least", "is_not" …), or NULL. */
const char *fw_words_tag(lua_State *L, int index);
/* A word that is called, and what it gives; with a name in a query, the type of its value. For editors (definitions.c). */
struct fw_word {
	const char *name;
	int arguments;
	const char *type, *doc;
};
const struct fw_word *fw_words_marks(size_t *ret_n);
const struct fw_word *fw_words_matchers(size_t *ret_n);
const struct fw_word *fw_words_of_query(size_t *ret_n);
const struct fw_word *fw_words_of_product(size_t *ret_n);
const struct fw_word *fw_words_of_order(size_t *ret_n);
const struct fw_word *fw_words_of_boost(size_t *ret_n);
/* The attributes that items may call something else: product, category, brand, price, in_stock; ended by NULL. */
extern const char *const fw_order_names[];

/* reach.c: everything a declaration's functions can reach is checked for assignments and frozen. */
int fw_reach_check(struct fw_builder *b);

/* compile.c: the condition at `index` of the Lua stack into a node. `uses` and, when not NULL, `specificity` gather. */
struct fw_condition_info {
	unsigned uses;
	uint32_t specificity;
	bool has_functions;
	uint32_t depth, deepest; /* of nesting: where the compiler is, and the most so far, segments included */
	struct fw_str *facts; /* distinct names seen, for the specificity */
	uint32_t n_facts, size;
};
int fw_compile_condition(struct fw_builder *b, struct fw_at *at, int index, struct fw_condition_info *info, uint32_t *ret_node);
int fw_compile_segment(struct fw_builder *b, uint32_t segment);
/* "there is no segment", with the nearest that the declaration may name. */
int fw_refuse_segment(struct fw_builder *b, struct fw_at *at, const char *field, struct fw_str name);
/* matcher.c: one fact's matcher into a literal. */
int fw_compile_matcher(struct fw_builder *b, struct fw_at *at, int index, const struct fw_ref *ref, uint32_t *ret_node);
int fw_compile_query(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, uint32_t *ret_node);
/* The value within every is_not around the one at *index, whose place is *index then; *negated is turned by each. The stack is not put
 * back. 0, or an error written. */
int fw_build_past_nots(struct fw_builder *b, struct fw_at *at, int *index, bool *negated);
/* The same for what an item of content is to be, into a literal: it is read as its matcher's type. `name` is for messages. */
int fw_compile_attribute(struct fw_builder *b, struct fw_at *at, int index, const char *name, uint32_t *ret_literal);
/* product.c: what is asked of a product into a node. */
int fw_compile_product(struct fw_builder *b, struct fw_at *at, int index, enum fw_fact fact, uint32_t *ret_node);
int fw_build_node(struct fw_builder *b, enum fw_node_kind kind, const uint32_t *children, uint32_t n, uint32_t *ret_node);
int fw_build_literal(struct fw_builder *b, const struct fw_ref *ref, const struct fw_literal *l, uint32_t *ret_node);
/* A function has one number as a condition and another as content: what it answered is remembered by number. */
int fw_build_function(struct fw_builder *b, struct fw_at *at, int index, bool content, uint32_t *ret_function);

/* declare.c: all declarations into the set. */
int fw_declare_all(struct fw_builder *b);
/* fields.c: reading a declaration's table. Each returns 0 when the field is absent or read, FW_EINVAL after an error. */
struct fw_field {
	const char *name;
	int (*read)(struct fw_builder *b, struct fw_at *at, int index, void *into); /* NULL: whoever declares it reads it */
	size_t offset;
	const char *type, *doc; /* for editors (definitions.c): as the Lua language server writes types; what it is */
};
#define FW_FIELDS(table) (sizeof(table) / sizeof *(table))
/* A declaration's fields; those of `applies`. */
const struct fw_field *fw_declared_fields(enum fw_declared kind, size_t *ret_n);
const struct fw_field *fw_declared_rule_fields(size_t *ret_n);
const struct fw_field *fw_declared_test_fields(size_t *ret_n);
const struct fw_field *fw_declared_applies(size_t *ret_n);
int fw_fields_read(struct fw_builder *b, struct fw_at *at, int table, const struct fw_field *fields, size_t n, void *into);
int fw_field_text(struct fw_builder *b, struct fw_at *at, int index, void *into);       /* const char * */
int fw_field_bool(struct fw_builder *b, struct fw_at *at, int index, void *into);       /* bool */
int fw_field_texts(struct fw_builder *b, struct fw_at *at, int index, void *into);      /* const char **, ended by NULL */
int fw_field_duration(struct fw_builder *b, struct fw_at *at, int index, void *into);   /* int64_t, seconds */
int fw_field_whole(struct fw_builder *b, struct fw_at *at, int index, void *into);      /* double, a whole number */
int fw_field_count(struct fw_builder *b, struct fw_at *at, int index, void *into);      /* uint32_t, at least 1 */
int fw_field_percent(struct fw_builder *b, struct fw_at *at, int index, void *into);    /* double, 0–100 */
int fw_field_any(struct fw_builder *b, struct fw_at *at, int index, void *into);        /* int: the stack index */
int fw_field_content(struct fw_builder *b, struct fw_at *at, int index, void *into);    /* struct fw_content */
int fw_field_show(struct fw_builder *b, struct fw_at *at, int index, void *into);       /* the same, in which lists may be put in order */
/* The error for a name that is none of n, which stand `size` bytes apart (see fw_nearest_in): with the nearest one. */
int fw_build_no_such(struct fw_builder *b, struct fw_at *at, const char *what, const char *name, const void *first, size_t n, size_t size);
/* declare_rule.c, declare_test.c: 0, or an error written. */
int fw_declare_rule(struct fw_builder *b, struct fw_at *at, int table, struct fw_rule *rule);
int fw_declare_test(struct fw_builder *b, struct fw_at *at, int table, struct fw_test *t);

/* order.c: the lists of a rule's content that are put in order, whose tables lie at `specs` of the stack (content.h); `json` is the
 * content, in the set. NULL: there are none. */
struct fw_content_orders;
int fw_order_compile(struct fw_builder *b, struct fw_at *at, int specs, const struct fw_content_orders *written, struct fw_str json,
	const struct fw_ordering **ret);

/* rank.c: order, guards and caps of each rule, tables of slots. */
int fw_rank_rules(struct fw_builder *b);

/* fw_words_type of the builder's state. */
const char *fw_build_type_name(struct fw_builder *b, int index);
/* The text at index as a copy in the set, or NULL when it is none. */
const char *fw_build_text_at(struct fw_builder *b, int index);

#endif

#include <stdio.h>
#include <string.h>

#include "fact/catalogue.h"
#include "message/template_own.h"

/* Where a name, or a partial, is read: each tells what those before it tell, and more. */
enum reach { NOT_YET, IN_SECTION, IN_INVERTED, BARE };

/* What a template is given beside facts. */
static const char *const given[] = { "content", "message", "unsubscribe_url", "preferences_url", "currency", NULL };
static const char *const cart[] = { "cart", "cart.items", "cart.total", "cart.age", "cart.contains", "cart.contains.category",
	"cart.contains.product", "cart.contains.brand", NULL };

struct lister {
	struct fw_arena *arena;
	struct fw_template_name *names;
	uint32_t n, size, round;
	const struct fw_template *of;
	struct fw_error *err;
};

static int add(struct lister *l, struct fw_template_name name)
{
	if (l->n == l->size) {
		uint32_t size = l->size ? l->size * 2 : 8;
		struct fw_template_name *more = FW_NEW_ARRAY(l->arena, size, struct fw_template_name);
		if (!more)
			return fw_fail(l->err, FW_ENOMEM, l->of->file, 0, "out of memory");
		if (l->n)
			memcpy(more, l->names, l->n * sizeof *more);
		l->names = more;
		l->size = size;
	}
	if (l->n == FW_LIMIT_TEMPLATE_NAMES)
		return fw_fail(l->err, FW_ELIMIT, l->of->file, 0, "it reads more than %d names", FW_LIMIT_TEMPLATE_NAMES);
	l->names[l->n++] = name;
	return 0;
}

static int list(struct lister *l, struct fw_template *t, enum reach reach, unsigned depth);

/* A partial is looked into again only from where more can be told. */
static int list_partial(struct lister *l, struct fw_template *t, enum reach reach, unsigned depth)
{
	uint32_t seen = t->listed >> 2 == l->round ? t->listed & 3 : NOT_YET;
	if (seen >= reach)
		return 0;
	t->listed = l->round << 2 | reach;
	if (depth == FW_LIMIT_TEMPLATE_DEPTH)
		return fw_fail(l->err, FW_ELIMIT, l->of->file, 0, "partials include one another more than %d deep",
			FW_LIMIT_TEMPLATE_DEPTH);
	return list(l, t, reach, depth + 1);
}

static int list(struct lister *l, struct fw_template *t, enum reach reach, unsigned depth)
{
	uint32_t section_end = 0, inverted_end = 0; /* where the outermost one ends that is open */
	int ret = 0;
	for (uint32_t i = 0; i < t->n_pieces && ret == 0; i++) {
		const struct fw_piece *piece = &t->pieces[i];
		enum reach here = i < section_end ? IN_SECTION : i < inverted_end && reach == BARE ? IN_INVERTED : reach;
		if (piece->kind == FW_PIECE_PARTIAL && piece->partial)
			ret = list_partial(l, (struct fw_template *)piece->partial, here, depth);
		if (piece->n_parts && piece->kind != FW_PIECE_PARTIAL)
			ret = add(l, (struct fw_template_name){ .name = piece->name, .file = t->file, .line = piece->line,
				.from_top = here != IN_SECTION, .needed = here == BARE && piece->kind == FW_PIECE_VARIABLE
				&& !piece->has_fallback && piece->write != FW_WRITE_NOTHING });
		if (piece->kind == FW_PIECE_SECTION && piece->end > section_end)
			section_end = piece->end;
		if (piece->kind == FW_PIECE_INVERTED && piece->end > inverted_end)
			inverted_end = piece->end;
	}
	return ret;
}

int fw_template_list_names(struct fw_arena *arena, struct fw_template *t, uint32_t round, struct fw_error *err)
{
	struct lister l = { .arena = arena, .round = round, .of = t, .err = err };
	int ret = list(&l, t, BARE, 0);
	t->names = l.names;
	t->n_names = l.n;
	return ret;
}

const struct fw_template_name *fw_template_names(const struct fw_template *template, uint32_t *ret_n)
{
	*ret_n = template->n_names;
	return template->names;
}

static struct fw_str first_part(struct fw_str name)
{
	const char *point = memchr(name.p, '.', name.n);
	return (struct fw_str){ name.p, point ? (size_t)(point - name.p) : name.n };
}

static bool among(struct fw_str name, const char *const *names)
{
	for (; *names; names++)
		if (fw_str_is(name, *names))
			return true;
	return false;
}

/* The segment a name means, or all of them where it means more than one. */
static unsigned uses_of_segment(struct fw_str name, const struct fw_ruleset *set)
{
	uint32_t n = name.n > sizeof "segment" ? fw_ruleset_segment(set, (struct fw_str){ name.p + sizeof "segment",
		name.n - sizeof "segment" }, false) : FW_MAP_NONE;
	if (n != FW_MAP_NONE)
		return set->segments[n].uses;
	unsigned uses = 0;
	for (uint32_t i = 0; i < set->n_segments; i++)
		uses |= set->segments[i].uses;
	return uses;
}

static unsigned uses_of(struct fw_str name, const struct fw_ruleset *set)
{
	struct fw_str first = first_part(name);
	if (among(first, given))
		return 0;
	if (fw_str_is(first, "segment"))
		return uses_of_segment(name, set);
	if (fw_str_is(first, "cart"))
		return FW_USES_SESSION;
	int fact = fw_fact_find(first);
	return fact < 0 ? 0 : fw_fact_info((enum fw_fact)fact)->uses;
}

unsigned fw_template_uses(const struct fw_template *template, const struct fw_ruleset *set)
{
	unsigned uses = 0;
	for (uint32_t i = 0; i < template->n_names; i++)
		uses |= uses_of(template->names[i].name, set);
	return uses;
}

/* Facts that are asked with a query have no value of their own. */
static bool is_asked(int fact)
{
	enum fw_type type = fw_fact_info((enum fw_fact)fact)->type;
	return type == FW_TYPE_COUNT || type == FW_TYPE_SHARE || fw_fact_is_of_product((enum fw_fact)fact);
}

/* Families, whose members the store or the event names. */
static bool has_members(int fact)
{
	return fact == FW_FACT_TRAIT || fact == FW_FACT_EVENT || fact == FW_FACT_ENGAGEMENT || fact == FW_FACT_SEGMENT
		|| fact == FW_FACT_CONSENT;
}

static void suggest(struct fw_str name, bool is_text, struct fw_error *err)
{
	char text[FW_LIMIT_ID_BYTES + 1];
	const char *const *words = fw_fact_words();
	size_t n = 0, n_given = sizeof given / sizeof *given - 1, n_cart = sizeof cart / sizeof *cart - 1;
	snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
	while (words[n])
		n++;
	const char *nearest = fw_nearest(text, words, n);
	if (!nearest && !is_text)
		nearest = fw_nearest(text, given, n_given);
	if (fw_str_is(first_part(name), "cart"))
		nearest = fw_nearest(text, cart, n_cart);
	else if (fw_fact_find(first_part(name)) >= 0)
		nearest = fw_fact_info((enum fw_fact)fw_fact_find(first_part(name)))->name; /* a fact without parts */
	if (nearest)
		fw_hint(err, "did you mean {{%s}}?", nearest);
	else
		fw_hint(err, "what is known of a person is {{traits.NAME}}, what the event tells {{event.NAME}}%s",
			is_text ? "" : ", what `send` made {{content.NAME}}");
}

/* What cannot have a value, whoever the message is for. `is_text`: of a text in `send`, which makes the content. */
static int check_name(const struct fw_template_name *n, const struct fw_ruleset *set, bool is_text, struct fw_error *err)
{
	struct fw_str name = n->name, first = first_part(name);
	int fact = fw_fact_find(first), shown = (int)name.n;
	if (!n->from_top || (among(first, given) && !(is_text && fw_str_is(first, "content"))))
		return 0;
	if (is_text && fw_str_is(first, "content")) {
		fw_fail(err, FW_EINVAL, n->file, n->line, "{{%.*s}} reads what the texts of send only make", shown, name.p);
		fw_hint(err, "the content is there in template files");
		return FW_EINVAL;
	}
	if (fact >= 0 && is_asked(fact)) {
		fw_fail(err, FW_EINVAL, n->file, n->line, "{{%.*s}} is %s, and asked with a query", shown, name.p,
			fw_fact_is_of_product((enum fw_fact)fact) ? "a product's" : "a count");
		fw_hint(err, "ask in a function: send = function(v) return { n = v:%.*s { … } } end, and write {{content.n}}",
			(int)first.n, first.p);
		return FW_EINVAL;
	}
	if (fw_str_is(first, "segment") && name.n > first.n
		&& fw_ruleset_segment(set, (struct fw_str){ name.p + first.n + 1, name.n - first.n - 1 }, false) == FW_MAP_NONE)
		return fw_fail(err, FW_EINVAL, n->file, n->line, "there is no segment \"%.*s\"", (int)(name.n - first.n - 1),
			name.p + first.n + 1);
	bool known = fw_str_is(first, "cart") ? among(name, cart) : fact >= 0 && (name.n == first.n || has_members(fact));
	if (known)
		return 0;
	fw_fail(err, FW_EINVAL, n->file, n->line, "there is no {{%.*s}}", shown, name.p);
	suggest(name, is_text, err);
	return FW_EINVAL;
}

int fw_template_check_names(const struct fw_template *t, const struct fw_ruleset *set, bool is_text, struct fw_errors *errors)
{
	int ret = 0;
	for (uint32_t i = 0; i < t->n_names; i++) {
		struct fw_error err;
		if (check_name(&t->names[i], set, is_text, &err) == 0)
			continue;
		bool said = false; /* a partial's mistake is one, however many include it */
		for (uint32_t k = 0; k < errors->n && !said; k++)
			said = errors->items[k].line == err.line && strcmp(errors->items[k].file, err.file) == 0
				&& strcmp(errors->items[k].message, err.message) == 0;
		if (!said)
			*fw_errors_add(errors) = err;
		ret = FW_EINVAL;
	}
	return ret;
}

/* What the words of a condition show by themselves: countries that there are not, lists of purposes of which one is enough. */
#include <string.h>

#include "check/own.h"
#include "signal/country.h"

/* Whose condition a literal is in. */
struct owner {
	const char *kind, *id;
	struct fw_place place;
	bool required;  /* `require` of a guard, as it stands there */
};

static const char *meant_country(struct fw_str code)
{
	static const char *const meant[][2] = { { "uk", "GB" }, { "el", "GR" }, { "sp", "ES" }, { "tp", "TL" }, { "yu", "RS" },
		{ "su", "RU" } };
	for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
		if (fw_str_is(code, meant[i][0]))
			return meant[i][1];
	return NULL;
}

static void check_countries(struct fw_checker *c, const struct owner *o, const struct fw_literal *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		if (fw_country_continent(l->texts[i]).n)
			continue;
		struct fw_finding *f = fw_check_add(c, FW_FINDING_NO_SUCH_VALUE, o->kind, o->id, o->place);
		const char *meant = meant_country(l->texts[i]);
		if (!f)
			return;
		f->message = fw_check_text(c, "%s \"%s\": there is no country \"%.*s\" in ISO 3166-1, so no visitor has it", o->kind, o->id,
			(int)l->written[i].n, l->written[i].p);
		f->hint = meant ? fw_check_text(c, "did you mean \"%s\"?", meant) : "country = \"…\" takes the two letters of ISO 3166-1";
	}
}

static void check_list(struct fw_checker *c, const struct owner *o, const struct fw_literal *l)
{
	struct fw_finding *f = fw_check_add(c, FW_FINDING_ONE_IS_ENOUGH, o->kind, o->id, o->place);
	if (!f)
		return;
	f->message = fw_check_text(c, "guard \"%s\": `require` lists %u purposes, and one of them is enough to get through", o->id, l->n);
	f->hint = "if each of them is needed write consent = all_of { … }";
}

static void walk(struct fw_checker *c, const struct owner *o, uint32_t number, bool negated)
{
	const struct fw_ruleset *s = c->set;
	if (number == FW_NONE)
		return;
	const struct fw_node *node = &s->nodes[number];
	if (node->kind == FW_NODE_FUNCTION)
		return;
	if (node->kind != FW_NODE_LITERAL) {
		for (uint32_t i = 0; i < node->n; i++)
			walk(c, o, s->children[node->first + i], negated != (node->kind == FW_NODE_NOT));
		return;
	}
	const struct fw_literal *l = &s->literals[node->first];
	enum fw_fact fact = s->refs[l->ref].fact;
	if (fact == FW_FACT_COUNTRY && l->op == FW_OP_ONE_OF)
		check_countries(c, o, l);
	if (fact == FW_FACT_CONSENT && l->op == FW_OP_ONE_OF && l->n > 1 && !l->negated && !negated && o->required)
		check_list(c, o, l);
}

int fw_check_values(struct fw_checker *c)
{
	const struct fw_ruleset *s = c->set;
	for (uint32_t i = 0; i < s->n_segments; i++)
		walk(c, &(struct owner){ "segment", s->segments[i].id, s->segments[i].place, false }, s->segments[i].when, false);
	for (uint32_t i = 0; i < s->n_rules; i++)
		walk(c, &(struct owner){ "rule", s->rules[i].id, s->rules[i].place, false }, s->rules[i].when, false);
	for (uint32_t i = 0; i < s->n_guards; i++) {
		struct owner o = { "guard", s->guards[i].id, s->guards[i].place, true };
		walk(c, &o, s->guards[i].require, false);
		o.required = false;
		walk(c, &o, s->guards[i].forbid, false);
	}
	return 0;
}

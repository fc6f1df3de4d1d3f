#include "rules/definitions.h"

#include <stdio.h>
#include <string.h>

#include "fact/catalogue.h"
#include "rules/builder.h"

static const struct { const char *type, *doc; } declarations[FW_DECLARED_KINDS] = {
	[FW_DECLARED_SLOT] = { "fw.slot", "A place on a page that rules fill." },
	[FW_DECLARED_SEGMENT] = { "fw.segment", "A condition with a name." },
	[FW_DECLARED_RULE] = { "fw.rule", "What a slot shows, or a channel sends, and to whom." },
	[FW_DECLARED_GUARD] = { "fw.guard", "What must be so, or must not, whatever rules say." },
	[FW_DECLARED_CAP] = { "fw.cap", "How often one person may see or get something." },
	[FW_DECLARED_TEST] = { "fw.test", "A visitor, and the rules that must win for him: run before the set serves." },
};

/* The values of a closed list, each in quotes, with "|" between them. */
static void put_values(struct fw_buf *out, const char *const *values)
{
	for (const char *const *v = values; *v; v++)
		fw_buf_printf(out, "%s\"%s\"", v == values ? "" : "|", *v);
}

static bool is_of_product(const struct fw_fact_info *info)
{
	return fw_fact_is_of_product((enum fw_fact)fw_fact_find(fw_str(info->name)));
}

/* What a condition may say of the fact. */
static void put_wanted(struct fw_buf *out, const struct fw_fact_info *info)
{
	if (is_of_product(info)) {
		fw_buf_puts(out, "fw.product|fw.matcher|nil");
		return;
	}
	switch (info->type) {
	case FW_TYPE_BOOL: fw_buf_puts(out, "boolean|fw.matcher|nil"); break;
	case FW_TYPE_NUMBER: fw_buf_puts(out, "number|number[]|fw.matcher|nil"); break;
	case FW_TYPE_COUNT: case FW_TYPE_SHARE: fw_buf_puts(out, "fw.query|fw.matcher|nil"); break;
	case FW_TYPE_ANY: fw_buf_puts(out, "table<string, any>?"); break;
	default:
		if (info->values) {
			put_values(out, info->values);
			fw_buf_putc(out, '|');
		}
		fw_buf_puts(out, "string|string[]|fw.matcher|nil");
	}
}

/* What a function reads of it. */
static void put_read(struct fw_buf *out, const struct fw_fact_info *info)
{
	if (is_of_product(info)) {
		fw_buf_printf(out, "fun(self: fw.visitor, of: fw.product): %s", info->type == FW_TYPE_BOOL ? "boolean?" : info->type ==
			FW_TYPE_NUMBER ? "number?" : info->type == FW_TYPE_SET ? "table?" : "string?");
		return;
	}
	switch (info->type) {
	case FW_TYPE_BOOL: fw_buf_puts(out, "boolean?"); break;
	case FW_TYPE_NUMBER: case FW_TYPE_DURATION: fw_buf_puts(out, "number?"); break;
	case FW_TYPE_SET: case FW_TYPE_SEGMENT: fw_buf_puts(out, "table<string, boolean>"); break;
	case FW_TYPE_COUNT: case FW_TYPE_SHARE: fw_buf_puts(out, "fun(self: fw.visitor, query: fw.query?): number?"); break;
	case FW_TYPE_ANY: fw_buf_puts(out, "table<string, any>"); break;
	default: fw_buf_puts(out, "string?");
	}
}

static void put_doc(struct fw_buf *out, const struct fw_fact_info *info)
{
	fw_buf_printf(out, " %s", info->doc);
	if (info->form)
		fw_buf_printf(out, " Written as %s.", info->form);
	for (unsigned bit = 1; bit <= FW_USES_CONSENT; bit <<= 1)
		if (info->uses & bit)
			fw_buf_printf(out, " Uses %s.", fw_uses_name(bit));
	fw_buf_putc(out, '\n');
}

/* The facts whose names begin so, without it; those with a dot in the rest belong to a class of their own. */
static void put_facts(struct fw_buf *out, const char *class, const char *prefix,
	void (*put_type)(struct fw_buf *, const struct fw_fact_info *))
{
	size_t n = strlen(prefix);
	fw_buf_printf(out, "\n---@class %s\n", class);
	for (int i = 0; i < FW_FACT_COUNT; i++) {
		const struct fw_fact_info *info = fw_fact_info((enum fw_fact)i);
		if (strncmp(info->name, prefix, n) != 0 || strchr(info->name + n, '.'))
			continue;
		fw_buf_printf(out, "---@field %s ", info->name + n);
		if (i == FW_FACT_ENGAGEMENT)
			fw_buf_puts(out, put_type == put_read ? "table<string, number>" : "table<string, number|fw.matcher>?");
		else
			put_type(out, info);
		put_doc(out, info);
	}
}

/* The facts as a class, and the cart and what is in it as classes of their own, whose fields may be left out (`may_lack` "?") or not. */
static void put_classes(struct fw_buf *out, const char *class, const char *may_lack,
	void (*put_type)(struct fw_buf *, const struct fw_fact_info *))
{
	char cart[40], contains[50];
	snprintf(cart, sizeof cart, "%s.cart", class);
	snprintf(contains, sizeof contains, "%s.contains", cart);
	put_facts(out, contains, "cart.contains.", put_type);
	put_facts(out, cart, "cart.", put_type);
	fw_buf_printf(out, "---@field contains %s%s What is in the cart.\n", contains, may_lack);
	put_facts(out, class, "", put_type);
	fw_buf_printf(out, "---@field cart %s%s The cart.\n", cart, may_lack);
}

static void put_fields(struct fw_buf *out, const char *class, const struct fw_field *fields, size_t n)
{
	fw_buf_printf(out, "\n---@class %s\n", class);
	for (size_t i = 0; i < n; i++)
		if (fields[i].doc)
			fw_buf_printf(out, "---@field %s %s %s\n", fields[i].name, fields[i].type, fields[i].doc);
}

/* The fields of a table that words of the language take. */
static void put_named(struct fw_buf *out, const char *class, const struct fw_word *words, size_t n)
{
	fw_buf_printf(out, "\n---@class %s\n", class);
	for (size_t i = 0; i < n; i++)
		fw_buf_printf(out, "---@field %s %s %s\n", words[i].name, words[i].type, words[i].doc);
}

static void put_words(struct fw_buf *out, const struct fw_word *words, size_t n, const char *argument)
{
	for (size_t i = 0; i < n; i++) {
		fw_buf_printf(out, "\n---%s\n", words[i].doc);
		for (int k = 0; k < words[i].arguments; k++)
			fw_buf_printf(out, "---@param %c %s\n", 'a' + k, strcmp(words[i].name, "order") == 0 ? "fw.order" : argument);
		fw_buf_printf(out, "---@return %s\nfunction %s(%s) end\n", words[i].type, words[i].name,
			words[i].arguments == 2 ? "a, b" : words[i].arguments ? "a" : "");
	}
}

void fw_definitions_write(struct fw_buf *out)
{
	size_t n;
	fw_buf_puts(out, "---@meta\n\n-- What rule files may say, written by `floorwalker definitions` (" FW_VERSION ").\n\n"
		"---@alias fw.uses ");
	put_values(out, fw_uses_names());
	fw_buf_puts(out, "\n\n---@class fw.matcher\n\n---@class fw.trigger\n");
	const struct fw_word *words = fw_words_of_query(&n);
	put_named(out, "fw.query", words, n);
	words = fw_words_of_product(&n);
	put_named(out, "fw.product", words, n);
	fw_buf_puts(out, "\n---@alias fw.order.by string|table<string, number>\n\n---@alias fw.order.names table<");
	put_values(out, fw_order_names);
	fw_buf_puts(out, ", string>\n");
	words = fw_words_of_boost(&n);
	put_named(out, "fw.order.boost", words, n);
	words = fw_words_of_order(&n);
	put_named(out, "fw.order", words, n);
	put_classes(out, "fw.when", "?", put_wanted);
	fw_buf_puts(out, "---@field [integer] fw.when|fun(v: fw.visitor): boolean? Further conditions, that must be true, too.\n");
	put_classes(out, "fw.visitor", "", put_read);
	fw_buf_puts(out, "---@field known fun(self: fw.visitor, fact: string): boolean Whether it has a value: v:known \"traits.plan\".\n"
		"---@field get fun(self: fw.visitor, fact: string, otherwise: any?): any Its value, or what is said instead.\n");
	fw_buf_puts(out, "\n---Facts by name, in the shape in which functions read them.\n---@class fw.given\n"
		"---@field at string? The moment: \"2030-11-23T22:40\"; none where nothing is said.\n"
		"---@field wait string? How long after it the answer is read: \"11h\".\n"
		"---@field events table[]? What happened, oldest first: { \"Product Viewed\", category = \"boots\", ago = \"2d\" }.\n"
		"---@field rollout number? Where in every rollout the visitor is, 0 to 100.\n---@field [string] any\n");
	const struct fw_field *fields = fw_declared_applies(&n);
	put_fields(out, "fw.applies", fields, n);
	for (int kind = 0; kind < FW_DECLARED_KINDS; kind++) {
		fields = fw_declared_fields((enum fw_declared)kind, &n);
		put_fields(out, declarations[kind].type, fields, n);
		fw_buf_printf(out, "\n---%s\n---@param id string\n---@return fun(fields: %s)\nfunction %s(id) end\n",
			declarations[kind].doc, declarations[kind].type, fw_declared_words[kind]);
	}
	words = fw_words_marks(&n);
	put_words(out, words, n, "table");
	words = fw_words_matchers(&n);
	put_words(out, words, n, "any");
}

void fw_definitions_luacheck(struct fw_buf *out)
{
	fw_buf_puts(out, "-- What rule files may name, written by `floorwalker definitions --luacheck` (" FW_VERSION ").\n"
		"std = \"none\"\nread_globals = {");
	for (const char *const *name = fw_words_names(); *name; name++)
		if (strcmp(*name, "true") != 0 && strcmp(*name, "false") != 0 && strcmp(*name, "nil") != 0)
			fw_buf_printf(out, " \"%s\",", *name);
	fw_buf_puts(out, " }\nmax_line_length = false\nignore = { \"212/v\" } -- a function need not read its visitor\n");
}

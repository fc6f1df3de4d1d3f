#include "signal/hints.h"

#include "signal/families.h"

/* In order of what says most: a folding "Mobile", "Tablet" is a tablet. */
static const struct {
	const char *told, *means;
} forms[] = {
	{ "Watch", "wearable" }, { "XR", "wearable" }, { "Tablet", "tablet" }, { "EInk", "tablet" }, { "Mobile", "mobile" },
	{ "Desktop", "desktop" }, { "Automotive", "other" },
};
enum { FORMS = sizeof forms / sizeof *forms };

/* The next quoted text of a structured list; what stands between is passed over. None of our words has an escape. */
static bool next_text(struct fw_str *list, struct fw_str *ret)
{
	const char *open = list->n ? memchr(list->p, '"', list->n) : NULL;
	if (!open)
		return false;
	const char *close = open + 1, *end = list->p + list->n;
	while (close < end && *close != '"')
		close += *close == '\\' && close + 1 < end ? 2 : 1;
	if (close >= end)
		return false;
	*ret = (struct fw_str){ open + 1, (size_t)(close - open) - 1 };
	*list = (struct fw_str){ close + 1, (size_t)(end - close) - 1 };
	return true;
}

static void take_form(struct fw_str told, size_t *best, struct fw_hints *ret)
{
	for (size_t i = 0; i < *best; i++)
		if (fw_str_equal_fold(told, fw_str(forms[i].told))) {
			*best = i;
			ret->form = forms[i].means;
		}
}

void fw_hints_from_headers(struct fw_str brand_list, struct fw_str mobile, struct fw_str platform, struct fw_str form_list,
	struct fw_hints *ret)
{
	struct fw_str text;
	size_t best = FORMS;
	*ret = (struct fw_hints){ 0 };
	while (!ret->browser && next_text(&brand_list, &text)) /* versions are texts too, and no brand's name */
		ret->browser = fw_family_of_brand(text);
	if (next_text(&platform, &text))
		ret->os = fw_family_of_platform(text);
	while (next_text(&form_list, &text))
		take_form(text, &best, ret);
	mobile = fw_str_trim(mobile);
	if (mobile.n == 2 && mobile.p[0] == '?' && (mobile.p[1] == '0' || mobile.p[1] == '1'))
		ret->mobile = mobile.p[1] == '1' ? FW_MOBILE_YES : FW_MOBILE_NO;
}

void fw_hints_from_json(const struct fw_json *data, struct fw_hints *ret)
{
	size_t best = FORMS;
	*ret = (struct fw_hints){ 0 };
	const struct fw_json *list = fw_json_get(data, "brands"), *form_list = fw_json_get(data, "formFactors"),
		*mobile = fw_json_get(data, "mobile");
	if (!list || list->type != FW_JSON_ARRAY)
		list = fw_json_get(data, "fullVersionList");
	for (const struct fw_json *e = list && list->type == FW_JSON_ARRAY ? list->child : NULL; e && !ret->browser; e = e->next)
		ret->browser = fw_family_of_brand(fw_json_text(e, "brand"));
	for (const struct fw_json *e = form_list && form_list->type == FW_JSON_ARRAY ? form_list->child : NULL; e; e = e->next)
		if (e->type == FW_JSON_STRING)
			take_form(e->string, &best, ret);
	ret->os = fw_family_of_platform(fw_json_text(data, "platform"));
	if (mobile && mobile->type == FW_JSON_BOOL)
		ret->mobile = mobile->boolean ? FW_MOBILE_YES : FW_MOBILE_NO;
}

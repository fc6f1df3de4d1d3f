#include "signal/device.h"

#include <stdbool.h>

#include "base/limits.h"
#include "signal/families.h"

/* A user agent, case folded, and what the patterns say of it. */
struct agent {
	struct fw_str text;
	struct fw_agent raw;
	bool known; /* there is one */
};

static bool holds(const struct agent *a, const char *word)
{
	return memmem(a->text.p, a->text.n, word, strlen(word)) != NULL;
}

static bool holds_one_of(const struct agent *a, const char *const *words)
{
	for (; *words; words++)
		if (holds(a, *words))
			return true;
	return false;
}

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* "bot" at the end of a word that is no Cubot, a maker of telephones. */
static bool holds_bot(struct fw_str s)
{
	for (const char *at; (at = memmem(s.p, s.n, "bot", 3));) {
		size_t i = (size_t)(at - s.p);
		bool ends = i + 3 == s.n || !is_letter(at[3]), cubot = i >= 2 && at[-2] == 'c' && at[-1] == 'u';
		if (ends && !cubot)
			return true;
		s = (struct fw_str){ at + 3, s.n - i - 3 };
	}
	return false;
}

static bool is_bot(const struct agent *a)
{
	static const char *const words[] = { "crawler", "spider", "+http:", "+https:", "(http:", "slurp", "headlesschrome", "phantomjs",
		"chrome-lighthouse", "facebookexternalhit", "bingpreview", "mediapartners-google", NULL };
	return strcmp(a->raw.device, "Spider") == 0 || holds_bot(a->text) || holds_one_of(a, words);
}

/* A form that a user agent names and hints do not, or NULL. */
static const char *special_form(const struct agent *a)
{
	static const char *const worn[] = { "watchos", "apple watch", "applewatch", "smartwatch", "wear os", "sm-r7", "sm-r8", "sm-r9",
		"oculusbrowser", NULL };
	static const char *const consoles[] = { "playstation", "xbox", "nintendo", "dreamcast", NULL };
	static const char *const screens[] = { "smart-tv", "smarttv", "smart tv", "hbbtv", "appletv", "apple tv", "tvos", "googletv",
		"google tv", "android tv", "bravia", "crkey", "roku", "; aft", "netcast", "viera", "inettv", "philipstv", "nettv/",
		"vidaa", "sonydtv", "opera tv", "mitv", "mibox", NULL };
	if (holds_one_of(a, worn))
		return "wearable";
	if (holds_one_of(a, consoles))
		return "console";
	if (holds_one_of(a, screens) || strcmp(a->raw.brand, "Generic_Inettv") == 0 || (holds(a, "tizen") && holds(a, " tv ")))
		return "tv";
	return NULL;
}

static bool is_desktop_os(struct fw_str os)
{
	static const char *const systems[] = { "Windows", "macOS", "Linux", "ChromeOS", "FreeBSD", "OpenBSD", "NetBSD", "BSD", "Solaris",
		"SerenityOS", NULL };
	for (const char *const *s = systems; *s; s++)
		if (fw_str_is(os, *s))
			return true;
	return false;
}

/* From the user agent alone. */
static const char *plain_form(const struct agent *a, struct fw_str os)
{
	static const char *const slates[] = { "ipad", "kindle", "playbook", "touchpad", "nook", "kobo", "silk/", NULL };
	static const char *const phones[] = { "mobile", "iphone", "ipod", "phone", "windows ce", "opera mobi", "opera mini", "symb",
		"midp", "j2me", "cldc", "blackberry", "bb10", "kaios", "docomo", "up.browser", NULL };
	bool android = holds(a, "android");
	if (holds_one_of(a, slates) || strcmp(a->raw.brand, "Generic_Android_Tablet") == 0)
		return "tablet";
	if (holds(a, "tablet") && !holds(a, "tablet pc"))
		return "tablet";
	if (holds_one_of(a, phones))
		return "mobile";
	if (android) /* a browser that does not call itself mobile is a tablet's, but not before Android 3, nor an app */
		return holds(a, "applewebkit") && !holds(a, "android 1") && !holds(a, "android 2") ? "tablet" : "mobile";
	bool named = strcmp(a->raw.device, "Other") != 0 && strcmp(a->raw.device, "Mac") != 0;
	if (holds(a, "qtcarbrowser"))
		return "other";
	if (is_desktop_os(os) && (!named || !fw_str_is(os, "Linux"))) /* telephones of old say Linux too */
		return "desktop";
	return named || fw_str_is(os, "iOS") ? "mobile" : "other";
}

static const char *find_form(const struct agent *a, const struct fw_hints *hints, struct fw_str os)
{
	const char *special = a->known ? special_form(a) : NULL;
	if (a->known && is_bot(a))
		return "bot";
	if (hints->form)
		return hints->form;
	if (special)
		return special;
	if (hints->mobile == FW_MOBILE_YES)
		return "mobile";
	if (hints->mobile == FW_MOBILE_NO && fw_str_is(os, "Android"))
		return "tablet";
	if (hints->mobile == FW_MOBILE_NO && is_desktop_os(os))
		return "desktop";
	return a->known ? plain_form(a, os) : "other";
}

/* Cut between characters. */
static void copy(char out[FW_DEVICE_TEXT], struct fw_str s)
{
	size_t n = s.n < FW_DEVICE_TEXT ? s.n : FW_DEVICE_TEXT - 1;
	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, s.p, n);
	out[n] = '\0';
}

void fw_device_read(struct fw_agents *agents, struct fw_str user_agent, const struct fw_hints *hints, struct fw_device *ret)
{
	char folded[FW_LIMIT_USER_AGENT_BYTES];
	struct agent a = { .known = user_agent.n > 0 };
	struct fw_str os = { 0 }, browser = { 0 };
	if (user_agent.n > sizeof folded)
		user_agent.n = sizeof folded;
	if (a.known) {
		fw_fold(user_agent, folded);
		a.text = (struct fw_str){ folded, user_agent.n };
		fw_agents_read(agents, user_agent, &a.raw);
		os = fw_family_of_os(fw_str(a.raw.os));
		browser = fw_family_of_browser(fw_str(a.raw.browser));
	}
	*ret = (struct fw_device){ .form = "" };
	if (hints->os)
		os = fw_str(hints->os);
	if (hints->browser)
		browser = fw_str(hints->browser);
	if (a.known || hints->os || hints->browser || hints->form || hints->mobile != FW_MOBILE_UNTOLD)
		ret->form = find_form(&a, hints, os);
	if (os.n)
		copy(ret->os, os);
	if (browser.n)
		copy(ret->browser, browser);
}

#include "signal/families.h"

#include <stdbool.h>

/* A word and what it means; NULL: itself. */
struct word {
	const char *told, *means;
};

static const struct word browsers[] = {
	{ "HeadlessChrome", "Chrome" }, { "Chrome Frame", "Chrome" }, { "Mobile Safari", "Safari" }, { "IE Large Screen", "IE" },
	{ "Firefox Beta", "Firefox" }, { "Firefox Alpha", "Firefox" }, { "Opera Coast", "Opera" }, { "Opera Neon", "Opera" },
	{ NULL, NULL },
};

static const char *const forms[] = { " Mobile WebView", " UI/WKWebView", " Mobile iOS", " Mobile", " iOS", " Tablet", " Mini" };

static const struct word systems[] = {
	{ "Mac OS X", "macOS" }, { "Mac OS", "macOS" }, { "Chrome OS", "ChromeOS" }, { "ATV OS X", "tvOS" },
	{ "WatchOS", "watchOS" }, { "Windows Phone", "Windows" }, { "Windows Mobile", "Windows" }, { "Web0S", "webOS" },
	{ "GoogleTV", "Android" }, { "BlackBerry OS", "BlackBerry" }, { "BlackBerry Tablet OS", "BlackBerry" },
	{ "Symbian OS", "Symbian" }, { "Symbian^3", "Symbian" }, { "Symbian^3 Anna", "Symbian" }, { "Symbian^3 Belle", "Symbian" },
	{ "Ubuntu", "Linux" }, { "Kubuntu", "Linux" }, { "Debian", "Linux" }, { "Fedora", "Linux" }, { "Red Hat", "Linux" },
	{ "CentOS", "Linux" }, { "SUSE", "Linux" }, { "openSUSE", "Linux" }, { "Gentoo", "Linux" }, { "Mandriva", "Linux" },
	{ "Mageia", "Linux" }, { "Slackware", "Linux" }, { "Arch Linux", "Linux" }, { "Linux Mint", "Linux" }, { "Puppy", "Linux" },
	{ "PCLinuxOS", "Linux" }, { "VectorLinux", "Linux" }, { "ASPLinux", "Linux" }, { NULL, NULL },
};

static const struct word brands[] = {
	{ "Google Chrome", "Chrome" }, { "HeadlessChrome", "Chrome" }, { "Microsoft Edge", "Edge" }, { "Opera GX", "Opera" },
	{ "Opera Mobile", "Opera" }, { "YaBrowser", "Yandex Browser" }, { "Yandex", "Yandex Browser" },
	{ "QQBrowser", "QQ Browser" }, { "UCBrowser", "UC Browser" }, { "OculusBrowser", "Oculus Browser" },
	{ "HuaweiBrowser", "Huawei Browser" }, { "Opera", NULL }, { "Brave", NULL }, { "Samsung Internet", NULL },
	{ "Vivaldi", NULL }, { "Whale", NULL }, { "DuckDuckGo", NULL }, { "MiuiBrowser", NULL }, { "Huawei Browser", NULL },
	{ "Amazon Silk", NULL }, { "Oculus Browser", NULL }, { "Avast Secure Browser", NULL }, { "Norton Secure Browser", NULL },
	{ "CCleaner Browser", NULL }, { "Firefox", NULL }, { "Safari", NULL }, { NULL, NULL },
};

static const struct word platforms[] = {
	{ "Android", NULL }, { "iOS", NULL }, { "iPadOS", "iOS" }, { "Windows", NULL }, { "macOS", NULL }, { "Mac OS X", "macOS" },
	{ "Linux", NULL }, { "Chrome OS", "ChromeOS" }, { "Chromium OS", "ChromeOS" }, { "Fuchsia", NULL }, { "Tizen", NULL },
	{ "HarmonyOS", NULL }, { NULL, NULL },
};

static const char *find(const struct word *words, struct fw_str told)
{
	for (; words->told; words++)
		if (fw_str_equal_fold(told, fw_str(words->told)))
			return words->means ? words->means : words->told;
	return NULL;
}

static struct fw_str without_form(struct fw_str s)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct fw_str form = fw_str(forms[i]);
		if (s.n > form.n && fw_str_equal_fold((struct fw_str){ s.p + s.n - form.n, form.n }, form))
			return (struct fw_str){ s.p, s.n - form.n };
	}
	return s;
}

struct fw_str fw_family_of_browser(struct fw_str family)
{
	struct fw_str s = without_form(family);
	const char *means = find(browsers, s);
	if (s.n > 9 && memcmp(s.p, "Firefox (", 9) == 0) /* "Firefox (Shiretoko)": builds before a release */
		means = "Firefox";
	return means ? fw_str(means) : s;
}

struct fw_str fw_family_of_os(struct fw_str family)
{
	const char *means = find(systems, family);
	return means ? fw_str(means) : family;
}

const char *fw_family_of_brand(struct fw_str brand)
{
	return find(brands, brand);
}

const char *fw_family_of_platform(struct fw_str platform)
{
	return find(platforms, platform);
}

/* URLs as browsers report them (RFC 3986): page addresses and referrers. Strict, and only as much as facts need. */
#ifndef FW_SIGNAL_URL_H
#define FW_SIGNAL_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* Slices of the text that was parsed. */
struct fw_url {
	struct fw_str scheme;
	struct fw_str host;  /* without port and user; n 0 for a text that begins with its path */
	struct fw_str path;  /* "/" when there is none */
	struct fw_str query; /* without '?'; may be empty */
};

/* "scheme://host…", or a path that begins with one slash. False for anything else: no host, a host with bytes that hosts
 * do not have, blanks or control characters anywhere, more than FW_LIMIT_URL_BYTES. */
bool fw_url_parse(struct fw_str text, struct fw_url *ret);

/* Takes the next "name=value" off a query; neither is decoded. False at its end. */
bool fw_url_next_param(struct fw_str *query, struct fw_str *ret_name, struct fw_str *ret_value);

/* Percent-decoded into the arena; with `form`, '+' is a blank. {NULL, 0} when a broken escape, a control character or what
 * is not UTF-8 shows that the text was never meant to be read. 0 or FW_ENOMEM. */
int fw_url_decode(struct fw_arena *a, struct fw_str raw, bool form, struct fw_str *ret);

/* A path as people read it: decoded where that is possible, else as it is; {NULL, 0} when it is no text at all. 0 or
 * FW_ENOMEM. */
int fw_url_path_text(struct fw_arena *a, struct fw_str path, struct fw_str *ret);

/* Whether `host` is `parent` or below it, ASCII case folded. */
bool fw_url_host_in(struct fw_str host, struct fw_str parent);

#endif

/* Who asks, and what may they: keys, loopback, forwarding proxies, origins. */
#ifndef FW_SERVER_ACCESS_H
#define FW_SERVER_ACCESS_H

#include "server/request.h"

/* Finds what the request may do, and notes how it was forwarded; fills the request. Returns 0, or the HTTP status of the refusal
 * with a message in `ret_message` and a hint (may be NULL). `needs` is what the endpoint asks for. */
int fw_access_check(struct fw_plugin_request *request, const struct fw_config *config, enum fw_plugin_access needs,
	const char **ret_message, const char **ret_hint);

/* What the request may do with `key`, wherever it stood; without keys in the configuration what it may do anyway. */
enum fw_plugin_access fw_access_of_key(const struct fw_plugin_request *request, const struct fw_config *config, struct fw_str key);

/* Where the client found this server, "http://shop.example:8080", in the request's arena: from Host, and the scheme that a
 * trusted proxy tells. "" when it cannot be told. */
const char *fw_access_origin(struct fw_plugin_request *request, const struct fw_config *config);

/* The client's address behind trusted proxies; false when it cannot be told. */
bool fw_access_client(const struct fw_plugin_request *request, const struct fw_config *config, struct fw_ip *ret);
/* The same as text in the request's arena; "" when it cannot be told. */
const char *fw_access_address(struct fw_plugin_request *request, const struct fw_config *config);

/* Adds the headers for a browser of a configured origin. True when the request was a preflight and has been answered;
 * `allowed` are the methods of the path (FW_HTTP_MASK). */
bool fw_access_cors(struct fw_http_request *http, const struct fw_config *config, unsigned allowed);

/* Whether two secrets are equal, in a time that tells nothing about where they differ. */
bool fw_secret_equal(struct fw_str a, struct fw_str b);

#endif

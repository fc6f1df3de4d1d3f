/* User agents: ua-parser's patterns, which are part of the program. */
#ifndef FW_SIGNAL_AGENTS_H
#define FW_SIGNAL_AGENTS_H

#include "base/error.h"
#include "base/str.h"

struct fw_agents; /* the compiled patterns; not for several threads, but a forked process has its own */

/* Compiles the patterns, some 20 ms. 0, FW_ENOMEM, or FW_EINVAL for a pattern that PCRE2 refuses. */
int fw_agents_create(struct fw_agents **ret_agents, struct fw_error *err);
void fw_agents_destroy(struct fw_agents *agents);

enum { FW_AGENT_TEXT = 256 };

/* What the patterns say, in their own words, cut to what fits: "Mobile Safari UI/WKWebView", "Mac OS X", "Spider";
 * "Other" where none matches. `brand` is the device's, "" when unknown. */
struct fw_agent {
	char browser[FW_AGENT_TEXT], os[FW_AGENT_TEXT], device[FW_AGENT_TEXT], brand[FW_AGENT_TEXT];
};

/* Reads at most FW_LIMIT_USER_AGENT_BYTES of the text. A pattern that takes more than FW_LIMIT_AGENT_STEPS counts as not
 * matching, and after a few of those no other is tried, so that no text is expensive. */
void fw_agents_read(struct fw_agents *agents, struct fw_str user_agent, struct fw_agent *ret);

#endif

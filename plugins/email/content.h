/* What the host hands over with a message, read: {"rule","visitor","class","track","content":{"subject","html","text",…}}. */
#ifndef EMAIL_CONTENT_H
#define EMAIL_CONTENT_H

#include <floorwalker/plugin.h>

#include "text.h"

/* Texts with their lengths: a NUL in one is seen. p NULL: absent. */
struct email_content {
	struct email_text rule, class, subject, html, text, from, reply_to;
	int track; /* the person's consent lets opens and clicks be counted */
};

/* 0, or -1 with why; of members with one name the last counts, and a text where something else stands is none. */
int email_content_read(struct fw_plugin_text json, struct email_content *ret, struct fw_plugin_problem *problem);
void email_content_free(struct email_content *c);

#endif

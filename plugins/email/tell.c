/* What was heard of a message, told to the host until it is stored. */
#include "email.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct email_telling {
	struct fw_plugin_instance *self;
	char id[COMMON_ID_BYTES + 1];
	const char *name;
	struct email_text json;
	unsigned tried, tries;
	email_told told;
	void *data;
	struct email_telling *next, **back;
};

static void forget(struct email_telling *t)
{
	*t->back = t->next;
	if (t->next)
		t->next->back = t->back;
	t->self->n_telling--;
	email_text_free(&t->json);
	free(t);
}

static void ask(struct fw_plugin_instance *self, void *data);

static void on_done(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	struct email_telling *t = data;
	(void)json;
	if (status == 503 && ++t->tried < t->tries
			&& self->host->timer_start(self->host, (int64_t)EMAIL_TELL_MS << (t->tried - 1), 0, ask, t))
		return;
	if (status != 200 && status != 404)
		status = 503;
	if (status == 503)
		self->host->metric_add(self->host, EMAIL_METRIC_LOST, !t->told);
	if (t->told)
		t->told(self, t->data, t->id, status);
	forget(t);
}

static void ask(struct fw_plugin_instance *self, void *data)
{
	struct email_telling *t = data;
	self->host->message_event(self->host, t->id, t->name, (struct fw_plugin_text){ t->json.p, t->json.n }, on_done, t);
}

int email_tell(struct fw_plugin_instance *self, const char *id, const char *name, const struct email_text *json, unsigned tries,
	email_told told, void *data)
{
	struct email_telling *t = self->n_telling < EMAIL_TELLING && !json->failed ? calloc(1, sizeof *t) : NULL;
	if (!t) {
		self->host->metric_add(self->host, EMAIL_METRIC_LOST, !told);
		return -1;
	}
	*t = (struct email_telling){ .self = self, .name = name, .tries = tries, .told = told, .data = data, .next = self->telling,
		.back = &self->telling };
	snprintf(t->id, sizeof t->id, "%s", id);
	if (json->p)
		email_add(&t->json, json->p, json->n);
	if (t->next)
		t->next->back = &t->next;
	self->telling = t;
	self->n_telling++;
	ask(self, t);
	return 0;
}

void email_tell_stop(struct fw_plugin_instance *self)
{
	while (self->telling) {
		struct email_telling *t = self->telling;
		if (t->told)
			t->told(self, t->data, t->id, 0);
		forget(t);
	}
}

#include "people/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "people/flight.h"

struct audit {
	struct fw_people *people;
	const char *action;
	struct fw_person_id id;
	const char *by;
	fw_people_done done;
	void *ctx;
	char text[];
};

static void write_hash(const struct fw_people *p, const struct fw_person_id *id, char ret[2 * FW_KEYED_HASH + 1])
{
	static const char digits[] = "0123456789abcdef";
	char text[FW_KEYED_HASH_TEXT];
	unsigned char hash[FW_KEYED_HASH];
	struct fw_person_id row;
	fw_secret_row_id(&p->secret, id, text, &row);
	fw_secret_hash(&p->secret, &row, hash);
	for (unsigned i = 0; i < FW_KEYED_HASH; i++) {
		ret[2 * i] = digits[hash[i] >> 4];
		ret[2 * i + 1] = digits[hash[i] & 15];
	}
	ret[2 * FW_KEYED_HASH] = '\0';
}

/* Where the store's secret is out of reach the line has no name: what was done is told all the same. */
static void on_ready(void *ctx, int rc)
{
	struct audit *a = ctx;
	char subject[2 * FW_KEYED_HASH + 1] = "not known";
	if (rc == 0)
		write_hash(a->people, &a->id, subject);
	fw_log(FW_LOG_INFO, "audit", "action", a->action, "subject", subject, "by", a->by, NULL);
	if (a->done)
		a->done(a->ctx, rc);
	free(a);
}

void fw_people_audit(struct fw_people *p, const char *action, const struct fw_person_id *id, const char *by,
	fw_people_done done, void *ctx)
{
	size_t n = strlen(by) + 1;
	struct audit *a = malloc(sizeof *a + n + id->id.n);
	if (!a) {
		fw_log(FW_LOG_INFO, "audit", "action", action, "subject", "not known", "by", by, NULL);
		if (done)
			done(ctx, FW_ENOMEM);
		return;
	}
	*a = (struct audit){ p, action, { id->kind, { a->text + n, id->id.n } }, a->text, done, ctx };
	memcpy(a->text, by, n);
	memcpy(a->text + n, id->id.p, id->id.n);
	fw_people_ready(p, on_ready, a);
}

#include "server/engine.h"

#include <stdio.h>
#include <stdlib.h>

struct fw_engine {
	const struct fw_config *config;
};

struct fw_engine_worker {
	struct fw_engine *engine;
	struct fw_slot_page *page;
};

int fw_engine_load(const struct fw_config *config, struct fw_engine **ret, struct fw_report *report)
{
	struct fw_error err;
	struct fw_engine *e = calloc(1, sizeof *e);
	if (!e) {
		fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory");
		fw_report_add(report, &err);
		return FW_ENOMEM;
	}
	e->config = config;
	*ret = e;
	return 0;
}

void fw_engine_destroy(struct fw_engine *engine)
{
	free(engine);
}

const char *fw_engine_hash(const struct fw_engine *engine)
{
	(void)engine;
	return "";
}

void fw_engine_describe(const struct fw_engine *engine, struct fw_json_out *out)
{
	(void)engine;
	(void)out;
}

struct fw_engine_worker *fw_engine_worker_create(struct fw_engine *engine, unsigned number, struct fw_slot_page *page)
{
	(void)number;
	struct fw_engine_worker *w = calloc(1, sizeof *w);
	if (w)
		*w = (struct fw_engine_worker){ engine, page };
	return w;
}

void fw_engine_worker_destroy(struct fw_engine_worker *worker)
{
	free(worker);
}

static int nothing_loaded(struct fw_buf *out)
{
	fw_buf_puts(out, "{\"error\":{\"code\":\"unavailable\",\"message\":\"no rule set is loaded\"}}");
	return 503;
}

int fw_engine_decide(struct fw_engine_worker *worker, struct fw_engine_ask *ask, struct fw_buf *out)
{
	(void)worker;
	(void)ask;
	return nothing_loaded(out);
}

int fw_engine_rules(struct fw_engine_worker *worker, struct fw_buf *out)
{
	(void)worker;
	return nothing_loaded(out);
}

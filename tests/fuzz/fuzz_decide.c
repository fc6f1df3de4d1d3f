/* Whatever is asked, the answer is JSON with a status that fits it, and the same question gets the same decisions. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/engine.h"
#include "server/load_steps.h"
#include "base/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char rules[] =
	"slot \"s\" { channel = \"web\", show_up_to = 3, default = { a = 1 } }\n"
	"slot \"inner\" { channel = \"web\", public = false }\n"
	"rule \"place\" { slot = \"s\", when = { country = { \"CA\", \"DE\" }, language = \"en\" }, show = { b = 1 } }\n"
	"rule \"half\" { slot = \"s\", rollout = 50, when = { logged_in = true }, show = { c = 1 } }\n"
	"rule \"text\" { slot = \"s\", when = any { { traits = { plan = starts_with(\"p\"), age = at_least(18) } }, { page = "
	"contains(\"x\") } },"
	" show = { d = 1 } }\n"
	"rule \"code\" { slot = \"inner\", when = function(v) return v.hour > 12 or #v.page > 3 end,"
	" show = function(v) return { page = v.page, n = v.traits.name } end }\n"
	"guard \"g\" { applies = { uses = \"profile\" }, require = { consent = \"personalization\" }, because = \"law\" }\n";

static struct fw_engine_worker *worker;

static void set_up(void)
{
	char folder[] = "/tmp/fw-fuzz-XXXXXX", file[64], text[] = "rules = \".\" compliance = false workers = 1";
	struct fw_config *config;
	struct fw_engine *engine;
	struct fw_report report;
	struct fw_error err;
	fw_report_init(&report);
	if (!mkdtemp(folder))
		abort();
	snprintf(file, sizeof file, "%s/all.lua", folder);
	if (fw_write_file(file, (struct fw_str){ rules, sizeof rules - 1 }, &err) < 0)
		abort();
	if (fw_config_parse(fw_str(text), "config", folder, &config, &err) < 0 ||
		fw_engine_load(config, &(struct fw_load_steps){ 0 }, &engine, &report) < 0) {
		fprintf(stderr, "%s\n%s\n", err.message, fw_report_text(&report));
		abort();
	}
	fw_remove_tree(folder);
	worker = fw_engine_worker_create(engine, 0, calloc(1, sizeof(struct fw_slot_page)), NULL, NULL, NULL);
	if (!worker)
		abort();
	fw_report_finish(&report);
}

struct answer {
	struct fw_buf text;
	int status;
};

static void on_answer(void *ctx, int status, struct fw_buf *out)
{
	struct answer *a = ctx;
	a->status = status;
	fw_buf_add(&a->text, out->data, out->n);
}

/* The answer's decisions, or its error, as text in the arena. */
static struct fw_str ask(const uint8_t *data, size_t n, bool secret, bool explain, struct fw_arena *a, int *ret_status)
{
	struct fw_engine_ask question = { .secret = secret, .explain = explain, .json = { (const char *)data, n } };
	struct fw_json *answer = NULL;
	struct answer given = { .status = 0 };
	struct fw_buf part;
	struct fw_json_out o;
	fw_buf_init(&given.text, 0);
	fw_buf_init(&part, 0);
	fw_engine_decide(worker, &question, on_answer, &given);
	*ret_status = given.status;
	if (fw_json_parse(a, given.text.data, given.text.n, &answer, NULL) < 0)
		abort();
	const struct fw_json *told = fw_json_get(answer, *ret_status == 200 ? explain ? "slots" : "decisions" : "error");
	if (!told || (*ret_status != 200 && *ret_status != 400 && *ret_status != 413))
		abort();
	fw_json_out_init(&o, &part);
	fw_json_tree(&o, told);
	struct fw_str copy = { fw_arena_strndup(a, part.data, part.n), part.n };
	fw_buf_finish(&part);
	fw_buf_finish(&given.text);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena a;
	int status, again;
	if (!worker)
		set_up();
	fw_arena_init(&a, NULL, 0, 0);
	for (int secret = 0; secret < 2; secret++) {
		struct fw_str first = ask(data, n, secret, false, &a, &status), second = ask(data, n, secret, false, &a, &again);
		if (status != again || !fw_str_equal(first, second))
			abort();
	}
	ask(data, n, true, true, &a, &status);
	fw_engine_turned(worker);
	fw_arena_finish(&a);
	return 0;
}

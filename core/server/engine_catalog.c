/* The catalogue, as the engine has it: loaded with the rules, told of by status and metrics. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/engine_own.h"

static void tell(const struct fw_catalog *c, const char *file)
{
	for (unsigned i = 0; i < c->outcome.n_faults; i++) {
		struct fw_error fault = c->outcome.faults[i];
		snprintf(fault.file, sizeof fault.file, "%s", file);
		fw_log_error(FW_LOG_WARN, "a product of the feed is left out", &fault);
	}
	if (c->outcome.left_out > c->outcome.n_faults) {
		char number[16];
		snprintf(number, sizeof number, "%u", c->outcome.left_out);
		fw_log(FW_LOG_WARN, "products of the feed are left out", "number", number, NULL);
	}
	if (c->is_broken)
		fw_log_error(FW_LOG_ERROR, "the feed is broken; the former products stay", &c->broken);
}

/* Conditions that ask of a product which is not there are never true: somebody wants to know. */
static void tell_unknown(const struct fw_ruleset *set, const struct fw_products *p)
{
	enum { TOLD_MOST = 20 };
	unsigned told = 0;
	for (uint32_t i = 0; i < set->n_refs && told < TOLD_MOST; i++) {
		const struct fw_query *q = &set->refs[i].query;
		char id[FW_LIMIT_KEY_BYTES + 1];
		if (!fw_fact_is_of_product(set->refs[i].fact) || fw_products_find(p, q->key) != FW_NO_PRODUCT)
			continue;
		snprintf(id, sizeof id, "%.*s", (int)q->key.n, q->key.p);
		fw_log(FW_LOG_WARN, "a rule asks of a product that the catalogue does not have", "fact",
			fw_fact_info(set->refs[i].fact)->name, "product", id, NULL);
		told++;
	}
}

int fw_engine_load_catalog(struct fw_engine *e, struct fw_report *report)
{
	const struct fw_config *config = e->config;
	struct fw_error err;
	if (!config->catalog)
		return 0;
	const char *kept = fw_arena_printf(&e->arena, "%s/catalog", config->run);
	const struct fw_catalog_options options = { config->catalog, kept, config->currency };
	int rc = kept ? fw_catalog_load(&options, &e->catalog, &err) : fw_fail(&err, FW_ENOMEM, NULL, 0, "out of memory");
	if (rc < 0) {
		fw_report_add(report, &err);
		return rc;
	}
	tell(e->catalog, config->catalog);
	e->set->products = &e->catalog->products;
	tell_unknown(e->set, e->set->products);
	return 0;
}

struct fw_catalog *fw_engine_catalog(struct fw_engine *e)
{
	return e->catalog;
}

void fw_engine_describe_catalog(const struct fw_engine *e, struct fw_json_out *out)
{
	const struct fw_catalog *c = e->catalog;
	char text[1200];
	fw_json_key(out, "catalog");
	if (!c) {
		fw_json_null(out);
		return;
	}
	const struct fw_products_head *h = c->block;
	const struct {
		const char *name;
		uint64_t n;
	} members[] = { { "products", h->n }, { "leftOut", h->left_out }, { "bytes", h->bytes } };
	fw_json_open_object(out);
	fw_json_key(out, "file");
	fw_json_text_value(out, e->config->catalog);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		fw_json_key(out, members[i].name);
		fw_json_number(out, (double)members[i].n);
	}
	fw_json_key(out, "feedTime");
	fw_json_text_value(out, fw_time_text(h->feed_us, text));
	fw_json_key(out, "broken");
	fw_json_text_value(out, c->is_broken ? fw_error_text(&c->broken, text, sizeof text) : NULL);
	fw_json_close_object(out);
}

static void gauge(struct fw_buf *out, const char *name, const char *help, uint64_t n)
{
	fw_buf_printf(out, "# HELP floorwalker_%s %s\n# TYPE floorwalker_%s gauge\nfloorwalker_%s %" PRIu64 "\n", name, help, name,
		name, n);
}

void fw_engine_catalog_metrics(const struct fw_engine *e, struct fw_buf *out)
{
	if (!e->catalog)
		return;
	const struct fw_products_head *h = e->catalog->block;
	gauge(out, "catalog_products", "Products in the catalogue.", h->n);
	gauge(out, "catalog_left_out", "Products of the feed that could not be used.", h->left_out);
	gauge(out, "catalog_bytes", "Memory of the catalogue, which all workers share.", h->bytes);
	gauge(out, "catalog_told", "Products of which something was told since the feed was written.", e->catalog->products.n_told);
	gauge(out, "catalog_feed_time_seconds", "When the feed that is served was written.", (uint64_t)(h->feed_us / 1000000));
	gauge(out, "catalog_broken", "1: the feed is broken, and the products of the former one are served.", e->catalog->is_broken);
}

#include <getopt.h>
#include <stdio.h>

#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "server/config.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_catalog = {
	.name = "catalog",
	.summary = "read a feed of products as a load would, and say what is wrong in it",
	.usage = "usage: floorwalker catalog [--config FILE] [--json] [FEED]\n\n"
		"Reads FEED, else the configuration's `catalog`, and serves nothing of it. Exit status 1 when it is broken or\n"
		"a product is left out.\n\n"
		"  --config FILE  the configuration, whose currency counts; without any it is EUR\n"
		"  --json         as JSON\n",
	.run = run,
};

static int say(const struct fw_error *err)
{
	char text[1200];
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(err, text, sizeof text));
	return FW_EXIT_NO;
}

static void put_fault(struct fw_json_out *o, const struct fw_error *err)
{
	fw_json_open_object(o);
	fw_json_key(o, "line");
	fw_json_number(o, err->line);
	fw_json_key(o, "message");
	fw_json_text_value(o, err->message);
	fw_json_key(o, "hint");
	fw_json_text_value(o, err->hint[0] ? err->hint : NULL);
	fw_json_close_object(o);
}

/* {"file","products","leftOut","bytes","faults":[{"line","message","hint"}],"broken":{…}|null} */
static void print_json(const char *file, const struct fw_catalog *c, const struct fw_error *broken)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_json_open_object(&o);
	fw_json_key(&o, "file");
	fw_json_text_value(&o, file);
	fw_json_key(&o, "products");
	fw_json_number(&o, c ? c->block->n : 0);
	fw_json_key(&o, "leftOut");
	fw_json_number(&o, c ? c->outcome.left_out : 0);
	fw_json_key(&o, "bytes");
	fw_json_number(&o, c ? (double)c->block->bytes : 0);
	fw_json_key(&o, "faults");
	fw_json_open_array(&o);
	for (unsigned i = 0; c && i < c->outcome.n_faults; i++)
		put_fault(&o, &c->outcome.faults[i]);
	fw_json_close_array(&o);
	fw_json_key(&o, "broken");
	if (broken)
		put_fault(&o, broken);
	else
		fw_json_null(&o);
	fw_json_close_object(&o);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

static void print(const char *file, const struct fw_catalog *c)
{
	uint32_t sold_out = 0, n = c->block->n, told = c->outcome.n_faults;
	for (uint32_t i = 0; i < n; i++)
		sold_out += fw_products_sold_out(&c->products, i);
	for (unsigned i = 0; i < told; i++) {
		struct fw_error fault = c->outcome.faults[i];
		snprintf(fault.file, sizeof fault.file, "%s", file);
		say(&fault);
	}
	if (c->outcome.left_out > told)
		fprintf(stderr, "floorwalker: and %u more\n", c->outcome.left_out - told);
	printf("products %u, out of stock %u, left out %u\n", n, sold_out, c->outcome.left_out);
}

static int look(const char *file, const char *currency, bool json)
{
	const struct fw_catalog_options options = { file, NULL, currency };
	struct fw_catalog *c = NULL;
	struct fw_error err;
	int rc = fw_catalog_load(&options, &c, &err);
	if (json)
		print_json(file, c, rc < 0 ? &err : NULL);
	else if (rc == 0)
		print(file, c);
	else
		say(&err);
	int status = rc < 0 || c->outcome.left_out ? FW_EXIT_NO : FW_EXIT_DONE;
	fw_catalog_destroy(c);
	return status;
}

static int run(int argc, char **argv)
{
	struct fw_plain_options options;
	struct fw_config *config = NULL;
	struct fw_error err;
	if (fw_plain_options_read(&fw_command_catalog, argc, argv, &options) != FW_EXIT_DONE)
		return FW_EXIT_USAGE;
	if (argc - optind > 1)
		return fw_command_misused(&fw_command_catalog, "takes one feed");
	const char *path = fw_config_find(options.config), *given = optind < argc ? argv[optind] : NULL;
	if (path && fw_config_load(path, &config, &err) < 0)
		return say(&err);
	const char *file = given ? given : config ? config->catalog : NULL;
	int status = file ? look(file, config ? config->currency : "EUR", options.json)
		: fw_command_misused(&fw_command_catalog, config ? "the configuration names no catalogue: name a feed"
			: "no configuration here: name a feed, or --config FILE");
	fw_config_destroy(config);
	return status;
}

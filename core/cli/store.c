#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/open.h"
#include "cli/store_copy.h"
#include "cli/stored.h"
#include "message/check.h"
#include "people/check.h"
#include "server/config_store.h"
#include "store/keeper.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_store = {
	.name = "store",
	.summary = "backs up, restores, checks, scrubs or copies the data",
	.usage = "usage: floorwalker store backup TO | restore FROM | check | scrub [--config FILE] [--json]\n"
		"       floorwalker store copy URL [--follow] [--into-existing] [--config FILE] [--json]\n\n"
		"  backup TO      writes a consistent, compact copy into a new folder, while the daemon serves\n"
		"  restore FROM   puts a backup in the place of the data; the daemon must be stopped\n"
		"  check          reads every row, its checksum and what it holds, while the daemon serves\n"
		"  scrub          overwrites what was deleted, on the disk, while the daemon serves\n"
		"  copy URL       copies every row into another store and compares both, while the daemon serves: lmdb:FOLDER,\n"
		"                 redis://HOST, redis-cluster://HOST:PORT,HOST:PORT (and rediss, redis+unix, rediss-cluster);\n"
		"                 a URL with a password stands in a variable, env:NAME, or in a file, file:PATH\n\n"
		"  --follow         goes on copying what changes until the daemon has stopped, or until it is interrupted\n"
		"  --into-existing  the destination holds a former copy: what the source does not have is deleted from it\n"
		"  --config FILE    the configuration that says where the data is\n"
		"  --json           the outcome as JSON\n\n"
		"Exit status 1 when the data is damaged, or it could not be done.\n",
	.run = run,
};

/* What became of it. */
struct outcome {
	const char *action, *folder;
	int rc;
	struct fw_error err;
	struct fw_store_check found;
};

static int check_row(void *ctx, uint32_t bucket, const struct fw_row *row, struct fw_error *err)
{
	int rc = fw_people_check_row(ctx, bucket, row, err);
	return rc < 0 ? rc : fw_message_check_row(ctx, bucket, row, err);
}

static void act(struct outcome *o, const struct fw_store_options *options)
{
	if (strcmp(o->action, "backup") == 0)
		o->rc = fw_keeper_backup(options, o->folder, &o->err);
	else if (strcmp(o->action, "restore") == 0)
		o->rc = fw_keeper_restore(options, o->folder, &o->err);
	else {
		struct fw_arena scratch;
		fw_arena_init(&scratch, NULL, 0, 0);
		o->rc = fw_keeper_check(options, check_row, &scratch, &o->found, &o->err);
		fw_arena_finish(&scratch);
	}
}

static void print_json(const struct outcome *o)
{
	struct fw_buf b;
	struct fw_json_out out;
	fw_buf_init(&b, 0);
	fw_json_out_init(&out, &b);
	fw_json_open_object(&out);
	fw_json_key(&out, "ok");
	fw_json_bool(&out, o->rc == 0);
	if (!o->folder) {
		fw_json_key(&out, "rows");
		fw_json_number(&out, (double)o->found.rows);
		fw_json_key(&out, "bytes");
		fw_json_number(&out, (double)o->found.bytes);
		fw_json_key(&out, "damaged");
		fw_json_number(&out, (double)o->found.damaged);
		fw_json_key(&out, "unreadable");
		fw_json_number(&out, (double)o->found.refused);
	}
	if (o->rc < 0) {
		fw_json_key(&out, "error");
		fw_opened_error_json(&out, &o->err);
	}
	fw_json_close_object(&out);
	puts(fw_buf_text(&b));
	fw_buf_finish(&b);
}

static void print(const struct outcome *o)
{
	if (o->rc < 0)
		fw_opened_print(&o->err);
	if (o->folder && o->rc == 0)
		printf(strcmp(o->action, "backup") == 0 ? "the data is backed up in %s\n" : "the data is that of %s now\n", o->folder);
	else if (!o->folder && (o->rc == 0 || o->found.damaged + o->found.refused > 0))
		printf("%" PRIu64 " rows, %" PRIu64 " bytes; damaged: %" PRIu64 ", unreadable: %" PRIu64 "\n", o->found.rows,
			o->found.bytes, o->found.damaged, o->found.refused);
}

static int tell_scrubbed(const struct fw_plain_options *options, int rc)
{
	struct fw_error err = { 0 };
	if (rc == FW_EBUSY) {
		fw_fail(&err, rc, NULL, 0, "not complete yet: an older state of the data is still being read, or too many ask");
		fw_hint(&err, "it goes on when a backup that runs has ended; ask again then");
	} else if (rc == FW_EFULL) {
		fw_fail(&err, rc, NULL, 0, "not complete: the disk of the data is full");
	} else if (rc < 0) {
		fw_fail(&err, rc, NULL, 0, "what was deleted could not be overwritten: see the keeper's log and `floorwalker store check`");
	}
	if (options->json)
		print_json(&(struct outcome){ .action = "scrub", .folder = "", .rc = rc, .err = err });
	else if (rc < 0)
		fw_opened_print(&err);
	else
		puts("what was deleted is overwritten");
	return rc == 0 ? FW_EXIT_DONE : FW_EXIT_NO;
}

/* By the keeper, which alone writes. */
static int scrub(const struct fw_plain_options *options)
{
	struct fw_stored stored;
	struct fw_stored_wait wait = { 0 };
	int status = fw_stored_open(&stored, options->config);
	if (status == FW_EXIT_DONE) {
		int rc = fw_store_scrub(stored.store, fw_stored_done, &wait);
		status = tell_scrubbed(options, rc < 0 ? rc : fw_stored_answer(&stored, &wait));
	}
	fw_stored_close(&stored);
	return status;
}

/* Where the data is, by the configuration. */
static int find_store(struct fw_arena *a, const char *file, struct fw_store_options *ret, struct fw_error *err)
{
	struct fw_config *c = NULL;
	const char *path = fw_config_find(file);
	if (!path)
		return fw_fail(err, FW_EINVAL, NULL, 0, "no configuration: name it with --config");
	int rc = fw_config_load(path, &c, err);
	if (rc == 0)
		rc = fw_config_store(c, a, ret, err);
	if (rc == 0 && !fw_store_folder(ret->url)) {
		rc = fw_fail(err, FW_EINVAL, path, 0, "the data is in Redis, which has its own backups");
		fw_hint(err, "save a snapshot with redis-cli BGSAVE, or look at it with INFO persistence");
	}
	/* Its texts may be the configuration's. */
	if (rc == 0 && (!(ret->url = fw_arena_strdup(a, ret->url)) || !(ret->socket = fw_arena_strdup(a, ret->socket))))
		rc = fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
	if (rc == 0)
		ret->durability = NULL; /* nothing is committed here */
	fw_config_destroy(c);
	return rc;
}

/* --config and --json, and those of copy. */
static int read_options(int argc, char **argv, struct fw_plain_options *ret, struct fw_store_copy *ret_copy)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "follow", no_argument, NULL, 'f' }, { "into-existing", no_argument, NULL, 'i' }, { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'c')
			ret->config = optarg;
		else if (c == 'j')
			ret->json = true;
		else if (c == 'f')
			ret_copy->follow = true;
		else if (c == 'i')
			ret_copy->into_existing = true;
		else
			return fw_command_misused(&fw_command_store, NULL);
	}
	ret_copy->config = ret->config;
	ret_copy->json = ret->json;
	return FW_EXIT_DONE;
}

/* Of backup, restore and check. */
static int look_after(const char *action, const char *folder, const struct fw_plain_options *options)
{
	struct outcome o = { .action = action, .folder = folder };
	struct fw_store_options where;
	struct fw_arena a;
	fw_arena_init(&a, NULL, 0, 0);
	if ((o.rc = find_store(&a, options->config, &where, &o.err)) == 0)
		act(&o, &where);
	if (options->json)
		print_json(&o);
	else
		print(&o);
	fw_arena_finish(&a);
	return o.rc == 0 ? FW_EXIT_DONE : FW_EXIT_NO;
}

static int run(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool wants; /* an argument */
	} actions[] = { { "backup", true }, { "restore", true }, { "copy", true }, { "check", false }, { "scrub", false } };
	struct fw_plain_options options = { 0 };
	struct fw_store_copy copy = { 0 };
	size_t i = 0, n = sizeof actions / sizeof *actions;
	if (read_options(argc, argv, &options, &copy) != FW_EXIT_DONE)
		return FW_EXIT_USAGE;
	while (i < n && (optind == argc || strcmp(argv[optind], actions[i].name) != 0))
		i++;
	if (i == n)
		return fw_command_misused(&fw_command_store, "it is backup TO, restore FROM, copy URL, check or scrub");
	const char *action = actions[i].name;
	bool copies = strcmp(action, "copy") == 0;
	if (argc - optind != (actions[i].wants ? 2 : 1))
		return fw_command_misused(&fw_command_store, copies ? "it wants one URL" : actions[i].wants ? "it wants one folder"
			: "check and scrub take no arguments");
	if (!copies && (copy.follow || copy.into_existing))
		return fw_command_misused(&fw_command_store, "--follow and --into-existing are for copy");
	copy.to = argv[optind + 1];
	if (copies)
		return fw_store_copy(&copy);
	if (strcmp(action, "scrub") == 0)
		return scrub(&options);
	return look_after(action, argv[optind + 1], &options);
}

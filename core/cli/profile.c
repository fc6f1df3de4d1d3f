#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/profile.h"
#include "people/audit.h"
#include "server/rights.h"

static int run(int argc, char **argv);

const struct fw_command fw_command_profile = {
	.name = "profile",
	.summary = "what is known of a person, all of it; and its undoing",
	.usage = "usage: floorwalker profile show ID [--timeline]\n"
		"       floorwalker profile export ID\n"
		"       floorwalker profile merges ID\n"
		"       floorwalker profile merge ONE OTHER [--yes]\n"
		"       floorwalker profile unmerge ID [NUMBER]\n"
		"       floorwalker profile restrict ID [--off]\n"
		"       floorwalker profile erase ID [--yes]\n"
		"       floorwalker profile receipt RECEIPT\n\n"
		"ID is a userId, or anonymous:, email:, phone: or external: and what comes behind it.\n\n"
		"  show      what is known of the person; with --timeline what the person did last, newest first\n"
		"  export    everything that is kept, as one line of JSON, for the person to have\n"
		"  merges    who became part of the person, and until when that can be undone\n"
		"  merge     makes two people one; says first what they would be, and asks\n"
		"  unmerge   undoes the merge of that number, or the latest\n"
		"  restrict  the person is kept and used for nothing; with --off used again\n"
		"  erase     the person goes, for good; asks first, and prints the receipt\n"
		"  receipt   what became of an erasure\n\n"
		"  --yes          does not ask\n"
		"  --json         as one line of JSON\n"
		"  --config FILE  the configuration (default: ./floorwalker.lua, /etc/floorwalker/floorwalker.lua)\n\n"
		"Each writes a line (merge: one for each of the two) to the log that is configured, else to stderr,"
		" with a keyed hash in place of the id.\n\n"
		"Exit status: 0; 1 when nobody is known by this id, or it could not be done; 2 when it was asked for wrongly.\n",
	.run = run,
};

static const struct action {
	const char *name, *wants;
	int least, most; /* arguments */
	int (*run)(struct fw_profile_job *j);
} actions[] = {
	{ "show", "write profile show ID", 1, 1, fw_profile_show },
	{ "export", "write profile export ID", 1, 1, fw_profile_export_all },
	{ "merges", "write profile merges ID", 1, 1, fw_profile_list_merges },
	{ "merge", "write profile merge ONE OTHER", 2, 2, fw_profile_merge },
	{ "unmerge", "write profile unmerge ID, and the number of a merge", 1, 2, fw_profile_unmerge },
	{ "restrict", "write profile restrict ID", 1, 1, fw_profile_restrict },
	{ "erase", "write profile erase ID", 1, 1, fw_profile_erase },
	{ "receipt", "write profile receipt, and the id of an erasure", 1, 1, fw_profile_receipt },
};

int fw_profile_nobody(void)
{
	fputs("floorwalker: " FW_RIGHTS_NOBODY "; " FW_RIGHTS_IDS "\n", stderr);
	return FW_EXIT_NO;
}

int fw_profile_failed(int rc)
{
	if (rc == FW_ENOENT)
		return fw_profile_nobody();
	fprintf(stderr, "floorwalker: %s\n", rc == FW_EFULL ? "the store's disk is full; make room and try again"
		: rc == FW_EAWAY || rc == FW_EBUSY ? "the store is out of reach, or busy; try again"
		: rc == FW_ENOMEM ? "out of memory" : "the store cannot be read or written; try floorwalker store check");
	return FW_EXIT_NO;
}

void fw_profile_audit(struct fw_profile_job *j, const char *action, const struct fw_person_id *id)
{
	struct fw_stored_wait wait = { 0 };
	fflush(stdout);
	fw_people_audit(j->stored.people, action, id, "command", fw_stored_done, &wait);
	fw_stored_wait(&j->stored, &wait.done);
}

void fw_profile_pause(struct fw_profile_job *j, int ms)
{
	const struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	event_base_loopexit(j->stored.base, &tv);
	event_base_dispatch(j->stored.base);
}

int fw_profile_confirm(const struct fw_profile_job *j, const char *question)
{
	char answer[16] = "";
	if (j->yes)
		return FW_EXIT_DONE;
	if (!isatty(STDIN_FILENO)) {
		fputs("floorwalker: there is nobody to ask; write --yes if it is meant\n", stderr);
		return FW_EXIT_USAGE;
	}
	fprintf(stderr, "%s [yes/no] ", question);
	if (fgets(answer, sizeof answer, stdin) && (strcmp(answer, "yes\n") == 0 || strcmp(answer, "y\n") == 0))
		return FW_EXIT_DONE;
	fputs("floorwalker: nothing was done\n", stderr);
	return FW_EXIT_NO;
}

static int misused(const char *cause)
{
	return fw_command_misused(&fw_command_profile, cause);
}

static int read_number(const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (errno || *end || end == text || n == 0 || text[0] == '-')
		return misused("the number of a merge is a whole number from 1; profile merges lists them");
	*ret = n;
	return FW_EXIT_DONE;
}

static int read_ids(struct fw_profile_job *j, const struct action *a)
{
	struct fw_error err;
	char text[1200];
	if (a->run == fw_profile_receipt)
		return FW_EXIT_DONE;
	for (int i = 0; i < 2 && j->texts[i]; i++) {
		if (i == 1 && a->run == fw_profile_unmerge)
			return read_number(j->texts[i], &j->number);
		if (fw_person_id_parse(&j->arena, fw_str(j->texts[i]), i ? &j->other : &j->id, &err) < 0)
			return misused(fw_error_text(&err, text, sizeof text));
	}
	return FW_EXIT_DONE;
}

/* The audit belongs where the daemon writes, too. */
static void open_log(const struct fw_config *c)
{
	struct fw_error err;
	fw_log_role("command");
	if (c->log_file && fw_log_open(c->log_file, c->log_level, &err) < 0)
		fw_log_error(FW_LOG_WARN, "what is done is told here", &err);
}

static int act(struct fw_profile_job *j, const struct action *a, const char *config)
{
	int status = read_ids(j, a);
	if (status != FW_EXIT_DONE)
		return status;
	status = fw_stored_open(&j->stored, config);
	if (status == FW_EXIT_DONE) {
		open_log(j->stored.config);
		status = a->run(j);
	}
	fw_stored_close(&j->stored);
	return status;
}

static const struct action *find_action(const char *word)
{
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (strcmp(word, actions[i].name) == 0)
			return &actions[i];
	return NULL;
}

static int unknown(const char *word)
{
	enum { N = sizeof actions / sizeof *actions };
	const char *names[N];
	char cause[160];
	for (size_t i = 0; i < N; i++)
		names[i] = actions[i].name;
	const char *nearest = fw_nearest(word, names, N);
	snprintf(cause, sizeof cause, "there is no \"%.40s\"%s%s%s", word, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		nearest ? "\"?" : "; write show, export, merges, merge, unmerge, restrict, erase or receipt");
	return misused(cause);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "timeline", no_argument, NULL, 't' }, { "yes", no_argument, NULL, 'y' }, { "off", no_argument, NULL, 'o' }, { 0 } };
	struct fw_profile_job j = { 0 };
	const char *config = NULL;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'j': j.json = true; break;
		case 't': j.timeline = true; break;
		case 'y': j.yes = true; break;
		case 'o': j.off = true; break;
		default: return misused(NULL);
		}
	}
	const struct action *a = optind < argc ? find_action(argv[optind]) : NULL;
	int n = argc - optind - 1;
	if (!a)
		return optind < argc ? unknown(argv[optind]) : misused("what about whom?");
	if (n < a->least || n > a->most)
		return misused(a->wants);
	for (int i = 0; i < n; i++)
		j.texts[i] = argv[optind + 1 + i];
	if ((j.timeline && a->run != fw_profile_show) || (j.off && a->run != fw_profile_restrict) ||
			(j.yes && a->run != fw_profile_merge && a->run != fw_profile_erase))
		return misused(j.timeline ? "--timeline goes with show" : j.off ? "--off goes with restrict"
			: "--yes goes with merge and erase");
	fw_arena_init(&j.arena, NULL, 0, 0);
	int status = act(&j, a, config);
	fw_arena_finish(&j.arena);
	return status;
}

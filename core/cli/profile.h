/* What the subcommands of `profile` share: one file a family. */
#ifndef FW_CLI_PROFILE_H
#define FW_CLI_PROFILE_H

#include "base/json.h"
#include "cli/stored.h"

struct fw_profile_job {
	struct fw_stored stored;
	struct fw_arena arena;   /* of ids and answers */
	const char *texts[2];    /* the arguments, as they were written */
	struct fw_person_id id, other;
	uint64_t number;         /* of a merge; 0: the latest */
	bool json, timeline, yes, off;
};

/* Each answers an exit status. */
int fw_profile_show(struct fw_profile_job *j);
int fw_profile_export_all(struct fw_profile_job *j);
int fw_profile_list_merges(struct fw_profile_job *j);
int fw_profile_merge(struct fw_profile_job *j);
int fw_profile_unmerge(struct fw_profile_job *j);
int fw_profile_erase(struct fw_profile_job *j);
int fw_profile_restrict(struct fw_profile_job *j);
int fw_profile_receipt(struct fw_profile_job *j);

/* Reads a person's record; n 0: nobody goes by the id. FW_EXIT_DONE, or FW_EXIT_NO when it cannot be read, which is said. */
int fw_profile_load(struct fw_profile_job *j, const struct fw_person_id *id, struct fw_str *ret);
/* Nobody goes by the id: says so. What the store says. Both return FW_EXIT_NO. */
int fw_profile_nobody(void);
int fw_profile_failed(int rc);
/* A tree for people, or as it is. */
int fw_profile_print(struct fw_profile_job *j, const struct fw_buf *json);
/* FW_EXIT_DONE: whoever sits at the terminal says yes, or --yes did; FW_EXIT_NO: no; FW_EXIT_USAGE: there is nobody to ask. */
int fw_profile_confirm(const struct fw_profile_job *j, const char *question);
/* The audit's line about one of the job's ids. */
void fw_profile_audit(struct fw_profile_job *j, const char *action, const struct fw_person_id *id);
/* Waits, while the store's answers are taken. */
void fw_profile_pause(struct fw_profile_job *j, int ms);

#endif

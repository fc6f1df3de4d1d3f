/* The files of a rule set, read once into memory. */
#ifndef FW_RULES_FILES_H
#define FW_RULES_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Where the templates of a rule folder are. */
#define FW_TEMPLATES_FOLDER "templates/"

enum { FW_FILES_DEEPEST = 16 }; /* so deep folders may be nested */

struct fw_file {
	char *name; /* relative to its folder */
	char *text; /* terminated */
	size_t n;
	bool compliance;
};

struct fw_files {
	struct fw_file *items;
	uint32_t n, size;
};

/* Reads every *.lua below the folder, except floorwalker.lua and names that begin with "." or "_", sorted by name; of rule files also
 * *.html, *.txt and *.sms below templates/, "_" or not. 0, FW_ENOMEM, FW_ELIMIT or FW_EIO, with the message. */
int fw_files_read(struct fw_files *files, const char *folder, bool compliance, struct fw_error *err);
/* Whether a folder that is read may hold a file of such a name: not what an editor leaves beside one. */
bool fw_file_may_be_read(const char *name);
/* A copy of a file that is in memory already. 0 or FW_ENOMEM. */
int fw_files_add(struct fw_files *files, const char *name, const char *text, size_t n, bool compliance);
void fw_files_finish(struct fw_files *files);
/* A template, and no rule file. */
bool fw_file_is_template(const struct fw_file *file);
/* A number that only who knows the files' text can know. */
uint64_t fw_files_secret(const struct fw_files *files);
/* XXH3 (128 bits) over names and contents, 32 hexadecimal digits: the rule-set hash. */
void fw_files_hash(const struct fw_files *files, char hash[33]);

#endif

/* Undoing a merge: whoever was absorbed is a person of its own again, with the record of then; what that record had brought is
 * taken out of the other's, and what came since stays in the other's, whichever id was asked for (profile/README.md "Splitting"). */
#ifndef FW_PEOPLE_UNDO_H
#define FW_PEOPLE_UNDO_H

#include "people/people.h"

/* `id` is anything that the person goes by, `number` that of the merge among those of its record (fw_record_merge_at; 0: the
 * latest, so whoever may have to ask again names it). Both ids as fw_person_id_parse has them. rc: 0; FW_ENOENT: there is no such
 * person or merge, or what was kept of it has had its time; else as fw_people_done. */
void fw_people_unmerge(struct fw_people *p, const struct fw_person_id *id, uint64_t number, int64_t now_us, fw_people_done done, void *ctx);

/* What two people would be as one, in memory: a record's bytes in the arena. `refused` (NULL: they may) says why they will not become one.
 * rc 0, FW_ENOENT: one of them is nobody; else as fw_people_done. */
typedef void (*fw_people_previewed)(void *ctx, int rc, const char *refused, struct fw_str record);
void fw_people_preview_merge(struct fw_people *p, const struct fw_person_id *one, const struct fw_person_id *other, struct fw_arena *arena,
	fw_people_previewed done, void *ctx);
/* Makes two people one, because somebody who may says so: told to `one`'s row as any id is. Done when it is written; the rest follows. */
void fw_people_merge(struct fw_people *p, const struct fw_person_id *one, const struct fw_person_id *other, int64_t now_us,
	fw_people_done done, void *ctx);

#endif

#include "profile/own.h"

int fw_record_split(struct fw_record *from, const struct fw_record *before, const struct fw_record *absorbed)
{
	(void)before;
	for (uint32_t i = 0; i < absorbed->merges.n; i++) {
		const struct fw_merge *m = &absorbed->merges.items[i];
		fw_record_forget_merge(from, m->kind, m->id, m->number);
	}
	for (uint32_t i = 0; i < absorbed->ids.n; i++)
		fw_record_remove_id(from, absorbed->ids.items[i].kind, absorbed->ids.items[i].text);
	return 0;
}

#include "server/config_store.h"

#include <string.h>

static const char scheme[] = "lmdb:";

int fw_config_store(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err)
{
	const char *url = config->store ? config->store : "lmdb:var/data", *folder = url + sizeof scheme - 1;
	if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
		fw_fail(err, FW_EINVAL, config->file, 0, "this version keeps its data in LMDB only");
		fw_hint(err, "write store = \"lmdb:var/data\"");
		return FW_EINVAL;
	}
	if (config->durability && strcmp(config->durability, "commit") != 0 && strcmp(config->durability, "interval") != 0) {
		fw_fail(err, FW_EINVAL, config->file, 0, "durability \"%s\" is not one of LMDB's", config->durability);
		fw_hint(err, "write \"commit\" or \"interval\"");
		return FW_EINVAL;
	}
	*ret = (struct fw_store_options){
		.url = folder[0] == '/' ? url : fw_arena_printf(a, "%s%s/%s", scheme, config->folder, folder),
		.socket = fw_arena_printf(a, "%s/keeper.sock", config->run),
		.durability = config->durability ? config->durability : "commit",
	};
	return ret->url && ret->socket ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

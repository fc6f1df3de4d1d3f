#include "server/config_store.h"

int fw_config_store(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err)
{
	*ret = (struct fw_store_options){
		.url = config->store,
		.socket = fw_arena_printf(a, "%s/keeper.sock", config->run),
		.durability = config->durability,
	};
	return ret->socket ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

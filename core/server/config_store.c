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

int fw_config_spool(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err)
{
	if (!config->spool)
		return FW_ENOENT;
	*ret = (struct fw_store_options){
		.url = fw_arena_printf(a, "lmdb:%s", config->spool),
		.socket = fw_arena_printf(a, "%s/spool.sock", config->run),
		.durability = "commit",
	};
	return ret->url && ret->socket ? 0 : fw_fail(err, FW_ENOMEM, NULL, 0, "out of memory");
}

int fw_config_kept(const struct fw_config *config, struct fw_arena *a, struct fw_store_options *ret, struct fw_error *err)
{
	return fw_store_folder(config->store) ? fw_config_store(config, a, ret, err) : fw_config_spool(config, a, ret, err);
}

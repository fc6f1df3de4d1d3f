/* What the configuration says of signals: for the engine and for commands that read events. */
#ifndef FW_SERVER_CONFIG_SIGNALS_H
#define FW_SERVER_CONFIG_SIGNALS_H

#include "server/config.h"
#include "signal/signal.h"

/* Texts stay those of the configuration, lists lie in the arena. 0 or FW_ENOMEM. */
int fw_config_signals(const struct fw_config *config, struct fw_arena *a, struct fw_signal_config *ret);

#endif

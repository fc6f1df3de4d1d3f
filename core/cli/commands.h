/* Every subcommand, for main.c's table. */
#ifndef FW_CLI_COMMANDS_H
#define FW_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct fw_command fw_command_serve;
extern const struct fw_command fw_command_check;
extern const struct fw_command fw_command_test;
extern const struct fw_command fw_command_catalog;
extern const struct fw_command fw_command_definitions;
extern const struct fw_command fw_command_decide;
extern const struct fw_command fw_command_explain;
extern const struct fw_command fw_command_replay;
extern const struct fw_command fw_command_report;
extern const struct fw_command fw_command_reload;
extern const struct fw_command fw_command_rollback;
extern const struct fw_command fw_command_status;
extern const struct fw_command fw_command_import;
extern const struct fw_command fw_command_profile;
extern const struct fw_command fw_command_letters;
extern const struct fw_command fw_command_messages;
extern const struct fw_command fw_command_store;

#endif

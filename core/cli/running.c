#include "cli/running.h"

#include <stdio.h>

#include "cli/command.h"
#include "server/config.h"
#include "server/control.h"

int fw_running_ask(struct fw_running *r, const char *config, const char *command)
{
	struct fw_config *c = NULL;
	struct fw_error err;
	char text[1200];
	fw_buf_init(&r->text, 0);
	fw_arena_init(&r->arena, NULL, 0, 0);
	r->answer = NULL;
	if (!(config = fw_config_find(config))) {
		fputs("floorwalker: no configuration: name it with --config\n", stderr);
		return FW_EXIT_NO;
	}
	int rc = fw_config_load(config, &c, &err);
	if (rc == 0)
		rc = fw_control_ask(c->run, command, &r->text, &err);
	if (rc == 0)
		rc = fw_json_parse(&r->arena, r->text.data, r->text.n, &r->answer, &err);
	fw_config_destroy(c);
	if (rc == 0)
		return FW_EXIT_DONE;
	fprintf(stderr, "floorwalker: %s\n", fw_error_text(&err, text, sizeof text));
	return FW_EXIT_NO;
}

void fw_running_finish(struct fw_running *r)
{
	fw_buf_finish(&r->text);
	fw_arena_finish(&r->arena);
}

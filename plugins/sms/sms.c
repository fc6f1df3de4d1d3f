/* The SMS channel: the descriptor, and the instance in a worker. */
#include "sms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/problem.h"

static const struct fw_plugin_route routes[] = {
	{ "/sms/report/kannel/", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, sms_report_kannel },
	{ "/sms/report/twilio/", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, sms_report_twilio },
	{ "/sms/in/kannel", FW_PLUGIN_GET, FW_PLUGIN_ACCESS_ANY, sms_in_kannel },
	{ "/sms/in/twilio", FW_PLUGIN_POST, FW_PLUGIN_ACCESS_ANY, sms_in_twilio },
	{ NULL, 0, 0, NULL },
};

static const struct fw_plugin_metric metrics[] = {
	[SMS_METRIC_ACCEPTED] = { "accepted_total", "Messages that the gateway took.", 0 },
	[SMS_METRIC_SEGMENTS] = { "segments_total", "Segments of the messages that the gateway took.", 0 },
	[SMS_METRIC_REFUSED] = { "refused_total", "Messages that are not to be tried again: too long, no text, or refused.", 0 },
	[SMS_METRIC_REPORTS] = { "reports_total", "Delivery reports.", 0 },
	[SMS_METRIC_STOPS] = { "stops_total", "Opt-outs by message, or told by the gateway.", 0 },
	[SMS_METRIC_PHRASES] = { "phrase_stops_total", "Those of them in other words than a keyword.", 0 },
	[SMS_METRIC_STARTS] = { "starts_total", "Opt-ins by message.", 0 },
	[SMS_METRIC_HELPS] = { "helps_total", "Messages that ask for help.", 0 },
	[SMS_METRIC_REPLIES] = { "replies_total", "Confirmations and help that the gateway took.", 0 },
	{ NULL, NULL, 0 },
};

void sms_log(const struct fw_host *host, int level, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	host->log(host, level, line);
}

static int configure(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_problem *problem)
{
	struct sms_settings settings;
	return sms_settings_read(host, config, &settings, problem);
}

static int start(const struct fw_host *host, struct fw_plugin_text config, struct fw_plugin_instance **ret_self,
	struct fw_plugin_problem *problem)
{
	struct fw_plugin_instance *self = calloc(1, sizeof *self);
	if (!self)
		return common_refuse(problem, "", "out of memory");
	self->host = host;
	if (sms_settings_read(host, config, &self->settings, problem) < 0) {
		free(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static void stop(struct fw_plugin_instance *self)
{
	sms_sendings_finish(self);
	free(self);
}

FW_PLUGIN_EXPORT extern const struct fw_plugin floorwalker_plugin;
const struct fw_plugin floorwalker_plugin = {
	.magic = FW_PLUGIN_MAGIC,
	.abi_major = FW_PLUGIN_ABI_MAJOR,
	.abi_minor = 5,
	.struct_size = sizeof(struct fw_plugin),
	.name = "sms",
	.build_id = "0.1.0",
	.routes = routes,
	.metrics = metrics,
	.configure = configure,
	.start = start,
	.stop = stop,
	.deliver = sms_deliver,
	.preview = sms_preview,
};

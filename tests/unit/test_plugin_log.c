/* The plugin log delivers into its file, with a host that does just what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "../../plugins/log/log.c"

static char path[] = "/tmp/fw-log-XXXXXX";
static int64_t written;

static const char *config_path(const struct fw_host *host, const char *key, const char *otherwise)
{
	(void)host;
	return strcmp(key, "file") == 0 ? path : otherwise;
}

static void metric_add(const struct fw_host *host, unsigned index, int64_t n)
{
	(void)host;
	assert_int_equal(index, METRIC_WRITTEN);
	written += n;
}

static struct fw_plugin_message message(const char *id, unsigned attempt, const char *json)
{
	return (struct fw_plugin_message){ sizeof(struct fw_plugin_message), attempt, id, "a@shop.example", { json, strlen(json) }, 0 };
}

static void test_lines_are_appended(void **state)
{
	struct fw_host host = { .config_path = config_path, .metric_add = metric_add };
	struct fw_plugin_problem problem = { .message = "" };
	struct fw_plugin_instance *self = NULL;
	struct fw_plugin_message first = message("m-1", 1, "{\"rule\":\"cart-reminder\"}");
	struct fw_plugin_message second = message("m-2", 3, "{\"rule\":\"news\"}");
	char text[512];
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(floorwalker_plugin.start(&host, (struct fw_plugin_text){ "{}", 2 }, &self, &problem), 0);
	assert_int_equal(floorwalker_plugin.deliver(self, &first, &problem), FW_PLUGIN_DELIVERED);
	assert_int_equal(floorwalker_plugin.deliver(self, &second, &problem), FW_PLUGIN_DELIVERED);
	ssize_t n = read(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_string_equal(text, "{\"id\":\"m-1\",\"attempt\":1,\"message\":{\"rule\":\"cart-reminder\"}}\n"
		"{\"id\":\"m-2\",\"attempt\":3,\"message\":{\"rule\":\"news\"}}\n");
	assert_int_equal(written, 2);
	close(fd);
	unlink(path);

	/* The file's folder is gone: later, perhaps, and with the reason. */
	memcpy(path, "/dev/nul/", 9);
	assert_int_equal(floorwalker_plugin.deliver(self, &first, &problem), FW_PLUGIN_RETRY);
	assert_non_null(strstr(problem.message, "cannot be written: "));
	assert_int_equal(written, 2);
	floorwalker_plugin.stop(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines_are_appended) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

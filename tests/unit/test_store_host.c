/* Who may run keepers of the data: one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <sys/un.h>

#include "lib_store.h"
#include "store/keeper_lock.h"

/* Whether whoever connects by the socket's path comes to this listener. */
static bool leads_here(const struct store_test *t, int listener)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, t->socket, strlen(t->socket));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (struct sockaddr *)&a, sizeof a), accepted = rc == 0 ? accept(listener, NULL, NULL) : -1;
	if (accepted >= 0)
		close(accepted);
	close(fd);
	return accepted >= 0;
}

/* Keeps the data for a moment, again and again. 0: each time alone. */
static int host_again_and_again(const struct store_test *t, unsigned rounds)
{
	struct fw_error err = { 0 };
	for (unsigned i = 0; i < rounds; i++) {
		int host, listener;
		if (fw_keeper_host(&t->options, &host, &err) < 0 || fw_keeper_bind(&t->options, &listener, &err) < 0) {
			fprintf(stderr, "%s\n", err.message);
			return 1;
		}
		usleep(3000); /* what it keeps the data for */
		bool alone = leads_here(t, listener);
		close(listener);
		close(host);
		if (!alone)
			return 2;
		usleep(5000); /* another command begins later than this one ends */
	}
	return 0;
}

/* Commands that come at once where no daemon runs: each would keep the data, and one after the other does. Seen failing with
 * FW_BREAK_HOST. */
static void test_hosts_take_turns(void **state)
{
	(void)state;
	struct store_test t;
	pid_t others[3];
	store_test_init(&t, NULL);
	for (int i = 0; i < 3; i++)
		if ((others[i] = fork()) == 0)
			_exit(host_again_and_again(&t, getenv("FW_LONG") ? 200 : 20));
	for (int i = 0; i < 3; i++) {
		int status = 1;
		waitpid(others[i], &status, 0);
		assert_int_equal(status, 0);
	}
	store_test_finish(&t);
}

/* Whoever keeps it for longer is named to others. */
static void test_host_is_named(void **state)
{
	(void)state;
	struct store_test t;
	struct fw_error err = { 0 };
	int status = 1, host, ready[2];
	char byte;
	store_test_init(&t, NULL);
	assert_int_equal(pipe(ready), 0);
	pid_t other = fork();
	if (other == 0) {
		if (fw_keeper_host(&t.options, &host, &err) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(fw_keeper_lock_host(t.data, 10, &host, &err), FW_EBUSY);
	char who[32];
	snprintf(who, sizeof who, "process %d ", (int)other);
	assert_non_null(strstr(err.message, who));
	assert_non_null(strstr(err.hint, "wait for its end"));
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
	assert_int_equal(fw_keeper_host(&t.options, &host, &err), 0);
	close(host);
	close(ready[0]);
	close(ready[1]);
	store_test_finish(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_take_turns),
		cmocka_unit_test(test_host_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* URLs of a Redis, and the tags of buckets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/redis_tag.h"
#include "store/redis_url.h"
#include "store/store.h"

static void check(const char *url, bool cluster, bool tls, const char *user, const char *password, unsigned database, const char *hosts)
{
	struct fw_arena a;
	struct fw_redis_url u;
	struct fw_error err = { 0 };
	char text[300] = "";
	fw_arena_init(&a, NULL, 0, 0);
	if (fw_redis_url_parse(&a, url, &u, &err) < 0)
		fail_msg("%s: %s", url, err.message);
	assert_true(u.cluster == cluster && u.tls == tls && u.database == database);
	assert_string_equal(u.user ? u.user : "", user);
	assert_string_equal(u.password ? u.password : "", password);
	for (unsigned i = 0; i < u.n_hosts; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %u", i ? ", " : "", u.hosts[i].name, u.hosts[i].port);
	assert_string_equal(text, hosts);
	assert_true(fw_redis_url_is_cluster(url) == cluster);
	assert_string_equal(fw_store_durability_for(url, NULL), cluster ? "replicated" : "server");
	assert_null(fw_store_folder(url));
	fw_arena_finish(&a);
}

static void test_urls(void **state)
{
	(void)state;
	check("redis://localhost", false, false, "", "", 0, "localhost 6379");
	check("redis://my-cluster:6379", false, false, "", "", 0, "my-cluster 6379"); /* took every batch for unconfirmed */
	check("redis://127.0.0.1:7000/3", false, false, "", "", 3, "127.0.0.1 7000");
	check("redis://:secret@h", false, false, "", "secret", 0, "h 6379");
	check("redis://secret@h", false, false, "", "secret", 0, "h 6379");
	check("redis://shop:p%40ss%2F%3aword@h:1/0", false, false, "shop", "p@ss/:word", 0, "h 1");
	check("rediss://shop:secret@[::1]:6380", false, true, "shop", "secret", 0, "::1 6380");
	check("rediss://h?ca=/etc/ca.pem&cert=/c&key=/k", false, true, "", "", 0, "h 6379");
	check("redis+unix:/run/redis/redis.sock", false, false, "", "", 0, "/run/redis/redis.sock 0");
	check("redis+unix:/run/a%20b?db=2", false, false, "", "", 2, "/run/a b 0");
	check("redis+unix://shop:secret@/run/s", false, false, "shop", "secret", 0, "/run/s 0");
	check("redis-cluster://a:7000,b:7001,10.0.0.3", true, false, "", "", 0, "a 7000, b 7001, 10.0.0.3 6379");
	check("rediss-cluster://shop:se%2Ccret@a:7000,[::2]:7001?ca=/ca", true, true, "shop", "se,cret", 0, "a 7000, ::2 7001");
}

static void test_refused(void **state)
{
	static const char *const urls[] = { "", "redis:", "redis://", "redis://:@", "redis://h:0", "redis://h:99999", "redis://h/x",
		"redis://h/-1",
		"redis://shop:@h", "redis://h?ca=/f", "redis://h#x", "rediss://h?ca=relative", "rediss://h?password=x", "redis+unix:",
		"redis+unix:relative",
		"redis+unix://host/run/s", "redis-cluster://", "redis-cluster://a,,b", "redis-cluster://a:1,", "redis-cluster://a:7000/1",
		"redis-cluster://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "redis://a b", "lmdb:/data", "http://h" };
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct fw_arena a;
		struct fw_redis_url u;
		struct fw_error err = { 0 };
		fw_arena_init(&a, NULL, 0, 0);
		if (fw_redis_url_parse(&a, urls[i], &u, &err) == 0)
			fail_msg("\"%s\" is taken", urls[i]);
		assert_true(err.message[0] && err.hint[0]);
		fw_arena_finish(&a);
	}
}

static void test_durability(void **state)
{
	(void)state;
	assert_string_equal(fw_store_durability_for("lmdb:/data", NULL), "commit");
	assert_string_equal(fw_store_durability_for("lmdb:/data", "interval"), "interval");
	assert_string_equal(fw_store_durability_for("redis://h", "replicated"), "replicated");
	assert_string_equal(fw_store_durability_for("redis-cluster://h", "server"), "server");
	assert_null(fw_store_durability_for("lmdb:/data", "server"));
	assert_null(fw_store_durability_for("redis://h", "commit"));
	assert_string_equal(fw_store_folder("lmdb:/data"), "/data");
	assert_null(fw_store_folder("lmdb:"));
}

/* The specification's own vector; then every bucket's tag lies in its sixteen slots, and is the least. */
static void test_tags(void **state)
{
	uint32_t tags[FW_STORE_BUCKETS];
	char text[16];
	(void)state;
	assert_int_equal(fw_redis_slot(FW_STR("123456789")), 0x31c3);
	assert_int_equal(fw_redis_slot(FW_STR("foo")), 12182); /* as CLUSTER KEYSLOT says */
	fw_redis_tags(tags);
	for (unsigned b = 0; b < FW_STORE_BUCKETS; b++) {
		snprintf(text, sizeof text, "%u", (unsigned)tags[b]);
		assert_int_equal(fw_redis_slot(fw_str(text)) / FW_REDIS_SLOTS_A_BUCKET, b);
		for (uint32_t n = 0; n < tags[b]; n++) {
			snprintf(text, sizeof text, "%u", (unsigned)n);
			assert_int_not_equal(fw_redis_slot(fw_str(text)) / FW_REDIS_SLOTS_A_BUCKET, b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_urls), cmocka_unit_test(test_refused), cmocka_unit_test(test_durability),
		cmocka_unit_test(test_tags) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

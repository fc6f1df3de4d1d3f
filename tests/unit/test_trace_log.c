/* The decision log: what is written is read again as it was, whatever befalls the files; who puts never waits; and without the key
 * nobody reads what is of a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/folder.h"
#include "base/limits.h"
#include "lib_names.h"
#include "lib_temporary.h"
#include "trace/decision_log.h"
#include "trace/log_find.h"
#include "trace/log_ring.h"
#include "trace/log_sets.h"

enum { DECISIONS = 40 };

static struct fw_facts some_facts(struct fw_arena *a)
{
	static const struct fw_str consents[] = { FW_STR_ENTRY("Analytics"), FW_STR_ENTRY("email") };
	static const double hours[] = { 7, 8, 9.5 };
	struct fw_facts f;
	fw_facts_init(&f, a, true);
	f.has_clock = true;
	f.now_us = INT64_C(1795435200000000);
	f.objects = true;
	f.consent_basis = FW_CONSENT_BASIS_TOLD;
	fw_facts_text(&f, FW_FACT_COUNTRY, FW_STR("CA"));
	fw_facts_number(&f, FW_FACT_CART_TOTAL, 12.25);
	fw_facts_number(&f, FW_FACT_VISITS, -3);
	fw_facts_bool(&f, FW_FACT_IN_EU, true);
	fw_facts_bool(&f, FW_FACT_LOGGED_IN, false);
	fw_facts_several(&f, FW_FACT_HOUR, hours, 3);
	fw_facts_set(&f, FW_FACT_CONSENT, consents, 2);
	f.single[FW_FACT_CITY].state = FW_OUT_OF_REACH;
	f.traits = FW_NEW_ARRAY(a, 2, struct fw_member);
	f.n_traits = 2;
	f.traits[0].name = FW_STR("plan");
	fw_value_text(a, FW_STR("Pro"), &f.traits[0].value);
	f.traits[1].name = FW_STR("none"); /* it has no value */
	return f;
}

static char *json_of(const struct fw_facts *f)
{
	struct fw_buf b;
	struct fw_json_out o;
	fw_buf_init(&b, 0);
	fw_json_out_init(&o, &b);
	fw_facts_write(&o, f);
	char *text = strdup(fw_buf_text(&b));
	fw_buf_finish(&b);
	return text;
}

static struct fw_str packed_facts(struct fw_arena *a)
{
	struct fw_facts f = some_facts(a);
	struct fw_str ret;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_facts_pack(&f, &b);
	assert_int_equal(fw_buf_keep(&b, a, &ret), 0);
	return ret;
}

/* A block of exactly so many bytes, so that a sanitizer sees the first one read beyond. */
static struct fw_str cut(struct fw_str bytes, size_t n)
{
	char *copy = malloc(n ? n : 1);
	memcpy(copy, bytes.p, n);
	return (struct fw_str){ copy, n };
}

static void test_facts(void **state)
{
	struct fw_arena a;
	struct fw_facts again;
	(void)state;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_facts f = some_facts(&a);
	struct fw_facts_names names = current_names(&a);
	struct fw_str bytes = packed_facts(&a);
	assert_int_equal(fw_facts_unpack(&again, &a, &names, bytes), 0);
	char *before = json_of(&f), *after = json_of(&again);
	assert_string_equal(before, after);
	assert_non_null(strstr(after, "\"hour\":[7,8,9.5]"));
	free(before);
	free(after);
	assert_true(again.has_clock && again.now_us == f.now_us && again.objects && again.consent_basis == f.consent_basis);
	assert_int_equal(again.single[FW_FACT_CITY].state, FW_OUT_OF_REACH);
	assert_true(fw_str_is(again.single[FW_FACT_CONSENT].items[0].folded, "analytics"));
	assert_int_equal(again.n_traits, 2);
	for (size_t n = 0; n < bytes.n; n++) {
		struct fw_str part = cut(bytes, n);
		assert_int_equal(fw_facts_unpack(&again, &a, &names, part), FW_EINVAL);
		free((char *)(uintptr_t)part.p);
	}
	/* Another version of the catalogue had the facts in another order, and one that this one does not know. */
	int first = names.facts[FW_FACT_COUNTRY];
	names.facts[FW_FACT_COUNTRY] = names.facts[FW_FACT_REGION];
	names.facts[FW_FACT_REGION] = first;
	assert_int_equal(fw_facts_unpack(&again, &a, &names, bytes), 0);
	assert_true(fw_str_is(again.single[FW_FACT_REGION].text, "CA"));
	names.facts[FW_FACT_COUNTRY] = -1;
	assert_int_equal(fw_facts_unpack(&again, &a, &names, bytes), FW_EINVAL);
	fw_arena_finish(&a);
}

static struct fw_str some_body(struct fw_arena *a, uint32_t number)
{
	static uint32_t winners[] = { 7, 1000 }, aside[] = { 3 };
	static const char *channels[] = { "email", "sms" };
	static enum fw_reason unreached[] = { FW_REASON_SUPPRESSED, FW_REASON_WON };
	struct fw_logged_slot slots[] = { { number, FW_SLOT_RULE, winners, 2 }, { 1, FW_SLOT_NONE, NULL, 0 } };
	struct fw_logged_call calls[] = { { 4, FW_LOGGED_TRUE }, { 5, FW_LOGGED_OVER_BUDGET } };
	struct fw_logged_own own[] = { { 2, 77 } };
	struct fw_product_answer answers[] = {
		{ { .fact = FW_FACT_PRICE, .key = FW_STR("b-7") }, { .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = 49.5 } },
		{ { .fact = FW_FACT_IN_STOCK, .key = FW_STR("b-8") }, { .state = FW_ABSENT } } };
	struct fw_product_stock stock[] = { { FW_STR("B-7"), false }, { FW_STR("L-1"), true } };
	struct fw_products_then then = { .answers = answers, .n_answers = 2, .stock = stock, .n_stock = 2 };
	const struct fw_logged l = { .explanation = true, .holdout = true, .caps_lost = true,
		.reading = { .read = FW_PROFILE_READ, .id = FW_STR("visitor-0000000001"), .withhold = true }, .facts = packed_facts(a),
		.slots = slots, .n_slots = 2, .channels = channels, .unreached = unreached, .n_channels = 2,
		.set_aside = aside, .n_set_aside = 1, .calls = calls, .n_calls = 2, .own = own, .n_own = 1, .then = &then };
	struct fw_str ret;
	struct fw_buf b;
	fw_buf_init(&b, 0);
	fw_logged_write(&l, &b);
	assert_int_equal(fw_buf_keep(&b, a, &ret), 0);
	return ret;
}

static void test_body(void **state)
{
	struct fw_arena a;
	struct fw_logged l;
	(void)state;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_str bytes = some_body(&a, 12);
	assert_int_equal(fw_logged_read(&a, bytes, &l), 0);
	assert_true(l.explanation && !l.changes && !l.degraded && l.holdout && l.caps_lost && l.reading.withhold);
	assert_true(l.reading.read == FW_PROFILE_READ && fw_str_is(l.reading.id, "visitor-0000000001"));
	assert_true(l.n_slots == 2 && l.slots[0].slot == 12 && l.slots[0].n == 2 && l.slots[0].winners[1] == 1000);
	assert_true(l.slots[1].reason == FW_SLOT_NONE && l.slots[1].n == 0);
	assert_true(l.n_channels == 2 && strcmp(l.channels[0], "email") == 0 && l.n_set_aside == 1 && l.set_aside[0] == 3);
	assert_true(l.unreached[0] == FW_REASON_SUPPRESSED && l.unreached[1] == FW_REASON_WON);
	assert_true(l.n_calls == 2 && l.calls[1].function == 5 && l.calls[1].outcome == FW_LOGGED_OVER_BUDGET);
	assert_true(l.n_own == 1 && l.own[0].use == 2 && l.own[0].rule == 77 && l.then && !l.then->lost);
	struct fw_value price = fw_products_then_ask(l.then, &(struct fw_query){ .fact = FW_FACT_PRICE, .key = FW_STR("b-7") });
	assert_true(price.state == FW_KNOWN && price.number == 49.5);
	const struct fw_query query = { .fact = FW_FACT_IN_STOCK, .key = FW_STR("b-8") };
	assert_int_equal(fw_products_then_ask(l.then, &query).state, FW_ABSENT);
	assert_true(fw_products_then_sold_out(l.then, FW_STR("L-1")) && !fw_products_then_sold_out(l.then, FW_STR("B-7")) && !l.then->lost);
	assert_true(!fw_products_then_sold_out(l.then, FW_STR("B-9")) && l.then->lost);
	for (size_t n = 0; n < bytes.n; n++) {
		struct fw_str part = cut(bytes, n);
		assert_int_equal(fw_logged_read(&a, part, &l), FW_EINVAL);
		free((char *)(uintptr_t)part.p);
	}
	fw_arena_finish(&a);
}

/* As many products as the log of one decision tells of, each told of twice, and one more. */
static void test_many_products(void **state)
{
	struct fw_arena a;
	struct fw_products_then *again;
	struct fw_unpack u;
	struct fw_buf b;
	char id[16];
	(void)state;
	fw_arena_init(&a, NULL, 0, 0);
	struct fw_products_then *then = fw_products_then_new(&a);
	for (unsigned i = 0; i < 2 * FW_LIMIT_PRODUCTS_THEN; i++) {
		const struct fw_str key = { id, (size_t)snprintf(id, sizeof id, "p-%u", i / 2) };
		const struct fw_value price = { .state = FW_KNOWN, .kind = FW_KIND_NUMBER, .number = i / 2 };
		fw_products_then_note(then, &(struct fw_query){ .fact = FW_FACT_PRICE, .key = key }, &price);
		fw_products_then_note_stock(then, key, i / 2 % 3 == 0);
	}
	assert_true(then->n_answers == FW_LIMIT_PRODUCTS_THEN && then->n_stock == FW_LIMIT_PRODUCTS_THEN && !then->lost);
	fw_buf_init(&b, 0);
	fw_products_then_pack(then, &b);
	fw_unpack_init(&u, (struct fw_str){ b.data, b.n });
	assert_int_equal(fw_products_then_unpack(&u, &a, &again), 0);
	assert_true(!u.failed && again->again && !again->lost);
	for (unsigned i = 0; i < FW_LIMIT_PRODUCTS_THEN; i++) {
		const struct fw_str key = { id, (size_t)snprintf(id, sizeof id, "p-%u", i) };
		struct fw_value v = fw_products_then_ask(again, &(struct fw_query){ .fact = FW_FACT_PRICE, .key = key });
		assert_true(v.state == FW_KNOWN && v.number == i && fw_products_then_sold_out(again, key) == (i % 3 == 0));
	}
	assert_false(again->lost);
	/* Another fact of the same product was not asked. */
	assert_int_equal(fw_products_then_ask(again, &(struct fw_query){ .fact = FW_FACT_BRAND, .key = FW_STR("p-7") }).state, FW_ABSENT);
	assert_true(again->lost);
	fw_products_then_note_stock(then, FW_STR("P-7"), false);
	assert_true(then->lost && then->n_stock == FW_LIMIT_PRODUCTS_THEN);
	fw_buf_finish(&b);
	fw_arena_finish(&a);
}

static void test_ring(void **state)
{
	struct fw_log_ring r;
	struct fw_str item;
	(void)state;
	assert_int_equal(fw_log_ring_init(&r, 256), 0);
	assert_null(fw_log_ring_begin(&r, 249));
	/* Full is full, and nobody waits; what is taken makes room; and in whatever place it ends, an item is whole. */
	unsigned put = 0, taken = 0, refused = 0;
	for (unsigned i = 0; i < 5000; i++) {
		size_t n = 1 + i * 37 % 90;
		char *at = fw_log_ring_begin(&r, n);
		refused += !at;
		if (at) {
			memset(at, (int)(put++ & 255), n);
			fw_log_ring_end(&r);
		}
		for (unsigned k = 0; (!at || i % 3 == 0) && k < 2 && fw_log_ring_first(&r, &item); k++) {
			for (size_t b = 0; b < item.n; b++)
				assert_int_equal((unsigned char)item.p[b], taken & 255);
			taken++;
			fw_log_ring_drop(&r);
		}
	}
	while (fw_log_ring_first(&r, &item)) {
		assert_int_equal((unsigned char)item.p[0], taken++ & 255);
		fw_log_ring_drop(&r);
	}
	assert_int_equal(put, taken);
	assert_true(refused > 100 && put > 100);
	fw_log_ring_finish(&r);
}

static const unsigned char store_key[FW_SEAL_KEY] = "the key of the store";

static struct fw_seal_key key_of(unsigned person)
{
	struct fw_seal_key key = { .hash = 1000 + person, .period = 7 };
	snprintf((char *)key.bytes, sizeof key.bytes, "the key of person %u", person);
	return key;
}

static const char *id_of(unsigned i, char text[37])
{
	static unsigned long long ms;
	if (!ms)
		ms = (unsigned long long)(fw_now_us() / 1000);
	snprintf(text, 37, "%08x-%04x-7000-8000-%012x", (unsigned)(ms >> 16 & 0xffffffff), (unsigned)(ms & 0xffff), i);
	return text;
}

static struct fw_str record_of(unsigned person, unsigned version, char text[128])
{
	snprintf(text, 128, "the record of somebody-%u, changed %u times, ann@shop.example", person, version);
	return fw_str(text);
}

/* Decision i is of person i % 3, whose record changes with every sixth; every tenth is nobody's. */
static uint64_t write_some(const char *folder, uint64_t bytes, unsigned from, unsigned n)
{
	struct fw_arena a;
	static _Atomic uint64_t counts[3];
	counts[0] = counts[1] = counts[2] = 0;
	fw_arena_init(&a, NULL, 0, 0);
	const struct fw_decision_log_options options = { .folder = folder, .keep_s = 86400, .bytes = bytes, .ring_bytes = 1 << 20,
		.rule_set = "0123456789abcdef", .timezone = "UTC", .currency = "EUR", .holdout = 2.5,
		.counts = { &counts[0], &counts[1], &counts[2] } };
	struct fw_decision_log *log = fw_decision_log_create(&options);
	assert_non_null(log);
	for (unsigned i = from; i < from + n; i++) {
		char id[37], record[128];
		struct fw_seal_key key = key_of(i % 3);
		bool nobody = i % 10 == 9;
		const struct fw_decision_log_item item = { .id = id_of(i, id), .at_us = fw_now_us(), .key = nobody ? NULL : &key,
			.store_key = store_key, .record = nobody ? (struct fw_str){ NULL, 0 } : record_of(i % 3, i / 6, record),
			.body = some_body(&a, i) };
		assert_true(fw_decision_log_put(log, &item));
	}
	fw_decision_log_destroy(log);
	assert_int_equal(counts[0], n);
	assert_int_equal(counts[2], 0);
	fw_arena_finish(&a);
	return counts[1];
}

/* 0: it is there as it was; else what fw_log_find or fw_log_unseal says. */
static int look(const char *folder, unsigned i)
{
	struct fw_arena a;
	struct fw_log_found found;
	struct fw_logged l;
	struct fw_str record;
	struct fw_error err;
	unsigned char id[FW_LOG_ID];
	char text[37], expected[128];
	fw_arena_init(&a, NULL, 0, 0);
	assert_true(fw_log_id(id_of(i, text), id));
	int rc = fw_log_find(folder, id, &a, &found, &err);
	if (rc == 0) {
		struct fw_seal_key key = key_of(i % 3), other = key_of(i % 3 + 1);
		bool nobody = i % 10 == 9;
		uint64_t hash = 0;
		uint32_t period = 0;
		assert_int_equal(found.decision.sealed.is_person, !nobody);
		assert_true(fw_str_is(found.set.hash, "0123456789abcdef") && found.set.holdout == 2.5);
		if (!nobody) {
			assert_int_equal(fw_log_whose(&found.decision.sealed, store_key, &a, &hash, &period), 0);
			assert_true(hash == key.hash && period == 7);
			assert_int_equal(fw_log_unseal(&found, other.bytes, &a, &l, &record), FW_EINVAL);
		}
		rc = fw_log_unseal(&found, nobody ? store_key : key.bytes, &a, &l, &record);
		if (rc == 0) {
			assert_true(fw_str_equal(record, nobody ? (struct fw_str){ NULL, 0 } : record_of(i % 3, i / 6, expected)));
			assert_int_equal(l.slots[0].slot, i);
		}
	}
	fw_log_found_finish(&found);
	fw_arena_finish(&a);
	return rc;
}

/* The only file of the folder. */
static void only_file(const char *folder, char path[512])
{
	struct fw_arena a;
	struct fw_log_found found;
	struct fw_error err;
	unsigned char id[FW_LOG_ID];
	char text[37];
	fw_arena_init(&a, NULL, 0, 0);
	assert_true(fw_log_id(id_of(0, text), id));
	assert_int_equal(fw_log_find(folder, id, &a, &found, &err), 0);
	snprintf(path, 512, "%s/%s", folder, found.name);
	fw_log_found_finish(&found);
	fw_arena_finish(&a);
}

static struct fw_str read_all(const char *path)
{
	static char bytes[1 << 20];
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	return (struct fw_str){ bytes, n };
}

static void write_all(const char *path, struct fw_str bytes)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	fclose(f);
}

/* Where the first one's letter stands. */
static size_t first_decision(struct fw_str bytes)
{
	struct fw_log_reader r;
	struct fw_str entry;
	assert_int_equal(fw_log_reader_init(&r, bytes), 0);
	while (fw_log_next(&r, &entry))
		if (entry.p[0] == 'D')
			return (size_t)(entry.p - bytes.p);
	fail();
	return 0;
}

static uint64_t damaged(struct fw_str bytes)
{
	struct fw_log_reader r;
	struct fw_str entry;
	assert_int_equal(fw_log_reader_init(&r, bytes), 0);
	while (fw_log_next(&r, &entry))
		;
	return r.damaged;
}

static void test_files(void **state)
{
	char folder[TEMPORARY_PATH], path[512];
	(void)state;
	temporary_folder(folder);
	uint64_t bytes = write_some(folder, 1 << 30, 0, DECISIONS);
	for (unsigned i = 0; i < DECISIONS; i++)
		assert_int_equal(look(folder, i), 0);
	assert_int_equal(look(folder, DECISIONS), FW_ENOENT);
	only_file(folder, path);
	struct fw_str whole = read_all(path);
	assert_int_equal(whole.n, bytes);
	/* Nothing of a person can be read there. */
	assert_null(memmem(whole.p, whole.n, "somebody", 8));
	assert_null(memmem(whole.p, whole.n, "ann@shop", 8));
	assert_null(memmem(whole.p, whole.n, "visitor-", 8));
	assert_null(memmem(whole.p, whole.n, "Pro", 3));
	/* Each record stands there once for each change, not once for each decision. */
	struct fw_log_reader r;
	struct fw_str entry;
	unsigned persons = 0, decisions = 0;
	assert_int_equal(fw_log_reader_init(&r, whole), 0);
	while (fw_log_next(&r, &entry)) {
		persons += entry.p[0] == 'P';
		decisions += entry.p[0] == 'D';
	}
	assert_int_equal(decisions, DECISIONS);
	assert_true(persons > 10 && persons < 22);
	/* It ends in the middle, as after a crash: what is before that is there, and nothing else. */
	char *copy = malloc(whole.n);
	memcpy(copy, whole.p, whole.n);
	for (size_t n = whole.n; n > 2000; n -= n > 4000 ? 1777 : 97) {
		unsigned there = 0;
		write_all(path, (struct fw_str){ copy, n });
		for (unsigned i = 0; i < DECISIONS; i++)
			there += look(folder, i) == 0;
		assert_true(there <= DECISIONS && (n < whole.n || there == DECISIONS) && (n > whole.n / 2 ? there > DECISIONS / 3 : true));
	}
	/* A byte is another: that entry is lost, and those that need it, and no other. */
	for (size_t at = FW_LOG_HEAD; at < whole.n; at += whole.n / 23) {
		unsigned lost = 0;
		copy[at] ^= 0x55;
		write_all(path, (struct fw_str){ copy, whole.n });
		copy[at] ^= 0x55;
		for (unsigned i = 0; i < DECISIONS; i++)
			lost += look(folder, i) != 0;
		assert_true(lost >= 1 || at < 2000);
		assert_true(lost <= 4 || at < 2000); /* where it begins is the rule set, which all need */
	}
	/* A decision in whose bytes one is another is counted; where it would end beyond the file, as what is being written, it is not. */
	size_t decision = first_decision((struct fw_str){ copy, whole.n });
	assert_int_equal(damaged((struct fw_str){ copy, whole.n }), 0);
	copy[decision + 40] ^= 0x55;
	assert_int_equal(damaged((struct fw_str){ copy, whole.n }), 1);
	assert_int_equal(damaged((struct fw_str){ copy, decision + 60 }), 0);
	copy[decision + 40] ^= 0x55;
	/* Another version of the file. */
	copy[8] = 2;
	write_all(path, (struct fw_str){ copy, whole.n });
	assert_int_equal(look(folder, 0), FW_ENOENT);
	free(copy);
	fw_remove_tree(folder);
}

static bool is_there(const char *folder, const char *name)
{
	char path[512];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return stat(path, &st) == 0;
}

static void test_bounds(void **state)
{
	char folder[TEMPORARY_PATH];
	struct fw_error err;
	struct fw_files files = { .items = NULL };
	char rules[512], compliance[512];
	bool has_compliance;
	(void)state;
	temporary_folder(folder);
	/* The rule sets that files need are kept. */
	assert_int_equal(fw_files_add(&files, "a/b.lua", "-- rules\n", 9, false), 0);
	assert_int_equal(fw_files_add(&files, "c.lua", "-- guards\n", 10, true), 0);
	assert_int_equal(fw_log_sets_keep(folder, "0123456789abcdef", &files, &err), 0);
	assert_int_equal(fw_log_sets_keep(folder, "0123456789abcdef", &files, &err), 0);
	assert_int_equal(fw_log_sets_keep(folder, "another", &files, &err), 0);
	assert_true(fw_log_sets_find(folder, "0123456789abcdef", rules, compliance, sizeof rules, &has_compliance) && has_compliance);
	assert_true(is_there(folder, "sets/0123456789abcdef/rules/a/b.lua") && is_there(folder, "sets/another/compliance/c.lua"));
	assert_false(fw_log_sets_find(folder, "nothing", rules, compliance, sizeof rules, &has_compliance));
	/* Bounded in bytes: many files, of which the oldest go. */
	write_some(folder, 64 << 10, 0, 400);
	assert_int_equal(look(folder, 0), FW_ENOENT);
	assert_int_equal(look(folder, 399), 0);
	unsigned there = 0;
	for (unsigned i = 0; i < 400; i++)
		there += look(folder, i) == 0;
	assert_true(there > 60 && there < 300);
	/* Bounded in age: an hour is nothing, two days are over; and with the last file goes what it needed. */
	fw_log_sets_tidy(folder, 86400, 1 << 30, fw_now_us() + INT64_C(3600000000));
	assert_int_equal(look(folder, 399), 0);
	fw_log_sets_tidy(folder, 86400, 1 << 30, fw_now_us() + INT64_C(3) * 86400 * 1000000);
	assert_int_equal(look(folder, 399), FW_ENOENT);
	assert_false(is_there(folder, "sets/0123456789abcdef"));
	fw_files_finish(&files);
	fw_remove_tree(folder);
}

static void test_ids(void **state)
{
	unsigned char id[FW_LOG_ID];
	(void)state;
	assert_true(fw_log_id("01993C1E-7a40-7c12-9d3e-0a1b2c3d4e5f", id));
	assert_int_equal(id[3], 0x1e);
	assert_int_equal(fw_log_id_us(id), INT64_C(0x01993c1e7a40) * 1000);
	static const char *const wrong[] = { "", "01993c1e", "01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5g", "01993c1e77a40-7c12-9d3e-0a1b2c3d4e5f",
		"01993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f0", "-1993c1e-7a40-7c12-9d3e-0a1b2c3d4e5f" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(fw_log_id(wrong[i], id));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_facts), cmocka_unit_test(test_body), cmocka_unit_test(test_many_products),
		cmocka_unit_test(test_ring), cmocka_unit_test(test_files), cmocka_unit_test(test_bounds), cmocka_unit_test(test_ids) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

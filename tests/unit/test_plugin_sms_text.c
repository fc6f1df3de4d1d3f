/* What the plugin sms makes of texts, numbers, forms and JSON, without a host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../plugins/sms/e164.h"
#include "../../plugins/sms/encoding.h"
#include "../../plugins/sms/form.h"
#include "common/escape.h"
#include "common/json.h"
#include "../../plugins/sms/keywords.h"
#include "../../plugins/sms/sms.h"

enum { ROOM = 8192 };

/* 3GPP TS 23.038, 6.2.1: the default alphabet by its codes, 0x00 to 0x7f, without the escape at 0x1b. */
static const char *const alphabet[8] = {
	"@£$¥èéùìòÇ\nØø\rÅå", "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ", " !\"#¤%&'()*+,-./", "0123456789:;<=>?",
	"¡ABCDEFGHIJKLMNO", "PQRSTUVWXYZÄÖÑÜ§", "¿abcdefghijklmno", "pqrstuvwxyzäöñüà",
};
/* 6.2.1.1: the extension table. */
static const char extension[] = "\f^{}\\[~]|€";

static struct sms_text encode(const char *text, char out[ROOM])
{
	struct sms_text size;
	assert_true(strlen(text) < ROOM);
	assert_int_equal(sms_encode(text, strlen(text), out, &size), 0);
	assert_int_equal(size.n, strlen(out));
	return size;
}

static void put(char *p, int32_t c)
{
	if (c < 0x80)
		snprintf(p, 5, "%c", (int)c);
	else if (c < 0x800)
		snprintf(p, 5, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
	else if (c < 0x10000)
		snprintf(p, 5, "%c%c%c", 0xe0 | c >> 12, 0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
	else
		snprintf(p, 5, "%c%c%c%c", 0xf0 | c >> 18, 0x80 | (c >> 12 & 0x3f), 0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
}

/* Every character of Unicode, one by one: those of the two tables take one septet and two, and are sent as they are; what is written
 * otherwise is written with those of the tables alone; all else is UCS-2. */
static void test_alphabet(void **state)
{
	unsigned ones = 0, twos = 0, plain = 0;
	char all[2048] = "", out[ROOM], text[5];
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		strncat(all, alphabet[i], sizeof all - strlen(all) - 1);
	for (int32_t c = 1; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		put(text, c);
		struct sms_text size = encode(text, out);
		bool one = strstr(all, text), two = strstr(extension, text);
		if (one || two) {
			assert_int_equal(size.alphabet, SMS_GSM);
			assert_int_equal(size.units, one ? 1 : 2);
			assert_string_equal(out, text);
			ones += one;
			twos += two;
		} else if (size.alphabet == SMS_GSM) {
			plain++;
			assert_true(size.n <= strlen(text));
			for (const char *p = out; *p; p++)
				assert_non_null(strchr(all, *p));
		} else {
			assert_int_equal(size.units, c > 0xffff ? 2 : 1);
			assert_string_equal(out, text);
		}
	}
	assert_int_equal(ones, 127);
	assert_int_equal(twos, 10);
	assert_in_range(plain, 40, 70);
}

static void test_substitutes(void **state)
{
	static const char *const pairs[][2] = {
		{ "“Hi” – it’s 20\u00a0% off…", "\"Hi\" - it's 20 % off..." },
		{ "«Soldes»\u202f: l‘été", NULL }, /* é is in the alphabet */
		{ "a\u200bb\u00adc\ufeff", "abc" },
		{ "tab\there", "tab here" },
		{ "`x´", "'x'" },
	};
	char out[ROOM];
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct sms_text size = encode(pairs[i][0], out);
		assert_int_equal(size.alphabet, SMS_GSM);
		assert_string_equal(out, pairs[i][1] ? pairs[i][1] : "\"Soldes\" : l'été");
	}
	/* One letter that the alphabet lacks, and nothing is gained by writing the rest otherwise. */
	assert_int_equal(encode("“Ça va” – ç", out).alphabet, SMS_UCS2);
	assert_string_equal(out, "“Ça va” – ç");
}

static unsigned segments(unsigned n, const char *unit, const char *last)
{
	char text[ROOM] = "", out[ROOM];
	for (unsigned i = 0; i < n; i++)
		memcpy(text + i * strlen(unit), unit, strlen(unit) + 1);
	strncat(text, last, sizeof text - strlen(text) - 1);
	return encode(text, out).segments;
}

static void test_segments(void **state)
{
	(void)state;
	assert_int_equal(segments(0, "a", ""), 0);
	assert_int_equal(segments(1, "a", ""), 1);
	assert_int_equal(segments(160, "a", ""), 1);
	assert_int_equal(segments(161, "a", ""), 2);
	assert_int_equal(segments(306, "a", ""), 2);
	assert_int_equal(segments(307, "a", ""), 3);
	assert_int_equal(segments(80, "€", ""), 1);
	assert_int_equal(segments(81, "€", ""), 2);
	/* 76 of them are 152 septets: the next would be cut at 153, and begins the next part. */
	assert_int_equal(segments(152, "€", ""), 2);
	assert_int_equal(segments(153, "€", ""), 3);
	assert_int_equal(segments(152, "a", "€aaaaaaaaaaaaaaa"), 2);
	assert_int_equal(segments(70, "я", ""), 1);
	assert_int_equal(segments(71, "я", ""), 2);
	assert_int_equal(segments(134, "я", ""), 2);
	assert_int_equal(segments(135, "я", ""), 3);
	assert_int_equal(segments(35, "😀", ""), 1);
	assert_int_equal(segments(36, "😀", ""), 2);
	/* 33 pairs are 66 units, and the 67th cannot be half of one. */
	assert_int_equal(segments(66, "😀", ""), 2);
	assert_int_equal(segments(67, "😀", ""), 3);
}

static void test_no_text(void **state)
{
	static const char *const bad[] = { "\x80", "a\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff" };
	char out[16];
	struct sms_text size = { .units = 77 };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(sms_encode(bad[i], strlen(bad[i]), out, &size), -1);
	assert_int_equal(sms_encode("a\0b", 3, out, &size), -1);
	assert_int_equal(size.units, 77);
}

static void assert_number(const char *text, bool bare, const char *expected)
{
	char out[SMS_NUMBER];
	bool is = sms_number(text, strlen(text), bare, out);
	if (is != (expected != NULL) || (is && strcmp(out, expected) != 0))
		fail_msg("%s: %s instead of %s", text, is ? out : "none", expected ? expected : "none");
}

static void test_numbers(void **state)
{
	(void)state;
	assert_number("+4930123456", false, "+4930123456");
	assert_number(" +49 (0)30 / 12-34.56", false, "+4930123456");
	assert_number("0049 30 123456", false, "+4930123456");
	assert_number("15550001111", true, "+15550001111");
	assert_number(" 15550001111", true, "+15550001111"); /* a "+" that a query made a blank */
	assert_number("15550001111", false, NULL);
	assert_number("030123456", true, NULL);
	assert_number("+0301234567", false, NULL);
	assert_number("+123456", false, NULL);
	assert_number("+123456789012345", false, "+123456789012345");
	assert_number("+1234567890123456", false, NULL);
	assert_number("12345", true, NULL);
	assert_number("SHOP", true, NULL);
	assert_number("+49301234x6", false, NULL);
	assert_number("", true, NULL);
	assert_number("+", true, NULL);
}

static void test_senders(void **state)
{
	static const char *const good[] = { "+4930123456", "12345", "123", "Shop", "My Shop 24", "ABCDEFGHIJK" };
	static const char *const bad[] = { "", "12", "123456789", "ABCDEFGHIJKL", "+49 30 123456", "Shop!", " Shop", "Shop ", "Bücher" };
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!sms_sender(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (sms_sender(bad[i]))
			fail_msg("%s", bad[i]);
}

static void assert_words(enum sms_word word, const char *const *texts)
{
	for (; *texts; texts++)
		if (sms_word_of(*texts, strlen(*texts)) != word)
			fail_msg("\"%s\" is %d, not %d", *texts, (int)sms_word_of(*texts, strlen(*texts)), (int)word);
}

static void test_words(void **state)
{
	static const char *const stop[] = { "STOP", "stop", " Stop. ", "“STOP”!!!", "Stop \U0001F64F", "STOPALL", "Stop all", "unsubscribe",
		"CANCEL", "End", "quit", "Revoke", "Opt-out", "OPT  OUT", "optout", "STOPP", "ARRÊT", "arret", "ARRE\u0302T",
		"Désinscrire", "ALTO",
		"baja", "Abmelden", "S'TOP", "stop\r\n", NULL };
	static const char *const phrase[] = { "please stop texting me", "Please stop", "STOP please!", "Stop stop stop", "stop it",
		"stop texting", "Can you stop sending me these?", "could you please unsubscribe me",
		"I want to unsubscribe", "Remove me from your list",
		"take me off this list", "no more texts", "Do not text me again", "Don’t text me", "dont contact me any more",
		"leave me alone", "Bitte keine SMS mehr", "Hören Sie auf", "Stopp bitte", "arrêtez de m'écrire", "no más mensajes",
		"hi, stop now thanks", NULL };
	static const char *const start[] = { "START", "yes", "Unstop!", NULL };
	static const char *const help[] = { "HELP", "help?", "Info", "Hilfe", "AYUDA", "aide", NULL };
	static const char *const none[] = { "", " ", "!", "thanks", "please", "no thanks", "Please cancel my order", "please cancel",
		"when does the sale end", "The end", "stop by the shop tomorrow", "Can I stop by at five?", "Don't stop texting me",
		"do not stop",
		"I can't stop texting my friends about it", "non-stop", "stopwatch", "yes please", "help me choose", "start now?",
		"STOP\xff", "стоп", "stoп", "nonstop", "the bus stop", "is the stop button red?", NULL };
	(void)state;
	assert_words(SMS_WORD_STOP, stop);
	assert_words(SMS_WORD_PHRASE, phrase);
	assert_words(SMS_WORD_START, start);
	assert_words(SMS_WORD_HELP, help);
	assert_words(SMS_WORD_NONE, none);
}

/* What fills the buffer hides no word, and makes none. */
static void test_long_words(void **state)
{
	char text[1024];
	(void)state;
	memset(text, '.', sizeof text);
	memcpy(text + 500, "stop", 4);
	assert_int_equal(sms_word_of(text, sizeof text), SMS_WORD_STOP);
	memset(text, 'x', sizeof text);
	memcpy(text, "stop ", 5);
	assert_int_equal(sms_word_of(text, sizeof text), SMS_WORD_NONE);
	memcpy(text, "please stop texting me ", 23);
	assert_int_equal(sms_word_of(text, sizeof text), SMS_WORD_PHRASE);
	/* Courtesies up to the end of what is looked at, and what is said comes behind it. */
	memcpy(text, "stop", 4);
	for (size_t i = 4; i + 4 <= sizeof text; i += 4)
		memcpy(text + i, i < 900 ? " now" : " bus", 4);
	assert_int_equal(sms_word_of(text, 200), SMS_WORD_PHRASE);
	assert_int_equal(sms_word_of(text, sizeof text), SMS_WORD_NONE);
}

static void test_forms(void **state)
{
	char text[] = "a=1&b=x+y%2B%c3%A9&&c&d=&=e&a=2&f=a=b&g=%00z", bad[][8] = { "a=%", "a=%4", "a=%zz", "%4=1" };
	struct sms_form form;
	(void)state;
	assert_true(sms_form_parse(text, strlen(text), &form));
	assert_int_equal(form.n, 8);
	assert_string_equal(sms_form_get(&form, "a")->value, "1");
	assert_string_equal(sms_form_get(&form, "b")->value, "x y+é");
	assert_string_equal(sms_form_get(&form, "c")->value, "");
	assert_string_equal(sms_form_get(&form, "d")->value, "");
	assert_string_equal(sms_form_get(&form, "")->value, "e");
	assert_string_equal(sms_form_get(&form, "f")->value, "a=b");
	assert_int_equal(sms_form_get(&form, "g")->n_value, 2);
	assert_null(sms_form_get(&form, "h"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sms_form_parse(bad[i], strlen(bad[i]), &form));
	char many[2 * SMS_FIELDS_MOST + 3];
	for (size_t i = 0; i < sizeof many - 1; i += 2)
		memcpy(many + i, "a&", 2);
	assert_true(sms_form_parse(many, 2 * SMS_FIELDS_MOST, &form));
	for (size_t i = 0; i < sizeof many - 1; i += 2)
		memcpy(many + i, "a&", 2);
	assert_false(sms_form_parse(many, 2 * SMS_FIELDS_MOST + 2, &form));
}

static void test_writing(void **state)
{
	char buffer[32];
	struct sms_out out = sms_out(buffer, sizeof buffer);
	(void)state;
	sms_put_field(&out, "To", "+49 é", 6);
	sms_put_field(&out, "b", "-._~", 4);
	assert_string_equal(buffer, "To=%2B49%20%C3%A9&b=-._~");
	assert_false(out.full);
	sms_put(&out, "12345678");
	assert_true(out.full);
	assert_string_equal(buffer, "To=%2B49%20%C3%A9&b=-._~");
}

static bool get(const char *json, const char *first, const char *second, char out[16])
{
	const struct common_json_path path = { { first, second } };
	size_t n;
	return common_json_get(json, strlen(json), path, out, 16, &n) && n == strlen(out);
}

static void test_json(void **state)
{
	char out[16];
	(void)state;
	assert_true(get("{\"code\": 21610, \"x\": []}", "code", NULL, out));
	assert_string_equal(out, "21610");
	assert_true(get("{\"content\":{\"html\":\"h\",\"text\":\"a\\n\\u00e9\"},\"text\":\"no\"}", "content", "text", out));
	assert_string_equal(out, "a\né");
	assert_true(get("{\"changed\":true}", "changed", NULL, out));
	assert_string_equal(out, "true");
	assert_true(get("{\"a\":{\"b\":\"1\"},\"a\":{\"b\":\"2\"}}", "a", "b", out));
	assert_string_equal(out, "2");
	/* Other places: deeper, in a list, beside. */
	assert_false(get("{\"x\":{\"content\":{\"text\":\"a\"}}}", "content", "text", out));
	assert_false(get("{\"content\":[{\"text\":\"a\"}]}", "content", "text", out));
	assert_false(get("[{\"content\":{\"text\":\"a\"}}]", "content", "text", out));
	assert_false(get("{\"content\":{\"text\":{\"text\":\"a\"}}}", "content", "text", out));
	assert_false(get("{\"content\":{\"text\":null}}", "content", "text", out));
	assert_false(get("{\"content\":{},\"text\":\"a\"}", "content", "text", out));
	assert_false(get("{\"content\":\"a\"}", "content", "text", out));
	assert_false(get("{\"code\":\"1234567890123456\"}", "code", NULL, out));
	assert_false(get("{\"code\":1", "code", NULL, out));
	assert_false(get("{\"code\":1} x", "code", NULL, out));
	assert_false(get("", "code", NULL, out));
	char deep[256];
	memset(deep, '[', 200);
	deep[200] = '\0';
	assert_false(get(deep, "code", NULL, out));
	common_json_plain("a\"b\\c\nd\xc3\xa9", 9, out, sizeof out);
	assert_string_equal(out, "a'b/cd");
	common_json_plain("1234567890123456789", 19, out, sizeof out);
	assert_string_equal(out, "123456789012345");
}

static void assert_signature(const char *body, const char *url, const char *expected)
{
	char text[256], signature[32];
	struct sms_form form;
	snprintf(text, sizeof text, "%s", body);
	assert_true(sms_form_parse(text, strlen(text), &form));
	assert_int_equal(sms_twilio_signature("tok", url, &form, signature), 0);
	assert_string_equal(signature, expected);
}

/* The value that the client library of Twilio's for Node makes of the same. */
static void test_signature(void **state)
{
	(void)state;
	assert_signature("To=%2B15550001111&From=%2B15559998888&Body=STOP&MessageSid=SM1", "https://d.test/hooks/sms?x=1",
		"M2Wz+KnQVxvRGiCvVXoZdiVe/R0=");
	assert_signature("MessageSid=SM1&Body=STOP&Body=STOP&From=%2B15559998888&To=%2B15550001111", "https://d.test/hooks/sms?x=1",
		"M2Wz+KnQVxvRGiCvVXoZdiVe/R0=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alphabet),
		cmocka_unit_test(test_substitutes),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_senders),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

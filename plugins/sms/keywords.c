#include "keywords.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "encoding.h"

enum { FOLDED = 256 }; /* bytes of a message that are looked at: a longer one is no keyword, and its beginning says enough */

static const char *const stops[] = {
	"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out", "optout",
	"stopp", "abmelden", "abbestellen", "arret", "desabonner", "desinscrire", "alto", "baja", "parar", NULL,
};
static const char *const starts[] = { "start", "yes", "unstop", NULL };
static const char *const helps[] = { "help", "info", "hilfe", "aide", "ayuda", NULL };

/* Of the opt-out words those that mean nothing else when courtesies stand around them: "please cancel" may be about an order. */
static const char *const plain_stops[] = {
	"stop", "stop it", "stop this", "stopall", "stop all", "stop now", "unsubscribe", "opt out", "optout", "stopp", "arret",
	"baja", NULL,
};

/* How a message begins that is an opt-out whatever follows. */
static const char *const phrases[] = {
	"stop texting", "stop messaging", "stop sending", "stop contacting", "stop spamming", "stop writing", "stop bothering",
	"stop these", "stop the messages", "stop the texts", "stop your", "stop all messages", "stop all texts", "stop stop",
	"unsubscribe me", "opt me out", "opt out of", "remove me from", "remove my number", "take me off", "no more messages",
	"no more texts", "no more sms", "do not text me", "do not message me", "do not contact me",
	"do not send me any", "dont text me", "dont message me",
	"dont contact me", "dont send me any", "leave me alone",
	"keine sms mehr", "keine nachrichten mehr", "keine werbung mehr", "hor auf", "hort auf", "hoeren sie auf", "horen sie auf",
	"arretez", "ne menvoyez plus", "plus de sms", "plus de messages", "no me envien mas", "no mas mensajes", "no mas sms", NULL,
};

/* Courtesies, which say nothing. */
static const char *const courtesies[] = {
	"please", "pls", "plz", "just", "kindly", "hi", "hello", "hey", "ok", "okay", "can you", "could you", "would you", "will you",
	"i want you to", "i would like you to", "id like you to", "i want to", "i would like to", "id like to", "no thanks", "no thank you",
	"thanks", "thank you", "now", "immediately", "bitte", "hallo", "danke", "jetzt", "merci", "svp", "bonjour", "gracias",
	"por favor", NULL,
};

/* A Latin letter without its accent, in lower case; ' ' for what stands between words, '\0' for what is left out, else '?'. */
static char fold(int32_t c)
{
	static const char latin[] = "aaaaaaaceeeeiiiidnooooo?ouuuuyty"; /* U+00E0 and on */
	if (c >= 'A' && c <= 'Z')
		return (char)(c | 0x20);
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	if (c == '\'' || c == 0x2018 || c == 0x2019 || c == 0xb4 || c == '`' || (c >= 0x300 && c <= 0x36f))
		return '\0';
	if (c >= 0xc0 && c <= 0xff && c != 0xd7 && c != 0xf7)
		return c == 0xdf ? 's' : latin[c & 0x1f];
	if (c < 0xc0 || c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c <= 0x2bff) || c == 0x3000 || (c >= 0xfe00 && c <= 0xfe0f)
		|| c == 0xfeff || (c >= 0x1f000 && c <= 0x1faff))
		return ' ';
	return '?';
}

/* The words of a text, a blank between two. False: it is no UTF-8. */
static bool fold_text(const char *text, size_t n, char out[FOLDED], bool *ret_whole)
{
	size_t length = 0;
	bool gap = false, whole = true;
	for (size_t at = 0; at < n;) {
		int32_t c = sms_utf8(text, n, &at);
		if (c < 0)
			return false;
		char f = fold(c);
		if (f == ' ')
			gap = length > 0;
		if (f == ' ' || f == '\0')
			continue;
		if (length + 3 > FOLDED) {
			whole = false;
			continue;
		}
		if (gap)
			out[length++] = ' ';
		out[length++] = f;
		gap = false;
	}
	out[length] = '\0';
	*ret_whole = whole;
	return true;
}

static bool is_one_of(const char *const *list, const char *text)
{
	for (; *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* Bytes of the longest of the list with which the text begins, whole words; 0: none. */
static size_t begins(const char *const *list, const char *text)
{
	size_t longest = 0;
	for (; *list; list++) {
		size_t n = strlen(*list);
		if (n > longest && strncmp(*list, text, n) == 0 && (text[n] == ' ' || text[n] == '\0'))
			longest = n;
	}
	return longest;
}

static size_t ends(const char *const *list, const char *text, size_t length)
{
	for (; *list; list++) {
		size_t n = strlen(*list);
		if (n < length && text[length - n - 1] == ' ' && memcmp(text + length - n, *list, n) == 0)
			return n + 1;
	}
	return 0;
}

/* Without the courtesies around it. */
static char *strip(char *text)
{
	size_t n;
	while ((n = begins(courtesies, text)) > 0)
		text += n + (text[n] == ' ');
	for (size_t length = strlen(text); (n = ends(courtesies, text, length)) > 0;) {
		length -= n;
		text[length] = '\0';
	}
	return text;
}

enum sms_word sms_word_of(const char *text, size_t n)
{
	char folded[FOLDED];
	bool whole;
	if (!fold_text(text, n, folded, &whole))
		return SMS_WORD_NONE;
	if (is_one_of(stops, folded))
		return SMS_WORD_STOP;
	if (is_one_of(starts, folded))
		return SMS_WORD_START;
	if (is_one_of(helps, folded))
		return SMS_WORD_HELP;
	const char *rest = strip(folded);
	if (begins(phrases, rest) || (whole && is_one_of(plain_stops, rest)))
		return SMS_WORD_PHRASE;
	return SMS_WORD_NONE;
}

/* What a person says by a message of their own. */
#ifndef SMS_KEYWORDS_H
#define SMS_KEYWORDS_H

#include <stddef.h>

enum sms_word {
	SMS_WORD_NONE,
	SMS_WORD_STOP,   /* a keyword, the whole message */
	SMS_WORD_PHRASE, /* no keyword, but nothing else can be meant: a person may want to look at it */
	SMS_WORD_START,
	SMS_WORD_HELP,
};

/* Case, accents of Latin letters, punctuation, pictures and blanks around words do not count. The opt-out words are those of 47 CFR
 * 64.1200(a)(10) and of the carriers, with the German, French and Spanish ones in use; README.md has the lists. A text that is no UTF-8
 * says nothing. */
enum sms_word sms_word_of(const char *text, size_t n);

#endif

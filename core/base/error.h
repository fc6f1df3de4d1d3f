/* Errors. Functions return 0 or one of these negative codes; an error that a person will read
 * travels as a struct fw_error, filled by whoever knows the cause and logged by whoever gives up. */
#ifndef FW_BASE_ERROR_H
#define FW_BASE_ERROR_H

#include <stdarg.h>

enum fw_code {
	FW_OK = 0,
	FW_ENOMEM = -1,   /* memory, or the arena's limit, is used up */
	FW_EINVAL = -2,   /* the input is wrong; the fw_error says where and why */
	FW_ENOENT = -3,   /* no such thing */
	FW_ELIMIT = -4,   /* a documented limit of base/limits.h was reached */
	FW_EIO = -5,      /* the operating system refused; errno was translated into the message */
	FW_EBUSY = -6,    /* not now; asking again later may succeed */
	FW_EFAILED = -7,  /* a rule's code failed */
	FW_ECONFLICT = -8, /* somebody else changed it meanwhile: read again and compute again */
	FW_EAWAY = -9,    /* the store is out of reach */
	FW_EFULL = -10,   /* the store's disk is full */
};

/* A message for a person: place, cause and the nearest right thing to do. Empty text means "none". */
struct fw_error {
	char file[256];
	int line; /* 0: no line */
	char message[512];
	char hint[256];
};

/* Writes place and message; the hint is cleared. `err` may be NULL. Returns `code`, for `return fw_fail(…)`. */
int fw_fail(struct fw_error *err, int code, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Adds the hint to an error already written. `err` may be NULL. */
void fw_hint(struct fw_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "file:line: message; hint" into buf, always terminated; returns buf. */
const char *fw_error_text(const struct fw_error *err, char *buf, unsigned long size);

#endif

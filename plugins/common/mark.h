/* Marks that come back from outside and say of which message they are: its id, and the beginning of a MAC with the host's key over it.
 * The key is the same in every process that works on the store, so any worker of any node knows them again. */
#ifndef COMMON_MARK_H
#define COMMON_MARK_H

#include <floorwalker/plugin.h>
#include <stdbool.h>

enum {
	COMMON_ID_BYTES = 40,       /* a message's id */
	COMMON_MARK_MAC_BYTES = 16, /* of the MAC, at most; each is two hexadecimal digits */
	COMMON_MARK_BYTES = COMMON_ID_BYTES + 1 + 2 * COMMON_MARK_MAC_BYTES,
	COMMON_MARK_SIGNED_BYTES = COMMON_ID_BYTES + 16, /* what is signed: the id, and the kind's words around it */
};

/* What reading answers. */
enum { COMMON_SIGNED = 0, COMMON_FORGED = -1, COMMON_UNKNOWN_YET = -2 /* the store has not told the key yet */ };

/* A kind of mark. Marks are held against what was made before, so none of this ever changes for a kind. */
struct common_mark {
	const char *before, *after; /* words around the id in what is signed */
	char between;               /* the id and the MAC */
	unsigned mac_bytes;
};

/* [a-z0-9]+, at most COMMON_ID_BYTES: what a mark can be made of. */
bool common_id_is_fit(const char *id, size_t n);

/* `ret` has room for COMMON_MARK_BYTES and a NUL, or for as much less as the kind's MAC is shorter. 0 or COMMON_UNKNOWN_YET. */
int common_mark_make(const struct common_mark *kind, const struct fw_host *host, const char *id, char *ret);
/* COMMON_FORGED: everything that was not made so. */
int common_mark_read(const struct common_mark *kind, const struct fw_host *host, const char *mark, size_t n,
	char ret_id[COMMON_ID_BYTES + 1]);

#endif

/* Work that must not take the processor from those who serve meanwhile. */
#ifndef FW_SERVER_GENTLY_H
#define FW_SERVER_GENTLY_H

/* Does `work` in a thread of its own with a lower priority than this one's, waits for it and answers what it answered. Priority is a
 * thread's on Linux, and nobody without privileges can raise it again: so it is lowered for one that ends. Where there cannot be
 * such a thread the work is done as it is. */
int fw_gently(int (*work)(void *ctx), void *ctx);

#endif

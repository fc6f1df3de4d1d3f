/* Rows of the spool, which come back from a disk: whatever is read has a sender, no more ids than one may have, and an event or a
 * reason; and the event is read again as one that a client sends. */
#include <stdlib.h>

#include "people/held.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fw_row row = { { "Q\0\6\x61\x80\0\0\0\0chance..1234", FW_HELD_KEY }, { (const char *)data, n }, 1 };
	struct fw_arena arena;
	struct fw_held h;
	struct fw_event e;
	struct fw_refusal refusal;
	fw_arena_init(&arena, NULL, 0, 0);
	if (fw_held_read(&arena, &row, &h) == 0) {
		if (!h.sender.n || h.n_ids > FW_HELD_IDS || (!h.event && !h.code.n) || h.received_us <= 0)
			abort();
		const struct fw_event_frame frame = { .type = -1, .received_us = h.received_us, .context = h.context,
			.sent_at = h.sent_at };
		if (h.event && fw_event_read(&arena, h.event, &frame, &e, &refusal) == 0 && (e.at_us > h.received_us || e.at_us < 0))
			abort();
	}
	fw_arena_finish(&arena);
	return 0;
}

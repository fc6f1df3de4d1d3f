/* The scanner of rule files: any bytes give a scan, whose lines are lines of the file, or an error on one of them. */
#include <stdint.h>
#include <stdlib.h>

#include "rules/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena arena;
	struct fw_scan *scan = NULL;
	struct fw_error err = { .line = -1 };
	char *text = malloc(n + 1);
	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	int lines = 1;
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	fw_arena_init(&arena, NULL, 0, 0);
	int ret = fw_scan_create(&arena, "a.lua", text, &scan, &err);
	if (ret == 0) {
		static const char *const paths[] = { "", "when", "when.cart.total", "when.#1.#2", "show.a.b.c", "expect.home.hero", "....",
			"#", "#99999999999" };
		for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
			for (int line = 0; line < 4; line++)
				if (fw_scan_line(scan, line, "r", paths[i]) > (lines > line ? lines : line))
					abort();
	} else if (err.line < 1 || err.line > lines || !err.message[0]) {
		abort();
	}
	fw_arena_finish(&arena);
	free(text);
	return 0;
}

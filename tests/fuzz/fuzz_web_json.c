/* JSON that is taken apart where it lies: what the engine takes is taken here, and every piece lies in the text and is a value itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/web/json.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int lies_in(struct fw_plugin_text piece, struct fw_plugin_text whole)
{
	return piece.p >= whole.p && piece.p + piece.n <= whole.p + whole.n;
}

static void take_apart(struct fw_plugin_text value)
{
	struct fw_plugin_text rest = value, key = { NULL, 0 }, piece;
	int object = value.p[0] == '{';
	if (!object && value.p[0] != '[')
		return;
	size_t n = 0;
	for (; web_json_next(&rest, object ? &key : NULL, &piece); n++) {
		struct fw_plugin_text again = web_json_whole(piece);
		if (!lies_in(piece, value) || again.p != piece.p || again.n != piece.n)
			abort();
		if (object && (!lies_in(key, value) || key.n < 2 || key.p[0] != '"' || key.p[key.n - 1] != '"'))
			abort();
		take_apart(piece);
	}
	/* What is left is the end of it; of an empty one nothing was taken. */
	const char *end = value.p + value.n - 1, *at = n ? rest.p : value.p + 1;
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	if (at != end || *end != (object ? '}' : ']'))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_arena arena;
	struct fw_json *tree = NULL;
	/* A copy of its own size, so that a byte too far is seen. */
	char *text = malloc(n ? n : 1);
	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	fw_arena_init(&arena, NULL, 0, 0);
	struct fw_plugin_text whole = web_json_whole((struct fw_plugin_text){ text, n });
	bool at_all = fw_json_parse(&arena, text, n, &tree, NULL) == 0;
	if (at_all && !whole.p)
		abort();
	if (whole.p) {
		take_apart(whole);
		static const char *const names[] = { "k", "context", NULL };
		struct fw_plugin_text members[2];
		web_json_members(whole, names, members);
		for (int i = 0; i < 2; i++)
			if (members[i].p && !lies_in(members[i], whole))
				abort();
	}
	fw_arena_finish(&arena);
	free(text);
	return 0;
}

/* HTML as text: any bytes give lines that end, without control characters. */
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"
#include "message/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_buf out;
	fw_buf_init(&out, 0);
	fw_buf_puts(&out, "+");
	int ret = fw_text_from_html((struct fw_str){ (const char *)data, n }, &out);
	if (ret < 0 ? out.n != 1 || ret != FW_ELIMIT : out.n > 1 && out.data[out.n - 1] != '\n')
		abort();
	for (size_t i = 1; i < out.n; i++)
		if (((unsigned char)out.data[i] < ' ' && out.data[i] != '\n') || out.data[i] == 0x7f)
			abort();
	fw_buf_finish(&out);
	return 0;
}

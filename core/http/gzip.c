#include "http/internal.h"

static int broken(struct fw_http_refusal *refusal)
{
	*refusal = (struct fw_http_refusal){ 400, FW_HTTP_REASON_ENCODING, "the gzip body is broken" };
	return 400;
}

int gunzip(struct fw_http_server *s, struct fw_str packed, struct fw_buf *out, struct fw_http_refusal *refusal)
{
	enum { GZIP_ONLY = 16 + MAX_WBITS };
	size_t limit = s->limits.body_bytes;
	*refusal = (struct fw_http_refusal){ 503, FW_HTTP_REASON_OVERLOAD, "out of memory" };
	if (!s->z_ready && inflateInit2(&s->z, GZIP_ONLY) != Z_OK)
		return 503;
	if (s->z_ready)
		inflateReset(&s->z);
	s->z_ready = true;
	s->z.next_in = (unsigned char *)(uintptr_t)packed.p;
	s->z.avail_in = (unsigned)packed.n;
	for (;;) {
		/* One byte beyond the limit tells a body that is too large from one that just fits. */
		size_t step = limit + 1 - out->n < 16384 ? limit + 1 - out->n : 16384;
		char *to = fw_buf_reserve(out, step);
		if (!to)
			return 503;
		s->z.next_out = (unsigned char *)to;
		s->z.avail_out = (unsigned)step;
		int r = inflate(&s->z, Z_NO_FLUSH);
		out->n += step - s->z.avail_out;
		if (out->n > limit) {
			*refusal = (struct fw_http_refusal){ 413, FW_HTTP_REASON_BODY_SIZE, "the unpacked body is too large" };
			return 413;
		}
		if (r == Z_MEM_ERROR)
			return 503;
		if (r == Z_STREAM_END && s->z.avail_in == 0)
			return 0;
		if (r == Z_STREAM_END && inflateReset(&s->z) == Z_OK)
			continue; /* another member follows */
		if (r != Z_OK || (s->z.avail_in == 0 && s->z.avail_out > 0))
			return broken(refusal);
	}
}

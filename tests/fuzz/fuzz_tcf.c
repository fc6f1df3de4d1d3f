/* A consent string: what is understood of it is what a second, plain reading of its bits understands, and it stays so when
 * everything is cut off that tells nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "signal/tcf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The core segment as a byte a bit, with room behind it. */
static uint8_t bits[FW_LIMIT_TCF_BYTES * 6 + 64];
static uint8_t vendors[1 << 16];

static unsigned number(size_t at, unsigned n)
{
	unsigned value = 0;
	for (unsigned i = 0; i < n; i++)
		value = value * 2 + bits[at + i];
	return value;
}

/* Fills `vendors` from where such a part of the segment begins; where it ends. */
static size_t read_vendors(size_t at)
{
	unsigned highest = number(at, 16);
	memset(vendors, 0, sizeof vendors);
	if (!bits[at + 16]) {
		memcpy(vendors + 1, bits + at + 17, highest);
		return at + 17 + highest;
	}
	unsigned n = number(at + 17, 12);
	at += 29;
	for (; n > 0; n--) {
		unsigned first = number(at + 1, 16), last = bits[at] ? number(at + 17, 16) : first;
		for (unsigned id = first; id <= last; id++)
			vendors[id] = 1;
		at += bits[at] ? 33 : 17;
	}
	return at;
}

static void check_vendors(const struct fw_tcf *t, const struct fw_tcf_vendors *v)
{
	/* All of them where that is quick, else some. */
	unsigned step = v->in_ranges && v->n_ranges > 20 ? 1 + v->highest / 64 : 1;
	for (unsigned id = 0; id < sizeof vendors; id += step)
		if (fw_tcf_has_vendor(t, v, id) != (vendors[id] == 1))
			abort();
}

static void check(const struct fw_tcf *t)
{
	if (t->core_bits > t->core.n * 6)
		abort();
	memset(bits, 0, sizeof bits);
	for (size_t i = 0; i < t->core.n * 6; i++)
		bits[i] = (uint8_t)((strchr(alphabet, t->core.p[i / 6]) - alphabet) >> (5 - i % 6) & 1);
	if (number(0, 6) != 2 || number(78, 12) != t->cmp_id || number(120, 12) != t->vendor_list_version ||
			bits[138] != t->service_specific)
		abort();
	for (unsigned i = 1; i <= 24; i++)
		if (bits[152 + i - 1] != (t->purposes_consent >> i & 1) || bits[176 + i - 1] != (t->purposes_interest >> i & 1))
			abort();
	size_t at = read_vendors(213);
	check_vendors(t, &t->vendor_consent);
	at = read_vendors(at);
	check_vendors(t, &t->vendor_interest);
	if (number(at, 12) != t->n_restrictions)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fw_tcf t, again;
	struct fw_error err = { 0 };
	if (fw_tcf_parse((struct fw_str){ (const char *)data, n }, &t, &err) < 0) {
		if (!err.message[0])
			abort();
		return 0;
	}
	check(&t);
	size_t least = (t.core_bits + 5) / 6;
	if (fw_tcf_parse((struct fw_str){ t.core.p, least }, &again, NULL) != 0 || again.core_bits != t.core_bits ||
			again.purposes_consent != t.purposes_consent ||
			fw_tcf_parse((struct fw_str){ t.core.p, least - 1 }, &again, NULL) == 0)
		abort();
	return 0;
}

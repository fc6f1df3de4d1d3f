#include "base/limits.h"
#include "message/template_own.h"

void fw_write_bytes(struct fw_rendering *r, const char *p, size_t n)
{
	if (n > (size_t)FW_LIMIT_MESSAGE_PART_BYTES - (r->out->n - r->begin))
		r->ret = FW_ELIMIT;
	if (r->ret == 0)
		fw_buf_add(r->out, p, n);
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

/* What a byte is replaced by where it would mean something, or NULL. */
static const char *in_html(unsigned char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return is_control(c) ? " " : NULL;
	}
}

static const char *in_plain(unsigned char c)
{
	return is_control(c) ? " " : NULL;
}

static const char *in_header(unsigned char c)
{
	return c < ' ' || c == 0x7f ? " " : NULL;
}

/* Lengths, colours and names: nothing that could end a declaration or call a function. */
static const char *in_css(unsigned char c)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	return letter || (c && strchr(" #%.,-", c)) ? NULL : "";
}

static void write_runs(struct fw_rendering *r, struct fw_str text, const char *(*replace)(unsigned char))
{
	size_t from = 0;
	for (size_t i = 0; i < text.n; i++) {
		const char *instead = replace((unsigned char)text.p[i]);
		if (!instead)
			continue;
		fw_write_bytes(r, text.p + from, i - from);
		fw_write_bytes(r, instead, strlen(instead));
		from = i + 1;
	}
	fw_write_bytes(r, text.p + from, text.n - from);
}

static bool is_alphanumeric(char c)
{
	c = fw_fold_char(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_digit_16(char c)
{
	return (c >= '0' && c <= '9') || (fw_fold_char(c) >= 'a' && fw_fold_char(c) <= 'f');
}

/* Everything but letters, digits and the marks in `kept` as %XX (RFC 3986, section 2.1). */
static void write_encoded(struct fw_rendering *r, struct fw_str text, const char *kept, bool keep_encoded)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool encoded = keep_encoded && c == '%' && i + 2 < text.n && is_digit_16(text.p[i + 1]) && is_digit_16(text.p[i + 2]);
		char three[3] = { '%', digits[(unsigned char)c >> 4], digits[c & 15] };
		if (c == '&' && strchr(kept, '&'))
			fw_write_bytes(r, "&amp;", 5);
		else if (encoded || is_alphanumeric(c) || (c && strchr(kept, c)))
			fw_write_bytes(r, &c, 1);
		else
			fw_write_bytes(r, three, 3);
	}
}

/* "mailto" of "mailto:a@b"; n is 0 where no scheme stands (RFC 3986, section 3.1). */
static struct fw_str scheme_of(struct fw_str address)
{
	for (size_t i = 0; i < address.n; i++) {
		char c = address.p[i];
		if (c == ':')
			return (struct fw_str){ address.p, i };
		if (c == '/' || c == '?' || c == '#')
			break;
	}
	return (struct fw_str){ address.p, 0 };
}

/* Anything before a colon that is none of these may be code, or become it by what a browser leaves out of a scheme. */
static bool is_harmless(struct fw_str scheme)
{
	static const char *const schemes[] = { "http", "https", "mailto", "tel", "sms" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (fw_str_equal_fold(scheme, fw_str(schemes[i])))
			return true;
	return false;
}

static void write_whole_address(struct fw_rendering *r, struct fw_str text)
{
	while (text.n && (unsigned char)text.p[0] <= ' ')
		text.p++, text.n--;
	while (text.n && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	struct fw_str scheme = scheme_of(text);
	bool colon = text.n && scheme.n < text.n && text.p[scheme.n] == ':';
	if (colon && !is_harmless(scheme))
		fw_write_bytes(r, "#", 1);
	else
		write_encoded(r, text, "-._~:/?#[]@!$&()*+,;=", true);
}

/* Only the part of an address that a value stands in tells what it may contain; what stands before it was written already. */
static void write_address(struct fw_rendering *r, struct fw_str text)
{
	const char *begin = r->out->data + r->address, *end = r->out->data + r->out->n, *p = end;
	if (r->ret < 0 || r->out->failed)
		return;
	while (p > begin && (unsigned char)p[-1] > ' ')
		p--;
	struct fw_str before = { p, (size_t)(end - p) };
	if (before.n == 0) {
		write_whole_address(r, text);
		return;
	}
	struct fw_str scheme = scheme_of(before);
	bool has_scheme = scheme.n < before.n && before.p[scheme.n] == ':';
	size_t at = has_scheme ? scheme.n + 1 : 0;
	bool host = before.n - at >= 2 && before.p[at] == '/' && before.p[at + 1] == '/';
	bool behind_host = !host;
	for (size_t i = host ? at + 2 : at; i < before.n; i++)
		behind_host |= before.p[i] == '/' || before.p[i] == '?' || before.p[i] == '#';
	if (has_scheme && !is_harmless(scheme))
		return;
	if (behind_host) {
		write_encoded(r, text, has_scheme && !host ? "-._~@+" : "-._~", false);
		return;
	}
	for (size_t i = 0; i < text.n; i++) /* of a host's name, one label */
		if (is_alphanumeric(text.p[i]) || text.p[i] == '-')
			fw_write_bytes(r, &text.p[i], 1);
}

void fw_write_value(struct fw_rendering *r, enum fw_write how, struct fw_str text)
{
	if (text.n == 0)
		return;
	switch (how) {
	case FW_WRITE_PLAIN: write_runs(r, text, in_plain); break;
	case FW_WRITE_HTML: write_runs(r, text, in_html); break;
	case FW_WRITE_CSS: write_runs(r, text, in_css); break;
	case FW_WRITE_HEADER: write_runs(r, text, in_header); break;
	case FW_WRITE_ADDRESS: write_address(r, text); break;
	case FW_WRITE_NOTHING: break;
	}
}

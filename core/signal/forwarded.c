#include "base/limits.h"
#include "signal/ip.h"

/* The last hops of a header, in its order. */
struct hops {
	struct fw_str at[FW_LIMIT_FORWARDED_HOPS];
	size_t n;
};

static void add_hop(struct hops *hops, struct fw_str hop)
{
	if (hops->n == FW_LIMIT_FORWARDED_HOPS) {
		memmove(hops->at, hops->at + 1, (FW_LIMIT_FORWARDED_HOPS - 1) * sizeof *hops->at);
		hops->n--;
	}
	hops->at[hops->n++] = fw_str_trim(hop);
}

/* Whether a quote stands where RFC 7239 lets one stand: it opens after "=" and closes before a separator or the end. */
static bool is_placed(struct fw_str s, size_t i, bool closes)
{
	if (!closes)
		return i > 0 && s.p[i - 1] == '=';
	return i + 1 == s.n || strchr(";, \t", s.p[i + 1]);
}

/* Up to the separator outside of quotes; takes it off `s`. False when a quote is misplaced or left open: what a client
 * sent could hide what a proxy added behind it. */
static bool take(struct fw_str *s, char separator, struct fw_str *ret)
{
	bool quoted = false;
	size_t i = 0;
	for (; i < s->n && (quoted || s->p[i] != separator); i++) {
		if (s->p[i] == '"') {
			if (!is_placed(*s, i, quoted))
				return false;
			quoted = !quoted;
		} else if (quoted && s->p[i] == '\\' && i + 1 < s->n) {
			i++;
		}
	}
	size_t skip = i + (i < s->n);
	*ret = (struct fw_str){ s->p, i };
	*s = (struct fw_str){ s->p + skip, s->n - skip };
	return !quoted;
}

static struct fw_str unquote(struct fw_str s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return (struct fw_str){ s.p + 1, s.n - 2 };
	return s;
}

/* The "for" of one element: for="[2001:db8::1]:4711";proto=https. */
static struct fw_str element_for(struct fw_str element)
{
	struct fw_str pair;
	while (element.n > 0 && take(&element, ';', &pair)) {
		pair = fw_str_trim(pair);
		if (pair.n >= 4 && fw_str_equal_fold((struct fw_str){ pair.p, 4 }, FW_STR("for=")))
			return unquote((struct fw_str){ pair.p + 4, pair.n - 4 });
	}
	return (struct fw_str){ 0 };
}

static bool read_elements(struct fw_str header, struct hops *hops)
{
	struct fw_str element;
	hops->n = 0;
	while (header.n > 0) {
		if (!take(&header, ',', &element))
			return false;
		add_hop(hops, element_for(element));
	}
	return true;
}

static void read_list(struct fw_str header, struct hops *hops)
{
	hops->n = 0;
	while (header.n > 0) {
		const char *comma = memchr(header.p, ',', header.n);
		size_t n = comma ? (size_t)(comma - header.p) : header.n, skip = n + (comma != NULL);
		add_hop(hops, (struct fw_str){ header.p, n });
		header = (struct fw_str){ header.p + skip, header.n - skip };
	}
}

/* From the right, past trusted hops; the peer (NULL: trusted by itself) is the first. */
static bool walk(const struct hops *hops, const struct fw_ip *peer, const struct fw_network *trusted, size_t n_trusted,
	struct fw_ip *ret)
{
	bool found = peer != NULL, go_on = !peer || fw_network_has(trusted, n_trusted, peer);
	if (peer)
		*ret = *peer;
	for (size_t i = hops->n; i-- > 0 && go_on;) {
		if (!fw_ip_parse(hops->at[i], ret))
			return false;
		found = true;
		go_on = fw_network_has(trusted, n_trusted, ret);
	}
	return found;
}

bool fw_forwarded_at_all(const struct fw_forwarded *h)
{
	return h->x_forwarded_for.p || h->forwarded.p;
}

bool fw_ip_client(const struct fw_ip *peer, const struct fw_forwarded *h, const struct fw_network *trusted,
	size_t n_trusted, struct fw_ip *ret)
{
	struct hops hops;
	struct fw_ip a = { { 0 } }, b = { { 0 } };
	read_list(h->x_forwarded_for, &hops);
	bool has_a = walk(&hops, peer, trusted, n_trusted, &a);
	bool has_b = read_elements(h->forwarded, &hops) && walk(&hops, peer, trusted, n_trusted, &b);
	bool use_a = h->x_forwarded_for.p || !h->forwarded.p, use_b = h->forwarded.p;
	if ((use_a && !has_a) || (use_b && !has_b) || (use_a && use_b && memcmp(&a, &b, sizeof a) != 0))
		return false;
	*ret = use_a ? a : b;
	return true;
}

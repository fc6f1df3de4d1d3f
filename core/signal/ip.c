#include "signal/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void set_v4(struct fw_ip *a, const void *four)
{
	memcpy(a->bytes, mapped, sizeof mapped);
	memcpy(a->bytes + sizeof mapped, four, 4);
}

/* An address alone, without port or brackets. */
static bool parse_bare(struct fw_str s, struct fw_ip *ret)
{
	char copy[INET6_ADDRSTRLEN];
	const char *zone = s.n ? memchr(s.p, '%', s.n) : NULL;
	struct in_addr v4;
	if (zone)
		s.n = (size_t)(zone - s.p);
	if (s.n == 0 || s.n >= sizeof copy || memchr(s.p, '\0', s.n))
		return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1) {
		set_v4(ret, &v4);
		return true;
	}
	return inet_pton(AF_INET6, copy, ret->bytes) == 1;
}

static bool is_port(struct fw_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n <= 5;
}

bool fw_ip_parse(struct fw_str s, struct fw_ip *ret)
{
	s = fw_str_trim(s);
	const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
	if (s.n > 2 && s.p[0] == '[') {
		const char *close = memchr(s.p, ']', s.n);
		if (!close)
			return false;
		struct fw_str inside = { s.p + 1, (size_t)(close - s.p) - 1 };
		struct fw_str after = { close + 1, s.n - inside.n - 2 };
		if (after.n > 0 && (after.p[0] != ':' || !is_port((struct fw_str){ after.p + 1, after.n - 1 })))
			return false;
		return memchr(inside.p, ':', inside.n) && parse_bare(inside, ret);
	}
	/* One colon is before a port; more are IPv6's own. */
	if (colon && !memchr(colon + 1, ':', s.n - (size_t)(colon - s.p) - 1)) {
		if (!is_port((struct fw_str){ colon + 1, s.n - (size_t)(colon - s.p) - 1 }))
			return false;
		s.n = (size_t)(colon - s.p);
	}
	return parse_bare(s, ret);
}

bool fw_ip_of(const struct sockaddr *peer, struct fw_ip *ret)
{
	if (!peer)
		return false;
	if (peer->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, peer, sizeof in);
		set_v4(ret, &in.sin_addr);
		return true;
	}
	if (peer->sa_family == AF_INET6) {
		struct sockaddr_in6 in;
		memcpy(&in, peer, sizeof in);
		memcpy(ret->bytes, &in.sin6_addr, sizeof ret->bytes);
		return true;
	}
	return false;
}

bool fw_ip_is_v4(const struct fw_ip *a)
{
	return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool fw_ip_is_loopback(const struct fw_ip *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	return fw_ip_is_v4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, one, sizeof one) == 0;
}

void fw_ip_to(const struct fw_ip *a, struct sockaddr_storage *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	memset(ret, 0, sizeof *ret);
	if (fw_ip_is_v4(a)) {
		memcpy(&v4.sin_addr, a->bytes + sizeof mapped, 4);
		memcpy(ret, &v4, sizeof v4);
	} else {
		memcpy(&v6.sin6_addr, a->bytes, sizeof a->bytes);
		memcpy(ret, &v6, sizeof v6);
	}
}

const char *fw_ip_text(const struct fw_ip *ip, char *buf)
{
	bool v4 = fw_ip_is_v4(ip);
	return inet_ntop(v4 ? AF_INET : AF_INET6, ip->bytes + (v4 ? sizeof mapped : 0), buf, 64);
}

/* A number from 0 to 128, or more for anything else. */
static unsigned read_bits(struct fw_str digits)
{
	unsigned bits = 0;
	if (digits.n == 0 || digits.n > 3 || !is_port(digits))
		return 1000;
	for (size_t i = 0; i < digits.n; i++)
		bits = bits * 10 + (unsigned)(digits.p[i] - '0');
	return bits;
}

int fw_network_parse(struct fw_str text, struct fw_network *ret, struct fw_error *err)
{
	const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
	struct fw_str base = { text.p, slash ? (size_t)(slash - text.p) : text.n };
	struct fw_ip ip;
	if (parse_bare(base, &ip)) {
		unsigned most = fw_ip_is_v4(&ip) ? 32 : 128;
		unsigned bits = slash ? read_bits((struct fw_str){ slash + 1, text.n - base.n - 1 }) : most;
		if (bits <= most) {
			*ret = (struct fw_network){ ip, bits + 128 - most };
			return 0;
		}
	}
	fw_fail(err, FW_EINVAL, NULL, 0, "\"%.*s\" is no network", (int)(text.n < 100 ? text.n : 100), text.n ? text.p : "");
	fw_hint(err, "write \"10.0.0.0/8\", \"2001:db8::/32\" or one address");
	return FW_EINVAL;
}

static bool holds(const struct fw_network *network, const struct fw_ip *ip)
{
	unsigned whole = network->bits / 8, left = network->bits % 8;
	if (memcmp(network->base.bytes, ip->bytes, whole) != 0)
		return false;
	return left == 0 || (network->base.bytes[whole] ^ ip->bytes[whole]) >> (8 - left) == 0;
}

bool fw_network_has(const struct fw_network *networks, size_t n, const struct fw_ip *ip)
{
	for (size_t i = 0; i < n; i++)
		if (holds(&networks[i], ip))
			return true;
	return false;
}

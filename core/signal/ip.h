/* Internet addresses: of the client behind trusted proxies, and networks of them. */
#ifndef FW_SIGNAL_IP_H
#define FW_SIGNAL_IP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/str.h"

/* IPv6, with IPv4 as ::ffff:a.b.c.d; so each address has one form. */
struct fw_ip {
	uint8_t bytes[16];
};

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80", as proxies write them; a zone
 * ("%eth0") is dropped. */
bool fw_ip_parse(struct fw_str text, struct fw_ip *ret);
/* False for anything but AF_INET and AF_INET6, NULL included. */
bool fw_ip_of(const struct sockaddr *peer, struct fw_ip *ret);
bool fw_ip_is_v4(const struct fw_ip *ip);
bool fw_ip_is_loopback(const struct fw_ip *ip);
/* The socket form, AF_INET where it can be. */
void fw_ip_to(const struct fw_ip *ip, struct sockaddr_storage *ret);
/* Into buf of 64; returns buf. */
const char *fw_ip_text(const struct fw_ip *ip, char *buf);

/* A network. */
struct fw_network {
	struct fw_ip base;
	unsigned bits; /* 0–128, of the mapped form */
};

/* "10.0.0.0/8", "2001:db8::/32" or one address. 0, or FW_EINVAL with the reason. */
int fw_network_parse(struct fw_str text, struct fw_network *ret, struct fw_error *err);
/* Whether one of them holds the address. */
bool fw_network_has(const struct fw_network *networks, size_t n, const struct fw_ip *ip);

/* What proxies say of the client: all headers of a name, joined by commas in their order; p NULL when there is none. */
struct fw_forwarded {
	struct fw_str x_forwarded_for;
	struct fw_str forwarded; /* RFC 7239 */
};

/* Whether a request came through a proxy, trusted or not, by its headers. */
bool fw_forwarded_at_all(const struct fw_forwarded *h);

/* The client's address. From a peer outside `trusted` the headers count for nothing and the peer is the client. Else the
 * hops are walked from the right, trusted ones skipped; the first other one is the client (the leftmost when all are
 * trusted). A peer of NULL has no address, as on a Unix socket, and is trusted. False when the client cannot be told: no
 * hop, one on the way that is no address, or two headers that disagree, as they do when one of them was the client's own
 * and the proxy wrote only the other. */
bool fw_ip_client(const struct fw_ip *peer, const struct fw_forwarded *h, const struct fw_network *trusted,
	size_t n_trusted, struct fw_ip *ret);

#endif

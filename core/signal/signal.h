/* A request becomes facts: where, by what device, from where, when. */
#ifndef FW_SIGNAL_SIGNAL_H
#define FW_SIGNAL_SIGNAL_H

#include <sys/socket.h>

#include "base/json.h"
#include "base/zone.h"
#include "fact/facts.h"
#include "signal/ip.h"
#include "signal/consent.h"

/* Fills what follows from facts already there, and only where it is absent: continent and in_eu from the country; hour,
 * weekday and date from the clock, in the zone of `timezone`, else of the trait `timezone`, else in all zones of the
 * country. For visitors that were given (rule tests, the command line). 0 or FW_ENOMEM. */
int fw_signal_derive(struct fw_zone_set *zones, struct fw_facts *f);

/* The store's configuration; all zero is a good one. It is not copied and must outlive what is made with it. */
struct fw_signal_config {
	const char *geo_path;            /* the geo database; NULL: geography is known only when told */
	const struct fw_str *own_hosts;  /* of the store; links between them are no traffic source */
	size_t n_own_hosts;
	const struct fw_network *trusted;  /* proxies whose word on the client's address is taken */
	size_t n_trusted;
	bool trust_unix;                 /* as is that of whoever connects through a Unix socket */
	struct fw_consent_config consent;
};

/* What every worker of a generation uses: patterns, geo database, time zones. Made in the loader; after the fork each
 * process has its own copy, of which nearly all stays shared. */
struct fw_signal_shared;

/* Takes some 40 ms. 0, or the error of fw_geo_open and fw_agents_create. */
int fw_signal_shared_create(const struct fw_signal_config *config, struct fw_signal_shared **ret_shared, struct fw_error *err);
void fw_signal_shared_destroy(struct fw_signal_shared *shared);
/* Its zones, for whoever needs local times in the same process. */
struct fw_zone_set *fw_signal_zones(struct fw_signal_shared *shared);

/* What a worker remembers of user agents: so many bytes, zero at first. It may lie where other workers see it, for reading a
 * thousand user agents anew would hold up the first requests of a new one; copied also while its worker is writing. */
size_t fw_signal_memory_bytes(void);
void fw_signal_memory_copy(void *memory, const void *from);

/* A worker's part. `memory` is begun with as it is and stays the caller's; NULL: it has its own. `shared` must outlive it.
 * NULL: out of memory. */
struct fw_signal *fw_signal_create(struct fw_signal_shared *shared, void *memory);
void fw_signal_destroy(struct fw_signal *s);

/* What is read of a request. Texts that are not there have n 0. */
struct fw_signal_request {
	const struct fw_json *body; /* a decide request; NULL: none */
	struct fw_str user_agent, accept_language, referer, sec_gpc;
	struct fw_str sec_ch_ua, sec_ch_ua_mobile, sec_ch_ua_platform, sec_ch_ua_form_factors;
	struct fw_forwarded forwarded;
	const struct sockaddr *peer;
	bool secret;         /* it carries a secret key, or there are no keys and it comes from loopback */
	bool user_is_signed; /* the userId is proven: by `secret`, or by its userHash */
	int64_t now_us;
};

/* Fills facts that fw_facts_init was called for, from the request alone: geography, traffic, device, context, time,
 * `logged_in`, consent where it is told or has a default, and context.traits as traits; sets the clock. What the body's
 * context lacks is taken from the headers. Geography is that of context.ip (only with `secret`, and then of nothing else,
 * but context.location, which outranks it), else of the connection.
 * Allocates in the arena of `f` alone and never waits. 0 or FW_ENOMEM. */
int fw_signal_read(struct fw_signal *s, const struct fw_signal_request *r, struct fw_facts *f);

/* The client's address: the connection's, or what trusted proxies say. False when it cannot be told. */
bool fw_signal_client(const struct fw_signal *s, const struct fw_signal_request *r, struct fw_ip *ret);

/* How often the device of a user agent was remembered, and how often it was asked for. */
void fw_signal_device_counts(const struct fw_signal *s, uint64_t *ret_hits, uint64_t *ret_calls);

#endif

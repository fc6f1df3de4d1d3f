/* The engine's people, as the server uses them: events in, what is known of a person out. Answers come when the store has
 * answered, which may be before the call returns. */
#ifndef FW_SERVER_ENGINE_PEOPLE_H
#define FW_SERVER_ENGINE_PEOPLE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct fw_engine_worker;
struct fw_plugin_request;

/* The answer: an HTTP status and one JSON value ({"error":{…}} from 400 on; also when memory ran out, which `out->failed`
 * says). `out` is the engine's, valid during the call. Comes exactly once for each question. */
typedef void (*fw_engine_done)(void *data, int status, struct fw_buf *out);

/* Events: one, a list of them, or a batch object ({"batch":[…],"sentAt"?,"context"?,"integrations"?}). Of `request` the
 * connection and the headers are used; NULL: a server's. `secret`: asked with a secret key; without, an event speaks for
 * its own anonymousId. `request` and `json` live until the answer.
 * 200 {"success":true,"accepted":n,"rejected":[{"index","code","message"}]}: those accepted are stored, those rejected are
 * among the dead letters. 400 bad_json, bad_request; 429 too_many; 503 unavailable: nothing was taken, or not all of it is
 * known to be, and the same may be sent again. */
void fw_engine_ingest(struct fw_engine_worker *worker, struct fw_plugin_request *request, bool secret, struct fw_str json,
	fw_engine_done done, void *data);

/* A person, by an id as /v1/visitors has it; `what`: "show", "timeline", "export" or "merges". Both live until the answer. 200,
 * 404 not_found, 503 unavailable; 400 bad_request when the kind of the id is not known. */
bool fw_engine_shows(const char *what); /* whether it is one of these */
void fw_engine_visitor(struct fw_engine_worker *worker, const char *id, const char *what, fw_engine_done done, void *data);

/* What is to become of a person: "erase" (200, or 202 while it goes on, with the receipt), "restriction" (`json`: {"restricted":true} or
 * false), "unmerge" (`json`: {"number":7}, or nothing for the latest: the merges that are left); or "receipt" of the erasure `id`. 400,
 * 404 not_found, 503 unavailable. */
void fw_engine_right(struct fw_engine_worker *worker, const char *id, const char *what, struct fw_str json,
	fw_engine_done done, void *data);

/* What a person says of purposes and channels: {"grant":[…],"deny":[…],"withdraw":[…],"source","at","text"}, the lists and the rest
 * as far as they are there. `request` counts, as one that may bring a person whom nobody has seen; NULL: a server's. `secret`: asked with a
 * secret key; without, for an anonymousId that proves itself, and of purposes.
 * `json` lives until the answer. 200 {"consent":[what is granted now]}: it is stored. 400 bad_json, bad_request; 403 forbidden;
 * 413 too_large; 429 too_many; 503 unavailable: it may be said again. */
void fw_engine_consent(struct fw_engine_worker *worker, struct fw_plugin_request *request, const char *id, bool secret, struct fw_str json,
	fw_engine_done done, void *data);

#endif

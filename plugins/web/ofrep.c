/* POST /ofrep/v1/evaluate/flags and …/flags/{key}: OpenFeature's remote evaluation, so that its stock providers work as they are. */
#include "ofrep.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL /* so that nothing is linked */
#include <xxhash.h>

#include "common/escape.h"
#include "json.h"

static const char type[] = "application/json";

/* {"key":…,"errorCode":…,"errorDetails":…}; no key where all are asked for, no code for trouble of this side. */
static void refuse(const struct fw_host *host, const struct web_evaluation *e, int status, const char *code, struct fw_plugin_text details)
{
	struct web_text t = web_text_in(host, e->request, COMMON_ESCAPED_BYTES * (e->flag.n + details.n) + 128);
	web_puts(&t, "{");
	if (e->flag.p) {
		web_puts(&t, "\"key\":");
		web_put_string(&t, e->flag);
		web_puts(&t, ",");
	}
	if (code) {
		web_puts(&t, "\"errorCode\":\"");
		web_puts(&t, code);
		web_puts(&t, "\",");
	}
	web_puts(&t, "\"errorDetails\":");
	web_put_string(&t, details);
	web_puts(&t, "}");
	host->reply(e->request, status, type, t.failed ? "{}" : t.p, t.failed ? 2 : t.n);
}

/* What the engine says of a request that it does not answer. Its texts are JSON already, and need no more than their quotes off: the
 * few escapes in them are shown. */
static void pass_on(const struct fw_host *host, const struct web_evaluation *e, int status, struct fw_plugin_text json)
{
	static const char *const outer[] = { "error", NULL }, *const inner[] = { "code", "message", "hint", NULL };
	struct fw_plugin_text error, part[3];
	char details[512];
	web_json_members(json, outer, &error);
	web_json_members(error, inner, part);
	int n = snprintf(details, sizeof details, "%.*s%s%.*s", (int)(part[1].n > 2 ? part[1].n - 2 : 0), part[1].p ? part[1].p + 1 : "",
		part[2].n > 2 ? ": " : "", (int)(part[2].n > 2 ? part[2].n - 2 : 0), part[2].p ? part[2].p + 1 : "");
	struct fw_plugin_text text = { details, n < (int)sizeof details ? (size_t)n : sizeof details - 1 };
	web_say_again(host, e->request, status);
	refuse(host, e, status, status >= 500 ? NULL : status != 400 ? "GENERAL" : web_json_is(part[0], "\"bad_json\"") ? "PARSE_ERROR"
		: "INVALID_CONTEXT", text);
}

/* What the engine says of a slot: the values of it, and of its first winner. p NULL: it has none of that name. */
struct slot {
	struct fw_plugin_text reason, content, winners, list, error;
	struct fw_plugin_text rule, split;
};

static struct fw_plugin_text *place_in(struct slot *s, struct fw_plugin_text key)
{
	return web_json_is(key, "\"reason\"") ? &s->reason : web_json_is(key, "\"content\"") ? &s->content
		: web_json_is(key, "\"list\"") ? &s->list : web_json_is(key, "\"error\"") ? &s->error : NULL;
}

static void read_winners(struct fw_plugin_text *rest, struct slot *s)
{
	struct fw_plugin_text key, v;
	const char *begin = rest->p;
	for (int first = 1; web_json_element(rest); first = 0) {
		while (web_json_next(rest, &key, &v))
			if (first && web_json_is(key, "\"rule\""))
				s->rule = v;
			else if (first && web_json_is(key, "\"split\""))
				s->split = v;
		web_json_leave(rest);
	}
	web_json_leave(rest);
	s->winners = (struct fw_plugin_text){ begin, (size_t)(rest->p - begin) };
}

/* In one pass: with twenty flags this is most of what is done here. */
static struct slot read_slot(struct fw_plugin_text *rest)
{
	struct slot s = { .rule = { NULL, 0 } };
	struct fw_plugin_text key, v, *place;
	while (web_json_member(rest, &key)) {
		if (web_json_is(key, "\"winners\"")) {
			read_winners(rest, &s);
			continue;
		}
		v = web_json_value(rest);
		if ((place = place_in(&s, key)))
			*place = v;
	}
	web_json_leave(rest);
	return s;
}

/* The contents of all winners as a list. */
static void put_list(struct web_text *t, struct fw_plugin_text winners)
{
	static const char *const names[] = { "content", NULL };
	struct fw_plugin_text one, content;
	web_puts(t, "[");
	for (int first = 1; web_json_next(&winners, NULL, &one); first = 0) {
		web_json_members(one, names, &content);
		web_puts(t, first ? "" : ",");
		web_put(t, content);
	}
	web_puts(t, "]");
}

/* "value":…,"variant":…,"reason":… and, of what the metadata has, all but the decision's id. A slot of several whose default is shown
 * has that as the list's one element. */
static void put_answer(struct web_text *t, const struct slot *s, int degraded)
{
	int list = web_json_is(s->list, "true"), empty = web_json_is(s->content, "null");
	web_puts(t, ",\"value\":");
	if (list && (s->rule.p || empty)) {
		put_list(t, s->winners);
	} else {
		web_puts(t, list ? "[" : "");
		web_put(t, empty ? (struct fw_plugin_text){ "{}", 2 } : s->content);
		web_puts(t, list ? "]" : "");
	}
	web_puts(t, ",\"variant\":");
	web_put(t, s->rule.p ? s->rule : (struct fw_plugin_text){ "\"default\"", 9 });
	web_puts(t, ",\"reason\":\"");
	web_puts(t, !s->rule.p ? "DEFAULT" : web_json_is(s->split, "true") ? "SPLIT" : "TARGETING_MATCH");
	web_puts(t, "\",\"metadata\":{");
	web_puts(t, degraded ? "\"degraded\":true," : "");
	web_puts(t, web_json_is(s->reason, "\"holdout\"") ? "\"holdout\":true," : "");
}

/* One flag. `key` with its quotes. Adds to the hash what the answer says, whichever decision said it. */
static void put_flag(struct web_text *t, struct fw_plugin_text key, const struct slot *slot, int degraded,
	struct fw_plugin_text decision, XXH3_state_t *hash)
{
	size_t from = t->n;
	web_puts(t, "{\"key\":");
	web_put(t, key);
	put_answer(t, slot, degraded);
	if (hash && !t->failed)
		XXH3_128bits_update(hash, t->p + from, t->n - from);
	web_puts(t, "\"decisionId\":");
	web_put(t, decision);
	web_puts(t, "}}");
}

/* What the engine's answer says besides its slots. Its id is the first, and what is said of all slots comes before them. */
enum { DECISION, DEGRADED, TAG, N_ANSWER };

static void note_answer(struct fw_plugin_text answer[N_ANSWER], struct fw_plugin_text key, struct fw_plugin_text v)
{
	static const char *const names[N_ANSWER] = { "\"decisionId\"", "\"degraded\"", "\"tag\"" };
	for (size_t i = 0; i < N_ANSWER; i++)
		if (web_json_is(key, names[i]))
			answer[i] = v;
}

static size_t count(struct fw_plugin_text object)
{
	struct fw_plugin_text key, v;
	size_t n = 0;
	while (web_json_next(&object, &key, &v))
		n++;
	return n;
}

/* How many flags an answer has at most, counted where guessing by the least that a slot takes would be dear. */
static size_t flags_at_most(struct fw_plugin_text json, struct fw_plugin_text slots)
{
	enum { LEAST_SLOT = 48, LARGE = 64 << 10 };
	return json.n < LARGE ? json.n / LEAST_SLOT : count(slots);
}

/* As much as an answer can grow: what is said of a flag takes more than what the engine says of its slot by less than AROUND_FLAG. */
static struct web_text room_for(const struct web_evaluation *e, const struct fw_host *host, struct fw_plugin_text json, size_t flags,
	size_t more)
{
	enum { AROUND_FLAG = 256 };
	return web_text_in(host, e->request, json.n + (flags + 1) * AROUND_FLAG + more);
}

static void too_large(const struct fw_host *host, const struct web_evaluation *e)
{
	static const char no_memory[] = "the request takes more memory than one may";
	refuse(host, e, 413, "GENERAL", (struct fw_plugin_text){ no_memory, sizeof no_memory - 1 });
}

static void answer_one(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	static const char unknown[] = "there is no such slot";
	const struct fw_host *host = self->host;
	const struct web_evaluation *e = data;
	if (status != 200) {
		pass_on(host, e, status, json);
		return;
	}
	struct fw_plugin_text answer[N_ANSWER] = { { NULL, 0 } }, rest = json, key, flag = { NULL, 0 };
	struct slot slot = { .rule = { NULL, 0 } };
	while (web_json_member(&rest, &key)) {
		if (!web_json_is(key, "\"decisions\"")) {
			note_answer(answer, key, web_json_value(&rest));
			continue;
		}
		if (web_json_member(&rest, &flag))
			slot = read_slot(&rest);
		web_json_leave(&rest);
	}
	if (slot.error.p || !flag.p) {
		refuse(host, e, 404, "FLAG_NOT_FOUND", (struct fw_plugin_text){ unknown, sizeof unknown - 1 });
		return;
	}
	struct web_text t = room_for(e, host, json, 1, 0);
	put_flag(&t, flag, &slot, answer[DEGRADED].p != NULL, answer[DECISION], NULL);
	if (t.failed) {
		too_large(host, e);
		return;
	}
	host->reply_header(e->request, "Cache-Control", "no-store");
	host->reply(e->request, 200, type, t.p, t.n);
}

enum { ENGINE_HASH = 16, FLAGS_HASH = 32, PLACE = 30, PLACES_MOST = 8 };

/* What of the engine's tag says which places under caps the answer has. */
static struct fw_plugin_text places_of(struct fw_plugin_text tag)
{
	struct fw_plugin_text bare = tag.n > 2 ? (struct fw_plugin_text){ tag.p + 1, tag.n - 2 } : (struct fw_plugin_text){ "", 0 };
	return bare.n > ENGINE_HASH ? (struct fw_plugin_text){ bare.p + ENGINE_HASH, bare.n - ENGINE_HASH }
		: (struct fw_plugin_text){ "", 0 };
}

static int is_hex(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return 0;
	return 1;
}

/* The same of an entity tag that was given before, the first that is one of ours; n 0: there is none. */
static struct fw_plugin_text places_in(struct fw_plugin_text tags)
{
	const char *open = tags.n ? memchr(tags.p, '"', tags.n) : NULL;
	size_t left = open ? (size_t)(tags.p + tags.n - open - 1) : 0;
	const char *close = left ? memchr(open + 1, '"', left) : NULL;
	struct fw_plugin_text none = { "", 0 };
	if (!close || close - open - 1 < FLAGS_HASH || !is_hex(open + 1, FLAGS_HASH))
		return none;
	struct fw_plugin_text places = { open + 1 + FLAGS_HASH, (size_t)(close - open - 1) - FLAGS_HASH };
	if (places.n % PLACE != 0 || places.n > PLACE * PLACES_MOST)
		return none;
	for (const char *p = places.p; p < close; p += PLACE)
		if (p[0] != '.' || p[13] != '-' || !is_hex(p + 1, 12) || !is_hex(p + 14, 16))
			return none;
	return places;
}

/* The tag of all flags is that of what they say, so that polling costs little while nothing changes; and of the places that they have
 * under caps, so that it takes none anew. */
static void give_tagged(const struct fw_host *host, const struct web_evaluation *e, const struct web_text *t, const XXH3_state_t *hash,
	struct fw_plugin_text places)
{
	XXH128_hash_t sum = XXH3_128bits_digest(hash);
	char tag[FLAGS_HASH + PLACE * PLACES_MOST + 3];
	snprintf(tag, sizeof tag, "\"%016llx%016llx%.*s\"", (unsigned long long)sum.high64, (unsigned long long)sum.low64,
		(int)places.n, places.p);
	host->reply_header(e->request, "ETag", tag);
	host->reply_header(e->request, "Cache-Control", "no-cache");
	if (web_tag_matches(host->request_header(e->request, "If-None-Match"), tag))
		host->reply(e->request, 304, NULL, NULL, 0);
	else
		host->reply(e->request, 200, type, t->p, t->n);
}

/* The flags one after the other, as they are read. */
static void put_flags(struct web_text *t, struct fw_plugin_text *slots, const struct fw_plugin_text *answer, XXH3_state_t *hash)
{
	struct fw_plugin_text key;
	web_puts(t, "{\"flags\":[");
	for (int first = 1; web_json_member(slots, &key); first = 0) {
		struct slot slot = read_slot(slots);
		web_puts(t, first ? "" : ",");
		put_flag(t, key, &slot, answer[DEGRADED].p != NULL, answer[DECISION], hash);
	}
	web_json_leave(slots);
	web_puts(t, "]");
}

/* Not on the stack: what is to lie at multiples of 64 does not where gcc 12 watches what outlives a function. NULL: no room. */
static XXH3_state_t *begin_hash(const struct fw_host *host, const struct web_evaluation *e)
{
	enum { ALIGNED = 64 };
	char *room = host->request_alloc(e->request, sizeof(XXH3_state_t) + ALIGNED - 1);
	XXH3_state_t *hash = room ? (void *)(room + (ALIGNED - (uintptr_t)room % ALIGNED) % ALIGNED) : NULL;
	if (hash)
		XXH3_128bits_reset(hash);
	return hash;
}

static void answer_all(struct fw_plugin_instance *self, void *data, int status, struct fw_plugin_text json)
{
	const struct fw_host *host = self->host;
	const struct web_evaluation *e = data;
	if (status != 200) {
		pass_on(host, e, status, json);
		return;
	}
	struct fw_plugin_text answer[N_ANSWER] = { { NULL, 0 } }, rest = json, key;
	struct web_text t = { NULL, 0, 0, 0 };
	XXH3_state_t *hash = begin_hash(host, e);
	while (web_json_member(&rest, &key)) {
		if (!web_json_is(key, "\"decisions\"")) {
			note_answer(answer, key, web_json_value(&rest));
			continue;
		}
		/* What its flags say of it comes before them. */
		t = room_for(e, host, json, flags_at_most(json, rest), web_ofrep_streams_room(e));
		put_flags(&t, &rest, answer, hash);
	}
	web_puts(&t, ",\"metadata\":{\"decisionId\":");
	web_put(&t, answer[DECISION]);
	web_puts(&t, "}");
	web_ofrep_put_streams(host, e, answer[TAG], &t);
	web_puts(&t, "}");
	if (t.failed || !hash)
		too_large(host, e);
	else
		give_tagged(host, e, &t, hash, places_of(answer[TAG]));
}

/* Whoever has the flags already shows what is under caps in them. */
static void add_shown(const struct fw_host *host, struct web_evaluation *e)
{
	struct fw_plugin_text places = places_in(host->request_header(e->request, "If-None-Match"));
	if (!places.n)
		return;
	struct web_text t = web_text_in(host, e->request, places.n + 64);
	web_puts(&t, ",\"shown\":\"0000000000000000");
	web_put(&t, places);
	web_puts(&t, "\"");
	if (!t.failed)
		e->more = (struct fw_plugin_text){ t.p, t.n };
}

static void evaluate(struct fw_plugin_instance *self, struct fw_plugin_request *request, struct fw_plugin_text flag, fw_plugin_done done)
{
	const struct fw_host *host = self->host;
	struct web_evaluation *e = host->request_alloc(request, sizeof *e);
	struct fw_plugin_text json;
	const char *details, *code;
	host->metric_add(host, WEB_METRIC_OFREP, 1);
	if (!e) {
		host->error(request, 413, "too_large", "the request takes more memory than one may", NULL, NULL);
		return;
	}
	*e = (struct web_evaluation){ .request = request, .flag = flag, .body = host->request_body(request) };
	if (!flag.p)
		add_shown(host, e);
	code = web_ofrep_ask(host, e, &json, &details);
	if (code)
		refuse(host, e, strcmp(code, "GENERAL") == 0 ? 413 : 400, code, (struct fw_plugin_text){ details, strlen(details) });
	else
		host->decide(host, request, json, done, e);
}

/* The stock providers leave a slash in a key as it is, so all that follows is the key. */
void web_ofrep_flag(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	evaluate(self, request, self->host->request_rest(request), answer_one);
}

void web_ofrep_flags(struct fw_plugin_instance *self, struct fw_plugin_request *request)
{
	evaluate(self, request, (struct fw_plugin_text){ NULL, 0 }, answer_all);
}

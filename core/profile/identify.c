#include "profile/identify.h"

#include "base/limits.h"

/* What stands where an id should, in the logs of stores: JavaScript's and other languages' nothing, words for nobody, and addresses
 * that people type to get past a form. Folded. */
static const char *const placeholders[] = { "null", "(null)", "nil", "none", "undefined", "nan", "n/a", "-1", "false", "true",
	"[object object]", "unknown", "not set", "(not set)", "not_set", "empty", "anonymous", "guest",
	"test@test.com", "test@test.test", "test@example.com", "test@mail.com", "test@gmail.com", "email@email.com", "email@example.com",
	"user@example.com", "example@example.com", "none@none.com", "no@no.com", "na@na.com", "noemail@noemail.com", "no@email.com",
	"null@null.com", "unknown@unknown.com", "guest@guest.com", "anonymous@anonymous.com", "a@a.com", "aa@aa.com", "asd@asd.com",
	"abc@abc.com", "noreply@noreply.com", "no-reply@no-reply.com" };

/* Names of kinds that people have already, as other systems' lists of ids and paths of visitors write them. */
static const struct {
	const char *name;
	enum fw_id_kind kind;
} own_kinds[] = { { "email", FW_ID_EMAIL }, { "phone", FW_ID_PHONE }, { "user", FW_ID_USER }, { "user_id", FW_ID_USER },
	{ "anonymous", FW_ID_ANONYMOUS }, { "anonymous_id", FW_ID_ANONYMOUS } };

enum { MOST_SYSTEM_BYTES = 40, MOST_LOCAL = 64, MOST_ADDRESS = 254, MOST_LABEL = 63 };

struct gatherer {
	struct fw_arena *arena;
	struct fw_claim *claims;
	unsigned n, blocked;
};

bool fw_id_is_blocked(struct fw_str text)
{
	size_t zeros = 0;
	text = fw_str_trim(text);
	while (zeros < text.n && (text.p[zeros] == '0' || text.p[zeros] == '-'))
		zeros++;
	if (zeros == text.n)
		return true;
	for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
		if (fw_str_equal_fold(text, fw_str(placeholders[i])))
			return true;
	return false;
}

struct fw_str fw_id_or_none(struct fw_str id)
{
	return fw_id_is_blocked(id) ? (struct fw_str){ NULL, 0 } : id;
}

/* Takes a text in its normal form. */
static void add(struct gatherer *g, enum fw_id_kind kind, struct fw_str text)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->claims[i].kind == kind && fw_str_equal(g->claims[i].text, text))
			return;
	if (g->n < FW_CLAIMS_MOST)
		g->claims[g->n++] = (struct fw_claim){ kind, text };
}

static bool has_kind(const struct gatherer *g, enum fw_id_kind kind)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->claims[i].kind == kind)
			return true;
	return false;
}

/* The event's own ids, which it has as texts. */
static void add_own(struct gatherer *g, enum fw_id_kind kind, struct fw_str text, bool proven)
{
	if (text.n == 0)
		return;
	if (fw_id_is_blocked(text))
		g->blocked++;
	else if (proven)
		add(g, kind, text);
}

static int add_copy(struct gatherer *g, enum fw_id_kind kind, const char *p, size_t n)
{
	char *copy = fw_arena_strndup(g->arena, p, n);
	if (!copy)
		return FW_ENOMEM;
	add(g, kind, (struct fw_str){ copy, n });
	return 0;
}

static int add_other(struct gatherer *g, struct fw_str system, struct fw_str id)
{
	char *text = fw_arena_alloc(g->arena, system.n + 1 + id.n);
	if (!text)
		return FW_ENOMEM;
	fw_fold(system, text);
	text[system.n] = ':';
	memcpy(text + system.n + 1, id.p, id.n);
	add(g, FW_ID_OTHER, (struct fw_str){ text, system.n + 1 + id.n });
	return 0;
}

/* An id of the named kind or system. What is too long, or no text, is none. */
static int add_named(struct gatherer *g, struct fw_str name, const struct fw_json *value)
{
	char email[FW_EMAIL_BYTES], phone[FW_PHONE_BYTES], number[32];
	enum fw_id_kind kind = FW_ID_OTHER;
	size_t n = 0;
	struct fw_str id = { NULL, 0 };
	if (value && value->type == FW_JSON_STRING)
		id = fw_str_trim(value->string);
	else if (value && value->type == FW_JSON_NUMBER)
		id = (struct fw_str){ number, fw_number_text(value->number, number) };
	if (id.n == 0 || name.n == 0 || name.n > MOST_SYSTEM_BYTES || memchr(name.p, ':', name.n) ||
		id.n + name.n + 1 > FW_LIMIT_EVENT_ID_BYTES)
		return 0;
	if (fw_id_is_blocked(id)) {
		g->blocked++;
		return 0;
	}
	for (size_t i = 0; i < sizeof own_kinds / sizeof *own_kinds; i++)
		if (fw_str_equal_fold(name, fw_str(own_kinds[i].name)))
			kind = own_kinds[i].kind;
	switch (kind) {
	case FW_ID_EMAIL: return fw_normal_email(id, email, &n) ? add_copy(g, kind, email, n) : 0;
	case FW_ID_PHONE: return fw_normal_phone(id, phone, &n) ? add_copy(g, kind, phone, n) : 0;
	case FW_ID_USER: return has_kind(g, FW_ID_USER) ? 0 : add_copy(g, kind, id.p, id.n); /* one event is one user's */
	case FW_ID_ANONYMOUS: return add_copy(g, kind, id.p, id.n);
	default: return add_other(g, name, id);
	}
}

static int add_traits(struct gatherer *g, const struct fw_json *traits)
{
	const struct fw_json *ids = fw_json_get(traits, "ids");
	int rc = add_named(g, FW_STR("email"), fw_json_get(traits, "email"));
	if (rc == 0)
		rc = add_named(g, FW_STR("phone"), fw_json_get(traits, "phone"));
	for (const struct fw_json *m = ids && ids->type == FW_JSON_OBJECT ? ids->child : NULL; m && rc == 0; m = m->next)
		rc = add_named(g, m->key, m);
	return rc;
}

static int add_external(struct gatherer *g, const struct fw_json *list)
{
	int rc = 0;
	for (const struct fw_json *e = list && list->type == FW_JSON_ARRAY ? list->child : NULL; e && rc == 0; e = e->next)
		rc = add_named(g, fw_json_text(e, "type"), fw_json_get(e, "id"));
	return rc;
}

int fw_identify(struct fw_arena *a, const struct fw_event *e, bool proven_user, bool proven_all, struct fw_claim claims[FW_CLAIMS_MOST],
	unsigned *ret_n, unsigned *ret_blocked)
{
	struct gatherer g = { .arena = a, .claims = claims };
	bool proven = proven_user || proven_all;
	int rc = 0;
	add_own(&g, FW_ID_ANONYMOUS, e->anonymous_id, true);
	add_own(&g, FW_ID_USER, e->user_id, proven);
	if (e->type == FW_EVENT_ALIAS)
		add_own(&g, FW_ID_ANONYMOUS, e->previous_id, proven);
	if (proven_all) {
		/* A group's traits are the group's. */
		rc = e->type == FW_EVENT_GROUP ? 0 : add_traits(&g, e->traits);
		if (rc == 0)
			rc = add_traits(&g, fw_json_get(e->context, "traits"));
		if (rc == 0)
			rc = add_external(&g, fw_json_get(e->context, "externalIds"));
	}
	if (rc < 0)
		return rc;
	*ret_n = g.n;
	*ret_blocked = g.blocked;
	return 0;
}

static bool is_local(struct fw_str s)
{
	if (s.n == 0 || s.n > MOST_LOCAL || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127 || strchr("\"(),:;<>@[\\]", s.p[i]))
			return false;
	return true;
}

static bool is_label(struct fw_str s)
{
	if (s.n == 0 || s.n > MOST_LABEL || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i]; /* beyond ASCII: a name in its own script */
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c >= 0x80))
			return false;
	}
	return true;
}

/* Labels with points between them, at least two; the last is no number. */
static bool is_domain(struct fw_str s)
{
	unsigned labels = 0;
	struct fw_str label = { s.p, 0 };
	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != '.')
			continue;
		label.n = (size_t)(s.p + i - label.p);
		if (!is_label(label))
			return false;
		labels++;
		if (i < s.n)
			label = (struct fw_str){ s.p + i + 1, 0 };
	}
	return labels >= 2 && label.n >= 2 && !(label.p[0] >= '0' && label.p[0] <= '9');
}

bool fw_normal_email(struct fw_str text, char out[FW_EMAIL_BYTES], size_t *ret_n)
{
	text = fw_str_trim(text);
	if (text.n == 0 || text.n > MOST_ADDRESS)
		return false;
	fw_fold(text, out);
	const char *at = memchr(out, '@', text.n);
	if (!at)
		return false;
	struct fw_str local = { out, (size_t)(at - out) }, domain = { at + 1, text.n - local.n - 1 };
	if (!is_local(local) || !is_domain(domain))
		return false;
	*ret_n = text.n;
	return true;
}

static bool begins(struct fw_str s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && memcmp(s.p, with, n) == 0;
}

bool fw_normal_phone(struct fw_str text, char out[FW_PHONE_BYTES], size_t *ret_n)
{
	enum { LEAST = 7, MOST = 15 };
	size_t n = 1;
	text = fw_str_trim(text);
	size_t i = begins(text, "+") ? 1 : begins(text, "00") ? 2 : 0;
	if (i == 0)
		return false;
	out[0] = '+';
	for (; i < text.n; i++) {
		char c = text.p[i];
		if (begins((struct fw_str){ text.p + i, text.n - i }, "(0)")) {
			i += 2;
			continue;
		}
		if (c && strchr(" -./()", c))
			continue;
		if (c < '0' || c > '9' || n > MOST)
			return false;
		out[n++] = c;
	}
	if (n < 1 + LEAST || out[1] == '0')
		return false;
	*ret_n = n;
	return true;
}

bool fw_normal_address(struct fw_str channel, struct fw_str address, char out[FW_EMAIL_BYTES], struct fw_claim *ret)
{
	_Static_assert(FW_PHONE_BYTES <= FW_EMAIL_BYTES, "room for either");
	bool email = fw_str_is(channel, "email");
	size_t n = 0;
	if (email ? !fw_normal_email(address, out, &n) : !fw_str_is(channel, "sms") || !fw_normal_phone(address, out, &n))
		return false;
	*ret = (struct fw_claim){ email ? FW_ID_EMAIL : FW_ID_PHONE, { out, n } };
	return true;
}

/* What a message is judged with that tells of a product which somebody asked for. */
#include <math.h>

#include "base/clock.h"
#include "decide/due.h"
#include "fact/products.h"

/* What holds of a person beyond the moment of a request. */
static const char *const lasting[] = { "country", "region", "timezone", "language", "city" };
enum { LASTING = sizeof lasting / sizeof *lasting };

static void put_place(const struct fw_json *told, unsigned n, struct fw_json_out *o)
{
	for (unsigned i = 0; told && i < n; i++) {
		struct fw_str text = fw_json_text(told, lasting[i]);
		if (!text.n)
			continue;
		fw_json_key(o, lasting[i]);
		fw_json_string(o, text);
	}
}

int fw_due_place(struct fw_str facts, struct fw_arena *a, struct fw_str *ret)
{
	struct fw_json *told = NULL;
	struct fw_json_out o;
	struct fw_buf b;
	struct fw_error err;
	*ret = (struct fw_str){ NULL, 0 };
	int rc = facts.n ? fw_json_parse(a, facts.p, facts.n, &told, &err) : FW_EINVAL;
	if (rc < 0)
		return rc == FW_ENOMEM ? rc : 0;
	fw_buf_init(&b, 0);
	for (unsigned n = LASTING; n > 0; n--) { /* what is told last is missed least */
		fw_buf_clear(&b);
		fw_json_out_init(&o, &b);
		fw_json_open_object(&o);
		put_place(told, n, &o);
		fw_json_close_object(&o);
		if (b.failed || b.n <= FW_LIMIT_ASK_PLACE_BYTES)
			break;
	}
	if (b.n > FW_LIMIT_ASK_PLACE_BYTES || b.n <= sizeof "{}" - 1)
		fw_buf_clear(&b);
	return fw_buf_keep(&b, a, ret);
}

static void put(struct fw_json_out *o, const char *key, struct fw_str text, size_t most)
{
	if (!text.n || text.n > most)
		return;
	fw_json_key(o, key);
	fw_json_string(o, text);
}

static void put_event(const struct fw_products *p, uint32_t number, int64_t asked_us, int64_t now_us, size_t most, struct fw_json_out *o)
{
	struct fw_product x;
	char at[32];
	fw_products_get(p, number, now_us, &x);
	double price = isnan(x.sale_price) ? x.price : x.sale_price;
	fw_json_open_object(o);
	put(o, "product_id", x.id, SIZE_MAX);
	put(o, "name", x.title, most);
	put(o, "brand", x.brand, most);
	put(o, "url", x.link, most);
	put(o, "image_url", x.image, most);
	if (!isnan(price)) {
		fw_json_key(o, "price");
		fw_json_number(o, price);
		put(o, "currency", fw_str(p->head->currency), SIZE_MAX);
	}
	put(o, "requested_at", fw_str(fw_time_text(asked_us, at)), SIZE_MAX);
	fw_json_close_object(o);
}

int fw_due_restocked(const struct fw_products *p, uint32_t product, struct fw_str place, int64_t asked_us, int64_t now_us,
	struct fw_arena *a, struct fw_str *ret)
{
	struct fw_json *told = NULL;
	struct fw_error err;
	struct fw_buf b;
	if (place.n && fw_json_parse(a, place.p, place.n, &told, &err) == FW_ENOMEM)
		return FW_ENOMEM;
	fw_buf_init(&b, 0);
	for (size_t most = FW_LIMIT_DUE_FACTS_BYTES; ; most /= 2) {
		struct fw_json_out o;
		fw_buf_clear(&b);
		fw_json_out_init(&o, &b);
		fw_json_open_object(&o);
		put_place(told, LASTING, &o);
		fw_json_key(&o, "event");
		put_event(p, product, asked_us, now_us, most, &o);
		fw_json_close_object(&o);
		if (b.failed || b.n <= FW_LIMIT_DUE_FACTS_BYTES || most == 0)
			break;
	}
	return fw_buf_keep(&b, a, ret);
}

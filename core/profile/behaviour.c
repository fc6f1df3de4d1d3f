#include "profile/behaviour.h"

#include "profile/ask.h"

/* Numbers of names are their places here and part of the record's format: new names are added at the end, none moves. */
static const struct fw_behaviour behaviours[] = {
	{ .name = "Products Searched", .did = FW_DID_SEARCH, .object = "query" },
	{ .name = "Product List Viewed", .did = FW_DID_NOTHING, .object = "category" },
	{ .name = "Product List Filtered", .did = FW_DID_NOTHING, .object = "category" },
	{ .name = "Promotion Viewed", .did = FW_DID_NOTHING, .object = "promotion_id" },
	{ .name = "Promotion Clicked", .did = FW_DID_CLICK, .object = "promotion_id" },
	{ .name = "Product Clicked", .did = FW_DID_CLICK, .object = "product_id" },
	{ .name = "Product Viewed", .did = FW_DID_VIEW, .object = "product_id" },
	{ .name = "Product Added", .did = FW_DID_ADD, .cart = FW_CART_ADD, .object = "product_id" },
	{ .name = "Product Removed", .did = FW_DID_NOTHING, .cart = FW_CART_REMOVE, .object = "product_id" },
	{ .name = "Cart Viewed", .did = FW_DID_NOTHING, .cart = FW_CART_IS },
	{ .name = "Checkout Started", .did = FW_DID_NOTHING, .object = "order_id" },
	{ .name = "Checkout Step Viewed", .did = FW_DID_NOTHING },
	{ .name = "Checkout Step Completed", .did = FW_DID_NOTHING },
	{ .name = "Payment Info Entered", .did = FW_DID_NOTHING },
	{ .name = "Order Completed", .did = FW_DID_BUY, .cart = FW_CART_EMPTY, .order = FW_ORDER_COMPLETE, .object = "order_id" },
	{ .name = "Order Updated", .did = FW_DID_NOTHING, .order = FW_ORDER_UPDATE, .away = true, .object = "order_id" },
	{ .name = "Order Refunded", .did = FW_DID_NOTHING, .order = FW_ORDER_REFUND, .away = true, .object = "order_id" },
	{ .name = "Order Cancelled", .did = FW_DID_NOTHING, .order = FW_ORDER_CANCEL, .away = true, .object = "order_id" },
	{ .name = "Cart Emptied", .did = FW_DID_NOTHING, .cart = FW_CART_EMPTY },
	{ .name = "Cart Cleared", .did = FW_DID_NOTHING, .cart = FW_CART_EMPTY },
	{ .name = "Coupon Entered", .did = FW_DID_NOTHING, .object = "coupon_id" },
	{ .name = "Coupon Applied", .did = FW_DID_NOTHING, .object = "coupon_id" },
	{ .name = "Coupon Denied", .did = FW_DID_NOTHING, .object = "coupon_id" },
	{ .name = "Coupon Removed", .did = FW_DID_NOTHING, .object = "coupon_id" },
	{ .name = "Product Added to Wishlist", .did = FW_DID_NOTHING, .object = "product_id" },
	{ .name = "Product Removed from Wishlist", .did = FW_DID_NOTHING, .object = "product_id" },
	{ .name = "Wishlist Product Added to Cart", .did = FW_DID_ADD, .cart = FW_CART_ADD, .object = "product_id" },
	{ .name = "Product Shared", .did = FW_DID_NOTHING, .object = "product_id" },
	{ .name = "Cart Shared", .did = FW_DID_NOTHING },
	{ .name = "Product Reviewed", .did = FW_DID_NOTHING, .object = "product_id" },
	{ .name = "Email Delivered", .did = FW_DID_NOTHING, .message = FW_MESSAGE_SENT, .channel = "email", .away = true,
		.object = "campaign_name" },
	{ .name = "Email Opened", .did = FW_DID_OPEN, .message = FW_MESSAGE_ENGAGED, .channel = "email", .away = true,
		.object = "campaign_name" },
	{ .name = "Email Link Clicked", .did = FW_DID_CLICK, .message = FW_MESSAGE_ENGAGED, .channel = "email", .away = true,
		.object = "campaign_name" },
	{ .name = "Email Bounced", .did = FW_DID_NOTHING, .away = true, .object = "campaign_name" },
	{ .name = "Email Marked as Spam", .did = FW_DID_NOTHING, .away = true, .object = "campaign_name" },
	{ .name = "Unsubscribed", .did = FW_DID_NOTHING, .away = true, .object = "list_name" },
	{ .name = "SMS Delivered", .did = FW_DID_NOTHING, .message = FW_MESSAGE_SENT, .channel = "sms", .away = true,
		.object = "campaign_name" },
	{ .name = "SMS Link Clicked", .did = FW_DID_CLICK, .message = FW_MESSAGE_ENGAGED, .channel = "sms", .away = true,
		.object = "campaign_name" },
	{ .name = "Experiment Viewed", .did = FW_DID_NOTHING, .object = "experiment_id" },
	{ .name = "Segment Consent Preference Updated", .did = FW_DID_NOTHING, .away = true },
	{ .name = FW_ASK_REQUESTED, .did = FW_DID_NOTHING, .ask = FW_ASK_PUT, .object = "product_id" },
	{ .name = FW_ASK_CANCELLED, .did = FW_DID_NOTHING, .ask = FW_ASK_DROP, .away = true, .object = "product_id" },
};
enum { N_BEHAVIOURS = sizeof behaviours / sizeof *behaviours };

/* Names of e-commerce v1, and what came after them. */
static const struct {
	const char *old, *now;
} aliases[] = {
	{ "Viewed Product", "Product Viewed" }, { "Viewed Product Category", "Product List Viewed" },
	{ "Added Product", "Product Added" }, { "Removed Product", "Product Removed" },
	{ "Completed Order", "Order Completed" }, { "Viewed Promotion", "Promotion Viewed" },
	{ "Clicked Promotion", "Promotion Clicked" }, { "Searched Products", "Products Searched" },
	{ "Viewed Cart", "Cart Viewed" }, { "Clicked Product", "Product Clicked" },
	{ "Order Canceled", "Order Cancelled" },
};

static unsigned number_of(struct fw_str name)
{
	for (unsigned i = 0; i < N_BEHAVIOURS; i++)
		if (fw_str_equal_fold(name, fw_str(behaviours[i].name)))
			return i + 1;
	return 0;
}

const struct fw_behaviour *fw_behaviour_find(struct fw_str name)
{
	unsigned number = number_of(name);
	for (size_t i = 0; number == 0 && i < sizeof aliases / sizeof *aliases; i++)
		if (fw_str_equal_fold(name, fw_str(aliases[i].old)))
			number = number_of(fw_str(aliases[i].now));
	return number ? &behaviours[number - 1] : NULL;
}

unsigned fw_behaviour_number(struct fw_str name)
{
	for (unsigned i = 0; i < N_BEHAVIOURS; i++)
		if (fw_str_is(name, behaviours[i].name))
			return i + 1;
	return 0;
}

const char *fw_behaviour_name(unsigned number)
{
	return number >= 1 && number <= N_BEHAVIOURS ? behaviours[number - 1].name : NULL;
}

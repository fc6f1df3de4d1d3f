-- From the first visit to the last order: a newcomer is told who we are, a customer of one order is asked for a second,
-- and whoever stayed away is asked back.

rule "how-we-work" {
  slot     = "home.hero",
  priority = 6,
  when     = { segment = "first-visit" },
  show     = { banner = "how-we-work", headline = "Tested on the mountain, repaired in Berlin", link = "/about" },
}

rule "long-time-no-see" {
  slot     = "home.hero",
  priority = 25,
  when     = { segment = "lapsed" },
  show     = function(v)
    return { banner = "what-is-new", headline = "What is new since your last order", name = v.traits.first_name }
  end,
}

rule "second-order" {
  slot        = "home.strip",
  priority    = 42,
  only_one_of = "one-discount",
  tags        = { "discount" },
  when        = { orders = 1, days_since_order = between(14, 60) },
  show        = { offer = "second-order-10", text = "10 % off your second order" },
  note        = "Whoever orders twice stays.",
}

rule "for-our-readers" {
  slot     = "home.strip",
  priority = 37,
  when     = { engagement = { email = at_least(0.3) } },
  show     = { note = "catalogue", text = "The spring catalogue, a month before it is printed", link = "/catalogue" },
  owner    = "crm",
  note     = "They open every third letter or more.",
}

rule "newsletter-ask" {
  slot     = "page.overlay",
  priority = 10,
  tags     = { "interrupts" },
  when     = { visits = at_least(3), consent = is_not "email", source = is_not "email" },
  show     = { layer = "newsletter", text = "A letter from the mountains, once a month" },
  owner    = "crm",
}

rule "how-was-it" {
  slot     = "page.corner",
  priority = 10,
  tags     = { "interrupts" },
  when     = { days_since_order = between(10, 20) },
  show     = { widget = "survey", text = "How is it doing?" },
  owner    = "service",
}

local october = "2037-10-14T17:00"

test "the first visit" {
  given  = {
    at = october, country = "DE", device = "desktop", source = "direct", consent = { "personalization" },
    events = { { "Product Viewed", category = "lamps", ago = "5m" } },
  },
  expect = { ["home.hero"] = "how-we-work", ["home.strip"] = { "welcome-code", "free-returns", "gift-cards" } },
}

test "the second is not the first" {
  given  = {
    at = october, country = "DE", device = "desktop", source = "direct", consent = { "personalization" },
    events = { { "Product Viewed", category = "lamps", ago = "3h" }, { "Product Viewed", category = "lamps", ago = "5m" } },
  },
  expect = { ["home.hero"] = "default", ["home.strip"] = { "free-returns", "gift-cards" } },
}

test "three weeks after the first order" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "21d" } },
  },
  expect = { ["home.strip"] = { "second-order", "gift-cards" } },
}

test "a cancelled order is none" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "21d" }, { "Order Cancelled", order_id = "A-1", ago = "20d" } },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "nobody is asked for a second order at once" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "3d" } },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "after the second order it is done" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "50d" }, { "Order Completed", order_id = "A-2", total = 40, ago = "21d" } },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "customers of long ago are invited back" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 80, ago = "300d" }, { "Order Completed", order_id = "A-2", total = 40, ago = "200d" } },
  },
  expect = { ["home.hero"] = "long-time-no-see", ["home.strip"] = { "win-back", "gift-cards" } },
}

test "those of three years ago are left alone" {
  given  = {
    at = october, device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 80, ago = "1100d" } },
  },
  expect = { ["home.hero"] = "default", ["home.strip"] = "gift-cards" },
}

test "a reader opens every third letter" {
  given  = {
    consent = { "personalization", "email" },
    events = {
      { "Email Delivered", campaign_name = "august", ago = "70d" },
      { "Email Delivered", campaign_name = "september", ago = "40d" },
      { "Email Delivered", campaign_name = "october", ago = "10d" },
      { "Email Opened", campaign_name = "october", ago = "9d" },
    },
  },
  expect = { ["home.strip"] = { "for-our-readers", "gift-cards" } },
}

test "a mail program that opens everything is no reader" {
  given  = {
    consent = { "personalization", "email" },
    events = {
      { "Email Delivered", campaign_name = "october", ago = "10d" },
      { "Email Opened", campaign_name = "october", machine_open = true, ago = "10d" },
    },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "the third visit is asked for an address" {
  given  = {
    page = "/", source = "direct", consent = { "personalization" },
    events = { { "Product Viewed", ago = "9d" }, { "Product Viewed", ago = "4d" }, { "Product Viewed", ago = "5m" } },
  },
  expect = { ["page.overlay"] = "newsletter-ask" },
}

test "the second visit is not" {
  given  = {
    page = "/", source = "direct", consent = { "personalization" },
    events = { { "Product Viewed", ago = "4d" }, { "Product Viewed", ago = "5m" } },
  },
  expect = { ["page.overlay"] = "default" },
}

test "who reads the newsletter is not asked for it" {
  given  = {
    page = "/", source = "direct", consent = { "personalization", "email" },
    events = { { "Product Viewed", ago = "9d" }, { "Product Viewed", ago = "4d" }, { "Product Viewed", ago = "5m" } },
  },
  expect = { ["page.overlay"] = "default" },
}

test "two weeks after an order" {
  given  = {
    page = "/", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "14d" } },
  },
  expect = { ["page.corner"] = "how-was-it" },
}

test "two months after an order nobody asks any more" {
  given  = {
    page = "/", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 90, ago = "60d" } },
  },
  expect = { ["page.corner"] = "default" },
}

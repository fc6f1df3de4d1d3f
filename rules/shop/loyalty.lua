-- What customers of long standing get. A tier is earned by what was bought and kept by buying at least once a year.

local SILVER, GOLD = 600, 1500

segment "gold" { when = { revenue = at_least(GOLD), days_since_order = at_most(365) } }

segment "silver" { when = { segment = "loyal", days_since_order = at_most(365), revenue = less_than(GOLD) } }

rule "tier-gold" {
  slot     = "account.card",
  priority = 30,
  when     = { segment = "gold" },
  show     = { tier = "gold", text = "Free express delivery and repairs" },
  owner    = "crm",
}

rule "tier-silver" {
  slot     = "account.card",
  priority = 20,
  when     = { segment = "silver" },
  show     = function(v) return { tier = "silver", text = "Free repairs", missing = string.format("%.2f", GOLD - v.revenue) } end,
  owner    = "crm",
}

rule "tier-member" {
  slot     = "account.card",
  priority = 10,
  when     = { segment = "customer" },
  show     = function(v)
    return { tier = "member", text = "Free returns", missing = string.format("%.2f", math.max(SILVER - v.revenue, 0)) }
  end,
  owner    = "crm",
}

rule "personal-adviser" {
  slot     = "home.strip",
  priority = 33,
  when     = { orders = at_least(2), average_order = at_least(250) },
  show     = { note = "personal-adviser", text = "Your own adviser: Mondays to Fridays, 9 to 18" },
  owner    = "service",
}

test "no order, no tier" {
  given  = { consent = { "personalization" }, events = { { "Product Viewed", category = "boots", ago = "1d" } } },
  expect = { ["account.card"] = "default" },
}

test "the first order makes a member" {
  given  = { consent = { "personalization" }, events = { { "Order Completed", order_id = "A-1", total = 80, ago = "3d" } } },
  expect = { ["account.card"] = "tier-member" },
}

test "an order told twice is one order" {
  given  = {
    consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 400, ago = "3d" }, { "Order Completed", order_id = "A-1", total = 400, ago = "3d" } },
  },
  expect = { ["account.card"] = "tier-member" },
}

test "six hundred make silver" {
  given  = {
    consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 400, ago = "90d" }, { "Order Completed", order_id = "A-2", total = "200.00", ago = "3d" } },
  },
  expect = { ["account.card"] = "tier-silver" },
}

test "what is sent back does not count" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Order Completed", order_id = "A-1", total = 400, ago = "90d" },
      { "Order Completed", order_id = "A-2", total = 200, ago = "3d" },
      { "Order Refunded", order_id = "A-2", total = 50, ago = "1d" },
    },
  },
  expect = { ["account.card"] = "tier-member" },
}

test "gold and an adviser" {
  given  = {
    consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 900, ago = "200d" }, { "Order Completed", order_id = "A-2", total = 700, ago = "90d" } },
  },
  expect = { ["account.card"] = "tier-gold", ["home.strip"] = { "personal-adviser", "gift-cards" } },
}

test "one large order makes no adviser" {
  given  = { consent = { "personalization" }, events = { { "Order Completed", order_id = "A-1", total = 900, ago = "200d" } } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "five orders make silver, too" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Order Completed", order_id = "A-1", total = 20, ago = "90d" },
      { "Order Completed", order_id = "A-2", total = 20, ago = "80d" },
      { "Order Completed", order_id = "A-3", total = 20, ago = "70d" },
      { "Order Completed", order_id = "A-4", total = 20, ago = "60d" },
      { "Order Completed", order_id = "A-5", total = 20, ago = "50d" },
    },
  },
  expect = { ["account.card"] = "tier-silver" },
}

test "silver is lost after a year" {
  given  = { consent = { "personalization" }, events = { { "Order Completed", order_id = "A-1", total = 700, ago = "400d" } } },
  expect = { ["account.card"] = "tier-member" },
}

test "gold is lost after a year" {
  given  = {
    consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 1600, ago = "400d" } },
  },
  expect = { ["account.card"] = "tier-member" },
}

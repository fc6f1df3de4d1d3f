-- What is used up is due again: bought once, and not since. `none` with a shorter `within` says "not since".

rule "wax-again" {
  slot     = "home.strip",
  priority = 34,
  when     = {
    bought = { category = "wax", within = "60d" },
    none { bought = { category = "wax", within = "30d" } },
  },
  show     = { note = "wax-again", text = "Your wax lasts about six weeks", link = "/care/wax" },
}

rule "filter-due" {
  slot     = "home.strip",
  priority = 33,
  when     = {
    bought = { product = "water-filter", within = "200d" },
    none { bought = { product = "water-filter", within = "150d" } },
  },
  show     = { note = "filter-due", text = "A filter cleans for half a year", product = "water-filter" },
}

rule "wax-for-new-boots" {
  slot     = "home.strip",
  priority = 31,
  when     = {
    bought = { category = "boots", within = "21d" },
    none { bought = { category = "wax", within = "60d" } },
  },
  show     = { note = "wax-for-new-boots", text = "Wax them before the first rain", link = "/care/wax" },
}

local function bought(product, category, ago)
  return { "Order Completed", order_id = "A-1", total = 12, products = { { product_id = product, category = category, price = 12 } }, ago = ago }
end

test "wax of six weeks ago is used up" {
  given  = { consent = { "personalization" }, events = { bought("W-1", "wax", "44d") } },
  expect = { ["home.strip"] = { "wax-again", "gift-cards" } },
}

test "wax of last week is not" {
  given  = { consent = { "personalization" }, events = { bought("W-1", "wax", "7d") } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "who let half a year pass does not wax" {
  given  = { consent = { "personalization" }, events = { bought("W-1", "wax", "100d") } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "a filter after half a year" {
  given  = { consent = { "personalization" }, events = { bought("water-filter", "kitchen", "180d") } },
  expect = { ["home.strip"] = { "filter-due", "gift-cards" } },
}

test "a filter of the spring is still good" {
  given  = { consent = { "personalization" }, events = { bought("water-filter", "kitchen", "100d") } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "a filter of last year was thrown away" {
  given  = { consent = { "personalization" }, events = { bought("water-filter", "kitchen", "300d") } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "new boots want wax" {
  given  = { consent = { "personalization" }, events = { bought("B-1", "boots", "5d") } },
  expect = { ["home.strip"] = { "wax-for-new-boots", "gift-cards" } },
}

test "boots of two months ago have got it" {
  given  = { consent = { "personalization" }, events = { bought("B-1", "boots", "64d") } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "unless there is some" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Order Completed", order_id = "A-1", total = 12, products = { { product_id = "W-1", category = "wax", price = 12 } }, ago = "20d" },
      { "Order Completed", order_id = "A-2", total = 190, products = { { product_id = "B-1", category = "boots", price = 190 } }, ago = "5d" },
    },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

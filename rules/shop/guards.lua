-- The store's own vetoes.

guard "discounts-are-for-people" {
  applies = { tag = "discount" },
  forbid  = { device = "bot" },
  because = "Search engines and price comparisons show the ordinary price",
}

guard "checkout-is-left-in-peace" {
  applies = { tag = "interrupts" },
  forbid  = { page = { "/cart", "/checkout", "/payment" } },
  because = "Nobody who is paying is asked anything else",
}

test "a crawler is told the ordinary price" {
  given  = { at = "2037-11-28T12:00", device = "bot", rollout = 90 },
  expect = { ["home.hero"] = "default" },
}

test "so is a device that does not say what it is" {
  given  = { at = "2037-11-28T12:00", rollout = 90 },
  expect = { ["home.hero"] = "default" },
}

test "nobody is interrupted at the cart" {
  given  = {
    page = "/cart", pages_this_visit = 12, consent = {},
    events = { { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "25m" } },
  },
  expect = { ["page.overlay"] = "default" },
}

test "nor on a page that does not say which it is" {
  given  = {
    pages_this_visit = 12, consent = {},
    events = { { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "25m" } },
  },
  expect = { ["page.overlay"] = "default" },
}

-- The guards of ../compliance, tried on this store's rules.

local function three_boots()
  return {
    { "Product Viewed", category = "boots", ago = "2d" },
    { "Product Viewed", category = "boots", ago = "1d" },
    { "Product Viewed", category = "boots", ago = "10m" },
  }
end

test "without consent nobody is followed" {
  given  = { at = "2037-10-14T17:00", source = "direct", consent = {}, events = three_boots() },
  expect = { ["home.hero"] = "default", ["home.row"] = "default" },
}

test "consent to something else is no consent" {
  given  = { at = "2037-10-14T17:00", source = "direct", consent = { "analytics", "email" }, events = three_boots() },
  expect = { ["home.hero"] = "default", ["home.row"] = "default" },
}

test "nor is a loyal customer's card shown without it" {
  given  = { consent = {}, events = { { "Order Completed", order_id = "A-1", total = 900, ago = "20d" } } },
  expect = { ["account.card"] = "default" },
}

test "a function does not get round consent" {
  given  = { hour = 19, cart = { items = 3, total = 80 }, viewed = { brand = "Nordlys", total = 2 }, consent = {} },
  expect = { ["home.strip"] = "gift-cards" },
}

test "wine for a grown-up in Germany" {
  given  = { country = "DE", page_type = "product", page = "/hut/lamp", traits = { age = 18 } },
  expect = { ["product.extra"] = "hut-evening-wine" },
}

test "no wine for the young" {
  given  = { country = "DE", page_type = "product", page = "/hut/lamp", traits = { age = 17 } },
  expect = { ["product.extra"] = "default" },
}

test "no wine for whoever does not tell an age" {
  given  = { country = "DE", page_type = "product", page = "/hut/lamp" },
  expect = { ["product.extra"] = "default" },
}

test "no wine at 20 in Oregon" {
  given  = { country = "US", region = "US-OR", page_type = "product", page = "/hut/lamp", traits = { age = 20 } },
  expect = { ["product.extra"] = "default" },
}

test "wine at 30 in Oregon" {
  given  = { country = "US", region = "US-OR", page_type = "product", page = "/hut/lamp", traits = { age = 30 } },
  expect = { ["product.extra"] = "hut-evening-wine" },
}

test "no wine to Utah" {
  given  = { country = "US", region = "US-UT", page_type = "product", page = "/hut/lamp", traits = { age = 30 } },
  expect = { ["product.extra"] = "default" },
}

test "no wine to a place in the United States that might be Utah" {
  given  = { country = "US", page_type = "product", page = "/hut/lamp", traits = { age = 30 } },
  expect = { ["product.extra"] = "default" },
}

-- The store's own vetoes.

guard "discounts-are-for-people" {
  applies = { tag = "discount" },
  forbid  = { device = "bot" },
  because = "Search engines and price comparisons show the ordinary price",
}

test "a crawler is told the ordinary price" {
  given  = { at = "2026-11-28T12:00", device = "bot", rollout = 90 },
  expect = { ["home.hero"] = "default" },
}

test "so is a device that does not say what it is" {
  given  = { at = "2026-11-28T12:00", rollout = 90 },
  expect = { ["home.hero"] = "default" },
}

-- The guards of ../compliance, tried on this store's rules.

test "without consent nobody is followed" {
  given  = { at = "2026-10-14T17:00", source = "direct", viewed = { category = "boots", total = 3 }, consent = {} },
  expect = { ["home.hero"] = "default" },
}

test "consent to something else is no consent" {
  given  = { at = "2026-10-14T17:00", source = "direct", viewed = { category = "boots", total = 3 }, consent = { "analytics", "email" } },
  expect = { ["home.hero"] = "default" },
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

-- Up to three small notes below the hero. At most one of them is a discount.

rule "order-by-two" {
  slot     = "home.strip",
  priority = 60,
  when     = { country = "DE", weekday = between("mon", "fri"), hour = at_most(13) },
  show     = { note = "order-by-two", text = "Ordered before 14:00, sent today" },
  owner    = "logistics",
}

rule "welcome-code" {
  slot        = "home.strip",
  priority    = 50,
  only_one_of = "one-discount",
  tags        = { "discount" },
  when        = { segment = "first-visit", source = is_not { "email", "affiliate" } },
  show        = { offer = "welcome-10", text = "10 % off the first order" },
}

rule "big-basket" {
  slot        = "home.strip",
  priority    = 45,
  only_one_of = "one-discount",
  tags        = { "discount" },
  when        = any {
    { cart = { total = at_least(150) } },
    { orders = at_least(3), days_since_order = between(20, 60) },
  },
  starts      = "2037-11-20", ends = "2037-12-27",
  rollout     = 25,
  show        = { offer = "free-shipping" },
}

rule "win-back" {
  slot        = "home.strip",
  priority    = 40,
  only_one_of = "one-discount",
  tags        = { "discount" },
  when        = { segment = "lapsed" },
  show        = { offer = "come-back-15", text = "It has been a while: 15 % off" },
}

rule "evening-bundle" {
  slot     = "home.strip",
  priority = 35,
  when     = function(v) return v.cart.items > 2 and v.hour >= 18 and v:viewed { brand = "Nordlys" } > 0 end,
  show     = { offer = "nordlys-bundle" },
}

rule "cart-waiting" {
  slot     = "home.strip",
  priority = 38,
  when     = { cart = { items = at_least(1), age = at_least "2h" } },
  show     = function(v)
    return { note = "cart-waiting", items = v.cart.items, total = string.format("%.2f", v.cart.total), link = "/cart" }
  end,
  note     = "The cart belongs to the visit and not to behaviour: it asks for no consent.",
}

rule "duties-included" {
  slot     = "home.strip",
  priority = 30,
  when     = { country = { "CA", "CH", "GB", "NO", "US" } },
  show     = { note = "duties-included", text = "The price you see includes customs" },
}

rule "free-returns" {
  slot     = "home.strip",
  priority = 30,
  when     = { in_eu = true },
  show     = { note = "free-returns", text = "Free returns within 30 days" },
}

rule "get-the-app" {
  slot     = "home.strip",
  priority = 20,
  when     = { device = "mobile", os = { "iOS", "Android" }, source = is_not "push" },
  show     = function(v) return { note = "get-the-app", store = v.os == "iOS" and "app-store" or "play" } end,
}

rule "gift-cards" {                             -- no `when`: for everybody
  slot     = "home.strip",
  priority = -10,
  show     = { note = "gift-cards", link = "/gift-cards" },
}

rule "summer-tents" {
  slot     = "home.strip",
  enabled  = false,
  when     = { country = { "DE", "AT", "CH" }, cart = { contains = { category = "sleeping-bags" } } },
  show     = { note = "tents", link = "/tents" },
  note     = "Rests over the winter; set enabled = true in May.",
}

test "a weekday morning in Germany" {
  given  = { country = "DE", weekday = "fri", hour = 9 },
  expect = { ["home.strip"] = { "order-by-two", "free-returns", "gift-cards" } },
}

test "too late for today" {
  given  = { country = "DE", weekday = "fri", hour = 14 },
  expect = { ["home.strip"] = { "free-returns", "gift-cards" } },
}

test "a first visit gets the code" {
  given  = { country = "FR", device = "desktop", source = "organic_search", new_visitor = true, consent = { "personalization" } },
  expect = { ["home.strip"] = { "welcome-code", "free-returns", "gift-cards" } },
}

test "a full cart ships free in the season" {
  given  = { at = "2037-12-01T12:00", device = "desktop", cart = { total = 180, items = 2 }, orders = 0, rollout = 10, consent = { "personalization" } },
  expect = { ["home.strip"] = { "big-basket", "gift-cards" } },
}

test "outside the quarter it does not" {
  given  = { at = "2037-12-01T12:00", device = "desktop", cart = { total = 180, items = 2 }, orders = 0, rollout = 25, consent = { "personalization" } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "one discount on a page is enough" {
  given  = { at = "2037-11-28T12:00", device = "desktop", cart = { total = 180 }, rollout = 10, consent = { "personalization" } },
  expect = { ["home.hero"] = "black-friday", ["home.strip"] = "gift-cards" },
}

test "a cart of this morning waits" {
  given  = { device = "desktop", consent = {}, events = { { "Product Added", product_id = "L-1", price = 35, quantity = 2, ago = "6h" } } },
  expect = { ["home.strip"] = { "cart-waiting", "gift-cards" } },
}

test "an ordered cart waits no more" {
  given  = {
    device = "desktop", consent = {},
    events = {
      { "Product Added", product_id = "L-1", price = 35, quantity = 2, ago = "6h" },
      { "Order Completed", order_id = "A-1", total = 70, products = { { product_id = "L-1", price = 35, quantity = 2 } }, ago = "5h" },
    },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "an evening with three things in the cart" {
  given  = { hour = 19, cart = { items = 3, total = 80 }, orders = 0, viewed = { brand = "Nordlys", total = 2 }, consent = { "personalization" } },
  expect = { ["home.strip"] = { "evening-bundle", "gift-cards" } },
}

test "not in the afternoon" {
  given  = { hour = 15, cart = { items = 3, total = 80 }, orders = 0, viewed = { brand = "Nordlys", total = 2 }, consent = { "personalization" } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "a Canadian phone hears of duties and of the app" {
  given  = { country = "CA", device = "mobile", os = "iOS", source = "paid_social" },
  expect = { ["home.strip"] = { "duties-included", "get-the-app", "gift-cards" } },
}

test "whoever comes from a push message has the app" {
  given  = { country = "CA", device = "mobile", os = "Android", source = "push" },
  expect = { ["home.strip"] = { "duties-included", "gift-cards" } },
}

test "tents rest in winter" {
  given  = { country = "AT", weekday = "mon", hour = 9, cart = { contains = { category = { "sleeping-bags" } } } },
  expect = { ["home.strip"] = { "free-returns", "gift-cards" } },
}

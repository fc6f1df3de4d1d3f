-- The note above the cart.

local FREE_SHIPPING = 100

rule "almost-free-shipping" {
  slot     = "cart.note",
  priority = 20,
  when     = { cart = { total = between(60, FREE_SHIPPING - 0.01) } },
  show     = function(v)
    return { note = "almost-free-shipping", missing = string.format("%.2f", FREE_SHIPPING - v.cart.total) }
  end,
}

rule "gift-wrap" {
  slot     = "cart.note",
  priority = 10,
  when     = { cart = { items = at_least(1) }, date = between("2037-11-27", "2037-12-20") },
  show     = { note = "gift-wrap", price = 3.5 },
  note     = "By the visitor's own calendar, so `date` and not starts and ends, which go by the shop's.",
}

rule "still-there" {
  slot     = "cart.note",
  when     = { cart = { age = at_least "1d", items = more_than(0) } },
  show     = { note = "still-there", text = "We kept your cart for you" },
}

rule "hold-my-cart" {
  slot     = "page.overlay",
  priority = 20,
  tags     = { "interrupts" },
  when     = { cart = { total = at_least(200), age = at_least "20m" }, pages_this_visit = at_least(8) },
  show     = { layer = "hold-my-cart", text = "Shall we keep these for you until tomorrow?" },
  note     = "Much in the cart, and going round in circles.",
}

test "a little more and it ships free" {
  given  = {
    events = {
      { "Product Added", product_id = "S-1", price = "19.90", quantity = 3, ago = "20m" },
      { "Product Removed", product_id = "S-1", quantity = 1, ago = "10m" },
      { "Product Added", product_id = "L-1", price = 42.7, ago = "5m" },
    },
  },
  expect = { ["cart.note"] = "almost-free-shipping" },
}

test "gift wrap before Christmas" {
  given  = { date = "2037-12-18", cart = { total = 30, items = 1 } },
  expect = { ["cart.note"] = "gift-wrap" },
}

test "a cart of yesterday" {
  given  = { date = "2037-10-14", events = { { "Product Added", product_id = "L-1", price = 30, ago = "26h" } } },
  expect = { ["cart.note"] = "still-there" },
}

test "an empty cart needs no note" {
  given  = {
    date = "2037-12-18",
    events = { { "Product Added", product_id = "L-1", price = 80, ago = "20m" }, { "Cart Emptied", ago = "10m" } },
  },
  expect = { ["cart.note"] = "default" },
}

test "round in circles with a full cart" {
  given  = {
    page = "/tents", pages_this_visit = 12, consent = {},
    events = { { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "25m" } },
  },
  expect = { ["page.overlay"] = "hold-my-cart" },
}

test "a tent just taken is no circle" {
  given  = {
    page = "/tents", pages_this_visit = 12, consent = {},
    events = { { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "5m" } },
  },
  expect = { ["page.overlay"] = "default" },
}

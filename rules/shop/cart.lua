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
  when     = { cart = { items = at_least(1) }, date = between("2026-11-27", "2026-12-20") },
  show     = { note = "gift-wrap", price = 3.5 },
  note     = "By the visitor's own calendar, so `date` and not starts and ends, which go by the shop's.",
}

rule "still-there" {
  slot     = "cart.note",
  when     = { cart = { age = at_least "1d", items = more_than(0) } },
  show     = { note = "still-there", text = "We kept your cart for you" },
}

test "a little more and it ships free" {
  given  = { cart = { total = 82.5, items = 2 } },
  expect = { ["cart.note"] = "almost-free-shipping" },
}

test "gift wrap before Christmas" {
  given  = { date = "2026-12-18", cart = { total = 30, items = 1 } },
  expect = { ["cart.note"] = "gift-wrap" },
}

test "a cart of yesterday" {
  given  = { date = "2026-10-14", cart = { total = 30, items = 1, age = "26h" } },
  expect = { ["cart.note"] = "still-there" },
}

test "an empty cart needs no note" {
  given  = { date = "2026-12-18", cart = { total = 0, items = 0 } },
  expect = { ["cart.note"] = "default" },
}

-- Product pages: when it arrives, and what goes with it.

rule "delivery-far-north" {
  slot     = "product.delivery",
  priority = 20,
  when     = { region = { "CA-NT", "CA-NU", "CA-YT", "US-AK", "US-HI" } },
  show     = { note = "delivery-remote", days = "10-20" },
  owner    = "logistics",
}

rule "delivery-germany" {
  slot     = "product.delivery",
  priority = 10,
  when     = { country = "DE" },
  show     = { note = "delivery-home", days = "1-2" },
  owner    = "logistics",
}

rule "delivery-eu" {
  slot     = "product.delivery",
  when     = { in_eu = true, country = is_not "DE" },
  show     = { note = "delivery-eu", days = "3-5" },
  owner    = "logistics",
}

rule "hut-evening-wine" {
  slot     = "product.extra",
  priority = 40,
  tags     = { "age-restricted", "alcohol" },
  when     = { page_type = "product", page = starts_with "/hut/" },
  show     = { product = "mulled-wine-box", text = "For the evening at the hut" },
}

rule "care-kit" {
  slot     = "product.extra",
  priority = 30,
  when     = {
    cart = { contains = { category = { "boots", "shoes" } } },
    none { cart = { contains = { product = "care-kit" } } },
  },
  show     = { product = "care-kit", text = "Keeps leather dry for years" },
}

rule "size-advice" {
  slot     = "product.extra",
  priority = 20,
  when     = {
    viewed = { category = "boots", at_least = 5, within = "3d" },
    bought = { category = "boots", at_most = 0 },
  },
  show     = { widget = "size-advice", text = "Not sure about the size? Ask a person" },
}

rule "lamp-for-the-tent" {
  slot     = "product.extra",
  priority = 15,
  when     = {
    cart     = { contains = { category = "tents" } },
    in_stock = { product = "hut-lamp" },
    price    = { product = "hut-lamp", at_most = 50 },
  },
  show     = { product = "hut-lamp", text = "Light for the evening" },
  note     = "While it is there, and cheap enough to be taken along.",
}

test "far away takes longer" {
  given  = { country = "CA", region = "CA-NU" },
  expect = { ["product.delivery"] = "delivery-far-north" },
}

test "home delivery" {
  given  = { country = "DE", region = "DE-BE" },
  expect = { ["product.delivery"] = "delivery-germany" },
}

test "the rest of the union" {
  given  = { country = "FR" },
  expect = { ["product.delivery"] = "delivery-eu" },
}

test "elsewhere the page speaks in general" {
  given  = { country = "JP" },
  expect = { ["product.delivery"] = "default" },
}

test "boots in the cart call for a care kit" {
  given  = { cart = { contains = { category = { "Boots" }, product = { "SKU-31" } } } },
  expect = { ["product.extra"] = "care-kit" },
}

test "one care kit is enough" {
  given  = { cart = { contains = { category = { "boots" }, product = { "SKU-31", "care-kit" } } } },
  expect = { ["product.extra"] = "default" },
}

test "a care kit that is sold out is not shown" {
  given  = {
    cart     = { contains = { category = { "boots" }, product = { "SKU-31" } } },
    in_stock = { product = "care-kit", is = false },
  },
  expect = { ["product.extra"] = "default" },
}

test "a tent wants a lamp, if there is a cheap one" {
  given  = {
    cart     = { contains = { category = { "tents" }, product = { "T-1" } } },
    in_stock = { product = "hut-lamp", is = true }, price = { product = "hut-lamp", is = 42.7 },
  },
  expect = { ["product.extra"] = "lamp-for-the-tent" },
}

test "the lamp has become dear" {
  given  = {
    cart     = { contains = { category = { "tents" }, product = { "T-1" } } },
    in_stock = { product = "hut-lamp", is = true }, price = { product = "hut-lamp", is = 62 },
  },
  expect = { ["product.extra"] = "default" },
}

test "whoever goes from boot to boot may ask for the size" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Product Viewed", category = "boots", product_id = "B-1", ago = "60h" },
      { "Product Viewed", category = "boots", product_id = "B-2", ago = "59h" },
      { "Product Viewed", category = "boots", product_id = "B-1", ago = "3h" },
      { "Product Viewed", category = "boots", product_id = "B-3", ago = "2h" },
      { "Product Viewed", category = "boots", product_id = "B-1", ago = "1h" },
    },
  },
  expect = { ["product.extra"] = { "comparison-table", "size-advice" } },
}

test "two additions fit, the strongest first" {
  given  = {
    country = "DE", traits = { age = 40 }, page_type = "product", page = "/hut/blanket", consent = { "personalization" },
    cart = { contains = { category = { "shoes" }, product = { "SKU-8" } } },
    viewed = { category = "boots", total = 6 }, bought = { category = "boots", total = 0 },
  },
  expect = { ["product.extra"] = { "hut-evening-wine", "care-kit" } },
}

-- The order of the menu, and how much of it a screen has room for.

rule "trade-menu" {
  slot     = "navigation",
  priority = 50,
  when     = { logged_in = true, traits = { plan = { "trade", "club" } } },
  show     = { menu = { "bulk", "gear", "women", "men", "kids" }, style = "full" },
  owner    = "trade-desk",
}

rule "crawler-menu" {
  slot     = "navigation",
  priority = 40,
  when     = { device = "bot" },
  show     = { menu = { "women", "men", "kids", "gear", "sale", "magazine", "brands", "help" }, style = "plain" },
  note     = "Search engines follow every entry; scripts that unfold menus they may not run.",
}

rule "kids-first" {
  slot     = "navigation",
  priority = 30,
  when     = any {
    affinity = { category = "kids", at_least = 0.4 },
    bought   = { category = "kids", within = "400d" },
  },
  show     = { menu = { "kids", "women", "men", "gear", "sale" }, style = "full" },
}

rule "sale-first" {
  slot     = "navigation",
  priority = 20,
  when     = any { source = { "affiliate", "shopping" }, term = contains "outlet" },
  show     = { menu = { "sale", "women", "men", "kids", "gear" }, style = "full" },
  note     = "They came for the price.",
}

rule "short-menu" {
  slot     = "navigation",
  priority = 10,
  when     = { segment = "small-screen" },
  show     = { menu = { "women", "men", "kids", "gear", "sale" }, style = "folded" },
}

rule "one-column" {
  slot     = "home.layout",
  when     = { device = "mobile" },
  show     = { columns = 1, hero = "portrait" },
}

rule "two-columns" {
  slot     = "home.layout",
  when     = { device = "tablet" },
  show     = { columns = 2, hero = "landscape" },
}

test "trade customers find the bulk order form first" {
  given  = { logged_in = true, traits = { plan = "trade" }, device = "desktop" },
  expect = { ["navigation"] = "trade-menu" },
}

test "a crawler gets the whole menu and the plain page" {
  given  = { device = "bot", country = "US" },
  expect = { ["navigation"] = "crawler-menu", ["home.layout"] = "default" },
}

test "families see the children's things first" {
  given  = {
    device = "desktop", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "kids", ago = "3d" },
      { "Product Viewed", category = "tents", ago = "2d" },
    },
  },
  expect = { ["navigation"] = "kids-first" },
}

test "so do those who bought for children within a year or so" {
  given  = {
    device = "mobile", consent = { "personalization" },
    events = {
      { "Order Completed", order_id = "A-1", total = 40, products = { { category = "kids", price = 20, quantity = 2 } }, ago = "300d" },
      { "Product Viewed", category = "tents", ago = "2d" },
      { "Product Viewed", category = "tents", ago = "2d" },
    },
  },
  expect = { ["navigation"] = "kids-first" },
}

test "hunters of bargains see the sale first" {
  given  = { source = "paid_search", term = "boots outlet" },
  expect = { ["navigation"] = "sale-first" },
}

test "a phone folds the menu and stacks the page" {
  given  = { device = "mobile", source = "direct" },
  expect = { ["navigation"] = "short-menu", ["home.layout"] = "one-column" },
}

test "a tablet has two columns" {
  given  = { device = "tablet" },
  expect = { ["home.layout"] = "two-columns" },
}

test "a desktop gets what is made for everybody" {
  given  = { device = "desktop", source = "direct" },
  expect = { ["navigation"] = "default", ["home.layout"] = "default" },
}

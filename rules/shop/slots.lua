-- The places on the shop's pages that ask what to show.

slot "home.hero" {
  channel = "web",
  default = { banner = "winter-collection", headline = "Made for the cold months", link = "/winter" },
}

slot "home.strip" { channel = "web", show_up_to = 3 }

slot "home.layout" { channel = "web", default = { columns = 3, hero = "landscape" } }

slot "navigation" {
  channel = "web",
  default = { menu = { "women", "men", "kids", "gear", "sale" }, style = "full" },
}

slot "product.delivery" {
  channel = "web",
  default = { note = "delivery-times", link = "/help/delivery" },
}

slot "product.extra" { channel = "web", show_up_to = 2 }

slot "cart.note" { channel = "web" }

slot "home.row" {
  channel = "web",
  default = { list = "bestsellers", headline = "What others take along" },
}

slot "account.card" {
  channel = "web",
  default = { tier = "none", text = "Your first order makes you a member" },
}

slot "home.partners" { channel = "web", default = {} } -- nothing without consent, and that is meant

slot "footer.privacy" { channel = "web", default = { text = "Privacy", link = "/privacy" } }

-- These two ask for attention: what they show bears the tag `interrupts`, and caps.lua says how often one may.
slot "page.overlay" { channel = "web" }        -- lies over the page until it is closed
slot "page.corner"  { channel = "web" }        -- a small box at the edge

-- How often is too often. A layer over the page and a box in its corner share one place a day, whichever comes first.

cap "one-interruption-a-day" {
  applies = { tag = "interrupts" },
  limit = 1, per = "1d",
}

test "one interruption on a page is enough" {
  given  = {
    at = "2037-10-14T11:00", page = "/boots", device = "desktop", source = "direct", consent = { "personalization" },
    events = {
      { "Order Completed", order_id = "A-1", total = 90, ago = "15d" },
      { "Product Viewed", category = "boots", ago = "6d" },
      { "Product Viewed", category = "boots", ago = "2d" },
    },
  },
  expect = { ["page.overlay"] = "newsletter-ask", ["page.corner"] = "default" },
}

test "without the layer the corner has its turn" {
  given  = {
    at = "2037-10-14T11:00", page = "/boots", device = "desktop", source = "direct", consent = { "personalization", "email" },
    events = {
      { "Order Completed", order_id = "A-1", total = 90, ago = "15d" },
      { "Product Viewed", category = "boots", ago = "6d" },
      { "Product Viewed", category = "boots", ago = "2d" },
    },
  },
  expect = { ["page.overlay"] = "default", ["page.corner"] = "how-was-it" },
}

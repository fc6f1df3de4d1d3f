-- Groups of visitors with a name. A segment changes in one place and means the same in every rule.

segment "cold-region" {
  when = any {
    country = { "CA", "NO", "FI", "SE", "IS" },
    region  = { "US-AK", "US-MN", "US-ME" },
  },
}

segment "small-screen" { when = { device = { "mobile", "tablet" } } }

-- What they look at.

segment "boot-curious" {                       -- until they have some
  when = {
    viewed = { category = "boots", at_least = 3, within = "7d" },
    none { bought = { category = "boots", within = "30d" } },
  },
}

segment "comparing" {                          -- one thing beside the other, and none taken
  when = any {
    { viewed = { category = "boots", at_least = 4, within = "3d" }, none { bought = { category = "boots", within = "30d" } } },
    { viewed = { category = "jackets", at_least = 4, within = "3d" }, none { bought = { category = "jackets", within = "30d" } } },
    { viewed = { category = "tents", at_least = 4, within = "3d" }, none { bought = { category = "tents", within = "30d" } } },
  },
}

-- How long they have been with us.

segment "first-visit" { when = { new_visitor = true } }

segment "customer" { when = { orders = at_least(1) } }

segment "loyal" {                              -- a segment of a segment
  when = { segment = "customer", any { orders = at_least(5), revenue = at_least(600) } },
}

segment "lapsed" {
  when = { segment = "customer", days_since_order = between(180, 720) },
}

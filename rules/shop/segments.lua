-- Groups of visitors with a name. A segment changes in one place and means the same in every rule.

segment "cold-region" {
  when = any {
    country = { "CA", "NO", "FI", "SE", "IS" },
    region  = { "US-AK", "US-MN", "US-ME" },
  },
}

segment "small-screen" { when = { device = { "mobile", "tablet" } } }

segment "boot-curious" {
  when = { viewed = { category = "boots", at_least = 3, within = "7d" } },
}

segment "customer" { when = { orders = at_least(1) } }

segment "loyal" {                              -- a segment of a segment
  when = { segment = "customer", any { orders = at_least(5), revenue = at_least(600) } },
}

segment "lapsed" {
  when = { segment = "customer", days_since_order = between(180, 720) },
}

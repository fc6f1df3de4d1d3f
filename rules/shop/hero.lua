-- The large picture on the home page: one winner. The sale's days are in a year far ahead, so that the example does not age.

rule "black-friday" {
  slot        = "home.hero",
  priority    = 80,
  only_one_of = "one-discount",
  tags        = { "discount" },
  starts      = "2037-11-27", ends = "2037-11-30",
  show        = { banner = "black-friday", headline = "A fifth off everything, until Monday", link = "/sale" },
  owner       = "campaigns",
}

rule "early-access" {
  slot        = "home.hero",
  priority    = 70,
  only_one_of = "one-discount",
  tags        = { "discount" },
  when        = { segment = "loyal" },
  starts      = "2037-11-23", ends = "2037-11-26",
  show        = function(v)
    return { banner = "early-access", headline = "The sale is already yours", name = v.traits.first_name }
  end,
  owner       = "campaigns",
  note        = "Regulars buy four days before everybody else.",
}

rule "boots-again" {
  slot     = "home.hero",
  priority = 60,
  when     = { segment = "boot-curious", source = is_not "email" },
  show     = function(v)
    return { banner = "boots", headline = "Still looking for boots, " .. v:get("traits.first_name", "friend") .. "?" }
  end,
}

rule "first-snow-ad" {
  slot     = "home.hero",
  priority = 50,
  when     = { source = "paid_social", campaign = starts_with "first-snow" },
  show     = { banner = "first-snow", headline = "As you saw it: the first snow collection", link = "/first-snow" },
  owner    = "performance-marketing",
  note     = "The page goes on where the advertisement stopped.",
}

rule "newsletter-german" {
  slot     = "home.hero",
  priority = 50,
  when     = { source = "email", language = "de" },
  show     = { banner = "newsletter", headline = "Schön, dass Sie uns lesen", link = "/de/neu" },
}

rule "cold-region-outerwear" {
  slot     = "home.hero",
  priority = 40,
  when     = { segment = "cold-region", device = "mobile" },
  show     = { banner = "outerwear", headline = "Ready for the first snow?", link = "/outerwear" },
}

rule "southern-summer" {
  slot     = "home.hero",
  priority = 30,
  when     = { country = { "AU", "NZ", "ZA", "AR", "CL" } },
  show     = { banner = "summer-trails", headline = "Longer days, lighter packs", link = "/summer" },
  note     = "Winter pictures look odd where it is warm.",
}

rule "advent-calendar" {
  slot     = "home.hero",
  priority = 20,
  starts   = "2037-12-01", ends = "2037-12-24",
  rollout  = 50,
  show     = { banner = "advent-calendar", headline = "A door a day", link = "/advent" },
  note     = "To half of the visitors, to see whether it sells.",
}

rule "late-hours" {
  slot     = "home.hero",
  priority = 10,
  when     = { hour = between(22, 4) },         -- from 22:00 to 04:59
  show     = { banner = "by-the-fire", headline = "Nothing to hurry for", link = "/magazine" },
}

rule "welcome-back" {
  slot     = "home.hero",
  priority = 5,
  when     = { visits = at_least(3), days_since_visit = at_most(30) },
  show     = { banner = "new-since-last-time", headline = "New since your last visit", link = "/new" },
}

local october = "2037-10-14T17:00"              -- an ordinary Wednesday

test "black friday is for everybody, while it lasts" {
  given  = { at = "2037-11-27T00:00", device = "desktop" },
  expect = { ["home.hero"] = "black-friday" },
}

test "the last day of black friday counts whole" {
  given  = { at = "2037-11-30T23:59", device = "desktop" },
  expect = { ["home.hero"] = "black-friday" },
}

test "black friday ends at midnight" {
  given  = { at = "2037-12-01T00:00", device = "desktop", rollout = 90 },
  expect = { ["home.hero"] = "default" },
}

test "a loyal customer is let in early" {
  given  = {
    at = "2037-11-24T10:00", device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 480, ago = "90d" }, { "Order Completed", order_id = "A-2", total = 190, ago = "40d" } },
  },
  expect = { ["home.hero"] = "early-access" },
}

test "one order is not loyal" {
  given  = {
    at = "2037-11-24T10:00", device = "desktop", consent = { "personalization" },
    events = { { "Order Completed", order_id = "A-1", total = 80, ago = "40d" } },
  },
  expect = { ["home.hero"] = "default" },
}

test "whoever looked at boots three times sees them again" {
  given  = {
    at = october, source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "Boots", product_id = "B-2", ago = "6d" },
      { "Product Viewed", category = "boots", product_id = "B-3", ago = "2d" },
      { "Product Viewed", category = "boots", product_id = "B-3", ago = "10m" },
    },
  },
  expect = { ["home.hero"] = "boots-again" },
}

test "two of three views in a week are not enough" {
  given  = {
    at = october, country = "DE", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "boots", ago = "20d" },
      { "Product Viewed", category = "boots", ago = "2d" },
      { "Product Viewed", category = "boots", ago = "10m" },
    },
  },
  expect = { ["home.hero"] = "welcome-back" },
}

test "boots are not shown to those who have just bought some" {
  given  = {
    at = october, country = "DE", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "boots", ago = "3d" },
      { "Product Viewed", category = "boots", ago = "3d" },
      { "Product Viewed", category = "boots", ago = "2d" },
      { "Order Completed", order_id = "A-1", total = 190, products = { { product_id = "B-3", category = "boots", price = 190 } }, ago = "2d" },
    },
  },
  expect = { ["home.hero"] = "default" },
}

test "boots are not repeated to readers of the newsletter" {
  given  = {
    at = october, source = "email", language = "de-AT", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "boots", ago = "6d" },
      { "Product Viewed", category = "boots", ago = "2d" },
      { "Product Viewed", category = "boots", ago = "1d" },
    },
  },
  expect = { ["home.hero"] = "newsletter-german" },
}

test "the advertisement's picture beats the weather's" {
  given  = { at = october, country = "CA", device = "mobile", source = "paid_social", campaign = "first-snow-reels" },
  expect = { ["home.hero"] = "first-snow-ad" },
}

test "a Canadian phone sees outerwear" {
  given  = { at = october, country = "CA", device = "mobile", source = "direct" },
  expect = { ["home.hero"] = "cold-region-outerwear" },
}

test "Minnesota is cold too" {
  given  = { at = october, country = "US", region = "US-MN", device = "mobile" },
  expect = { ["home.hero"] = "cold-region-outerwear" },
}

test "an unknown region of the United States is not taken for a cold one" {
  given  = { at = october, country = "US", device = "mobile" },
  expect = { ["home.hero"] = "default" },
}

test "no winter in Sydney" {
  given  = { at = "2037-12-10T12:00", country = "AU", device = "desktop" },
  expect = { ["home.hero"] = "southern-summer" },
}

test "half of the visitors get the advent calendar" {
  given  = { at = "2037-12-10T12:00", country = "DE", rollout = 49.9 },
  expect = { ["home.hero"] = "advent-calendar" },
}

test "and the other half does not" {
  given  = { at = "2037-12-10T12:00", country = "DE", rollout = 50 },
  expect = { ["home.hero"] = "default" },
}

test "late in Berlin" {
  given  = { at = "2037-10-14T23:30", country = "DE" },
  expect = { ["home.hero"] = "late-hours" },
}

test "the hour is the visitor's, not the shop's" {
  given  = { at = "2037-10-14T23:30", timezone = "America/Toronto", country = "CA", device = "desktop" },
  expect = { ["home.hero"] = "default" },
}

test "back within a month" {
  given  = { at = october, country = "DE", visits = 4, days_since_visit = 6, consent = { "personalization" } },
  expect = { ["home.hero"] = "welcome-back" },
}

-- E-mails and texts. `on` says what sets one off; everything else is looked at when it is due, on the person as they are then. The
-- words stand in templates/.

rule "cart-reminder" {
  channel   = "email",
  on        = "Product Added",
  after     = "1h",
  cancel_on = { "Order Completed", "Cart Emptied" },
  priority  = 50,
  when      = { cart = { items = at_least(1), total = at_least(30) } },
  send      = { template = "cart-reminder", subject = "Still thinking it over?" },
  owner     = "crm",
}

rule "cart-text" {
  channel   = "sms",
  on        = "Product Added",
  after     = "1h",
  cancel_on = { "Order Completed", "Cart Emptied" },
  when      = { cart = { items = at_least(1), total = at_least(30) }, none { consent = "email" } },
  send      = { template = "cart-reminder" },
  owner     = "crm",
  note      = "To who agreed to texts and not to letters: nobody hears of one cart twice.",
}

rule "browse-reminder" {
  channel   = "email",
  on        = "Product Viewed",
  after     = "1d",
  cancel_on = { "Product Added", "Order Completed" },
  priority  = 20,
  when      = { viewed = { within = "3d", at_least = 3 }, cart = { items = 0 } },
  send      = { template = "browse-reminder", subject = "What you looked at" },
  owner     = "crm",
}

rule "welcome" {
  channel   = "email",
  on        = "Newsletter Subscribed",
  priority  = 80,
  send      = { template = "welcome", subject = "Welcome to the house" },
  owner     = "crm",
}

rule "replenishment" {
  channel   = "email",
  on        = "Order Completed",
  after     = "28d",
  expires   = "5d",
  priority  = 30,
  when      = { bought = { category = "coffee", within = "60d" } },
  send      = { template = "replenishment", subject = "Running low?" },
  owner     = "crm",
}

rule "review-request" {
  channel   = "email",
  on        = "Order Completed",
  after     = "14d",
  cancel_on = { "Order Cancelled", "Order Refunded", "Product Reviewed" },
  priority  = 10,
  send      = { template = "review-request", subject = "How do you like it?" },
  owner     = "crm",
}

rule "we-miss-you" {
  channel   = "email",
  on        = segment_entered "lapsed",
  after     = "2d",
  when      = { engagement = { email = at_least(0.1) } },
  send      = { template = "win-back", subject = "What is new since your last order" },
  owner     = "crm",
}

rule "back-in-stock" {
  channel   = "sms",
  on        = "Product Restocked",
  expires   = "12h",
  class     = "service",
  when      = { event = { product_id = known() } },
  send      = function(v)
    return { product = v.event.product_id, text = "It is back: " .. v:get("event.name", "what you asked for") }
  end,
  note      = "Only to those who asked to be told, so it is a service and not an advertisement. It names its product: sold out again, it is not sent.",
}

rule "back-by-letter" {
  channel   = "email",
  on        = "Product Restocked",
  class     = "service",
  when      = { event = { product_id = known() }, traits = { phone = unknown() } },
  send      = function(v)
    return { template = "back-in-stock", product = v.event.product_id, subject = v:get("event.name", "What you asked for") .. " is back" }
  end,
  note      = "To who left no number. Floorwalker itself says that it is back, to who sent Product Restock Requested.",
}

guard "letters-by-day" {
  applies = { channel = "email" },
  require = { hour = between(9, 20) },
  or_else = "defer",
  because = "Nobody wants to hear from a shop at night",
}

cap "one-letter-in-three-days" {
  applies = { channel = "email" },
  limit = 1, per = "3d",
}

-- A cart left at 22:40 …
local left = { { "Product Added", product_id = "B-1", price = 89, quantity = 1, ago = "0s" } }

test "is written to the next morning" {
  given  = { at = "2037-11-23T22:40+01:00", timezone = "Europe/Berlin", consent = { "email" }, events = left, wait = "11h" },
  expect = { email = "cart-reminder" },
}

test "and not at night" {
  given  = { at = "2037-11-23T22:40+01:00", timezone = "Europe/Berlin", consent = { "email" }, events = left, wait = "10h" },
  expect = { email = "default" },
}

test "unless it was bought at ten past eleven" {
  given  = {
    at = "2037-11-23T23:10+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "11h",
    events = {
      { "Product Added", product_id = "B-1", price = 89, quantity = 1, ago = "30m" },
      { "Order Completed", order_id = "A-1", total = 89 },
    },
  },
  expect = { email = "default" },
}

test "or the letters were declined at midnight" {
  given  = { at = "2037-11-23T22:40+01:00", timezone = "Europe/Berlin", consent = {}, events = left, wait = "11h" },
  expect = { email = "default" },
}

test "or another letter came the day before" {
  given  = {
    at = "2037-11-23T22:40+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "11h",
    events = {
      { "Newsletter Subscribed", ago = "1d" },
      { "Product Added", product_id = "B-1", price = 89, quantity = 1 },
    },
  },
  expect = { email = "default" },
}

test "who agreed to texts alone gets one" {
  given  = { at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "sms" }, events = left, wait = "2h" },
  expect = { sms = "cart-text", email = "default" },
}

test "and not a second one on the same day" {
  given  = {
    at = "2037-11-23T16:00+01:00", timezone = "Europe/Berlin", consent = { "sms" }, wait = "2h",
    events = {
      { "Product Added", product_id = "B-1", price = 89, quantity = 1, ago = "4h" },
      { "Product Added", product_id = "L-1", price = 42.7, quantity = 1 },
    },
  },
  expect = { sms = "default" },
}

-- Somebody looks three times.
local looked = {
  { "Product Viewed", product_id = "B-1", category = "boots", ago = "2h" },
  { "Product Viewed", product_id = "B-2", category = "boots", ago = "1h" },
  { "Product Viewed", product_id = "B-1", category = "boots" },
}

test "and is written to a day later" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "email", "personalization" }, wait = "25h",
    events = looked,
  },
  expect = { email = "browse-reminder" },
}

test "but not where that was not agreed to" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "25h", events = looked,
  },
  expect = { email = "default" },
}

test "and who took it hears of the cart instead" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "email", "personalization" }, wait = "25h",
    events = { looked[1], looked[2], looked[3], { "Product Added", product_id = "B-1", price = 89, quantity = 1 } },
  },
  expect = { email = "cart-reminder" },
}

test "two weeks after an order we ask, four weeks after we remind" {
  given  = {
    at = "2037-10-05T12:00", timezone = "Europe/Berlin", consent = { "email", "personalization" }, wait = "30d",
    events = { { "Order Completed", order_id = "A-2", total = 24, products = { { product_id = "C-1", category = "coffee", price = 12, quantity = 2 } } } },
  },
  expect = { email = { "review-request", "replenishment" } },
}

test "of two letters that are due together the stronger goes" {
  given  = {
    at = "2037-11-23T07:30+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "4h",
    events = {
      { "Product Added", product_id = "B-1", price = 89, quantity = 1 },
      { "Newsletter Subscribed" },
    },
  },
  expect = { email = "welcome" },
}

test "what somebody asked for is back" {
  given  = { at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", events = { { "Product Restocked", product_id = "B-1", name = "Trail boot" } } },
  expect = { sms = "back-in-stock" },
}

-- A text that becomes due at half past eight in the evening: in New York it still goes, in Florida it goes in the morning.
local evening = { { "Product Restocked", product_id = "B-1", name = "Trail boot" } }

test "in New York a text goes until nine" {
  given  = { at = "2037-11-23T20:30-05:00", timezone = "America/New_York", country = "US", region = "US-NY", events = evening },
  expect = { sms = "back-in-stock" },
}

test "in Florida it does not go after eight" {
  given  = { at = "2037-11-23T20:30-05:00", timezone = "America/New_York", country = "US", region = "US-FL", events = evening, wait = "11h" },
  expect = { sms = "default" },
}

test "in Florida it goes in the morning" {
  given  = { at = "2037-11-23T20:30-05:00", timezone = "America/New_York", country = "US", region = "US-FL", events = evening, wait = "12h" },
  expect = { sms = "back-in-stock" },
}

test "at night a text goes nowhere" {
  given  = { at = "2037-11-23T22:30+01:00", timezone = "Europe/Berlin", events = evening, wait = "9h" },
  expect = { sms = "default" },
}

test "and goes at eight" {
  given  = { at = "2037-11-23T22:30+01:00", timezone = "Europe/Berlin", events = evening, wait = "10h" },
  expect = { sms = "back-in-stock" },
}

-- Three texts within a week, which somebody asked for; then the newsletter.
local function three_texts()
  local events = {}
  for i, ago in ipairs { "6d", "4d", "2d" } do
    events[i] = { "Product Restocked", product_id = "B-1", name = "Trail boot", ago = ago }
  end
  events[4] = { "Newsletter Subscribed" }
  return events
end

test "three messages in a week are enough" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "23h",
    traits = { phone = "+4915112345678" }, events = three_texts(),
  },
  expect = { email = "default" },
}

test "the fourth goes when the first is a week old" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "25h",
    traits = { phone = "+4915112345678" }, events = three_texts(),
  },
  expect = { email = "welcome" },
}

test "who left no number gets a letter, by day" {
  given  = {
    at = "2037-11-23T22:30+01:00", timezone = "Europe/Berlin", wait = "11h",
    events = { { "Product Restocked", product_id = "B-1", name = "Trail boot", url = "https://shop.example/b-1" } },
  },
  expect = { email = "back-by-letter" },
}

test "and who left one does not" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", traits = { phone = "+4915112345678" },
    events = { { "Product Restocked", product_id = "B-1", name = "Trail boot" } },
  },
  expect = { email = "default", sms = "back-in-stock" },
}

test "who has not bought for half a year is missed" {
  given  = {
    at = "2037-11-23T10:00+01:00", timezone = "Europe/Berlin", wait = "15d",
    consent = { "email", "personalization" }, engagement = { email = 0.4 },
    events = { { "Order Completed", order_id = "A-3", total = 60, ago = "170d" } },
  },
  expect = { email = "we-miss-you" },
}

-- What visitors look at, search for and put aside decides what they see next.

local CATEGORIES = { "boots", "jackets", "tents", "kids", "climbing" }

-- The category that takes the largest share of a visitor's interest, if one takes a third of it.
local function favourite(v)
  local best, most = nil, 1 / 3
  for _, category in ipairs(CATEGORIES) do
    local share = v:affinity { category = category }
    if share >= most then best, most = category, share end
  end
  return best
end

rule "row-of-the-favourite" {
  slot  = "home.row",
  when  = function(v) return v:viewed { within = "30d" } >= 3 and favourite(v) ~= nil end,
  show  = function(v) return { list = favourite(v), headline = "More of what you like" } end,
  note  = "One rule for all categories. Interest fades by itself: half of it is gone after 30 days.",
}

rule "nordlys-lovers" {
  slot     = "home.hero",
  priority = 8,
  when     = {
    affinity = { brand = "Nordlys", at_least = 0.5 },
    viewed   = { brand = "Nordlys", at_least = 4, within = "30d" },
  },
  show     = { banner = "nordlys", headline = "Nordlys, the new season", link = "/brands/nordlys" },
  note     = "Half of the interest alone says little of somebody who has seen two things: hence four views as well.",
}

rule "comparison-table" {
  slot     = "product.extra",
  priority = 25,
  when     = { segment = "comparing" },
  show     = function(v)
    local most, views = "boots", 0
    for _, category in ipairs { "boots", "jackets", "tents" } do
      local n = v:viewed { category = category, within = "3d" }
      if n > views then most, views = category, n end
    end
    return { widget = "compare", category = most, text = "The ones you looked at, side by side" }
  end,
}

rule "ask-a-person" {
  slot     = "page.corner",
  priority = 20,
  tags     = { "interrupts" },
  when     = { segment = "comparing", hour = between(9, 17), weekday = between("mon", "fri") },
  show     = { widget = "chat", text = "Can we help you choose?" },
  owner    = "service",
}

rule "crampon-guide" {
  slot     = "home.strip",
  priority = 36,
  when     = {
    searched = { term = "crampons", within = "14d" },
    none { bought = { category = "climbing", within = "30d" } },
  },
  show     = { note = "crampon-guide", text = "Which crampons fit which boots", link = "/magazine/crampons" },
}

rule "tent-advice" {
  slot     = "home.strip",
  priority = 32,
  when     = {
    added = { category = "tents", within = "30d" },
    none { cart = { contains = { category = "tents" } }, bought = { category = "tents", within = "30d" } },
  },
  show     = { note = "tent-advice", text = "Undecided about the tent? Come and stand in it", link = "/shops" },
  note     = "Taken, and put back again.",
}

local monday = "2037-10-12T11:00"

test "three views of one kind make a favourite" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Product Viewed", category = "tents", product_id = "T-4", ago = "9d" },
      { "Product Viewed", category = "boots", product_id = "B-2", ago = "2d" },
      { "Product Viewed", category = "boots", product_id = "B-3", ago = "2d" },
    },
  },
  expect = { ["home.row"] = "row-of-the-favourite" },
}

test "interests in equal parts are no favourite" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Product Viewed", category = "tents", ago = "2d" },
      { "Product Viewed", category = "boots", ago = "2d" },
      { "Product Viewed", category = "lamps", ago = "2d" },
      { "Product Viewed", category = "kids", ago = "2d" },
    },
  },
  expect = { ["home.row"] = "default" },
}

test "two views are too few to know somebody" {
  given  = {
    consent = { "personalization" },
    events = { { "Product Viewed", category = "boots", ago = "2d" }, { "Product Viewed", category = "boots", ago = "1d" } },
  },
  expect = { ["home.row"] = "default" },
}

test "half of the interest in one brand" {
  given  = {
    at = monday, country = "DE", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "20d" },
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "19d" },
      { "Product Viewed", category = "boots", brand = "Hrafn", ago = "3d" },
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "3d" },
      { "Product Viewed", category = "tents", brand = "Nordlys", ago = "3d" },
    },
  },
  expect = { ["home.hero"] = "nordlys-lovers" },
}

test "three of three are too few to speak of a brand" {
  given  = {
    at = monday, country = "DE", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "60d" },
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "3d" },
      { "Product Viewed", category = "jackets", brand = "Nordlys", ago = "3d" },
      { "Product Viewed", category = "tents", brand = "Nordlys", ago = "3d" },
    },
  },
  expect = { ["home.hero"] = "default" },
}

test "a brand of last autumn is no favourite any more" {
  given  = {
    at = monday, country = "DE", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", brand = "Nordlys", ago = "310d" },
      { "Product Viewed", brand = "Nordlys", ago = "310d" },
      { "Product Viewed", brand = "Nordlys", ago = "310d" },
      { "Product Viewed", brand = "Nordlys", ago = "310d" },
      { "Product Viewed", brand = "Hrafn", ago = "3d" },
    },
  },
  expect = { ["home.hero"] = "default" },
}

local function jackets(n, ago)
  local events = {}
  for i = 1, n do events[i] = { "Product Viewed", category = "jackets", product_id = "J-" .. i, ago = ago } end
  return events
end

test "four jackets in an hour are a comparison" {
  given  = { at = monday, country = "DE", page = "/jackets/j-4", consent = { "personalization" }, events = jackets(4, "1h") },
  expect = { ["product.extra"] = "comparison-table", ["page.corner"] = "ask-a-person" },
}

test "three are none" {
  given  = { at = monday, country = "DE", page = "/jackets/j-4", consent = { "personalization" }, events = jackets(3, "1h") },
  expect = { ["product.extra"] = "default", ["page.corner"] = "default" },
}

test "nor are four of last week" {
  given  = { at = monday, country = "DE", page = "/jackets/j-4", consent = { "personalization" }, events = jackets(4, "8d") },
  expect = { ["product.extra"] = "default", ["page.corner"] = "default" },
}

test "nobody sits at the chat in the evening" {
  given  = { at = "2037-10-12T20:30", country = "DE", page = "/jackets/j-4", consent = { "personalization" }, events = jackets(4, "1h") },
  expect = { ["product.extra"] = "comparison-table", ["page.corner"] = "default" },
}

test "nobody sits at the chat on a Sunday" {
  given  = { at = "2037-10-11T11:00", country = "DE", page = "/jackets/j-4", consent = { "personalization" }, events = jackets(4, "1h") },
  expect = { ["product.extra"] = "comparison-table", ["page.corner"] = "default" },
}

test "whoever has bought compares no more" {
  given  = {
    at = monday, page = "/jackets/j-4", country = "DE", consent = { "personalization" },
    events = {
      { "Product Viewed", category = "jackets", ago = "3h" },
      { "Product Viewed", category = "jackets", ago = "3h" },
      { "Product Viewed", category = "jackets", ago = "2h" },
      { "Product Viewed", category = "jackets", ago = "2h" },
      { "Order Completed", order_id = "A-1", total = 210, products = { { product_id = "J-4", category = "jackets", price = 210 } }, ago = "1h" },
    },
  },
  expect = { ["product.extra"] = "default", ["page.corner"] = "default" },
}

test "a search is an interest, too" {
  given  = { consent = { "personalization" }, events = { { "Products Searched", query = "Crampons", ago = "5d" } } },
  expect = { ["home.strip"] = { "crampon-guide", "gift-cards" } },
}

test "a search of last month is forgotten" {
  given  = { consent = { "personalization" }, events = { { "Products Searched", query = "crampons", ago = "25d" } } },
  expect = { ["home.strip"] = "gift-cards" },
}

test "what was searched for and bought needs no guide" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Products Searched", query = "crampons", ago = "5d" },
      { "Order Completed", order_id = "A-1", total = 120, products = { { product_id = "C-1", category = "climbing", price = 120 } }, ago = "5d" },
    },
  },
  expect = { ["home.strip"] = "gift-cards" },
}

test "a tent put back" {
  given  = {
    consent = { "personalization" },
    events = {
      { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "2d" },
      { "Product Removed", product_id = "T-4", category = "tents", price = 320, ago = "2d" },
    },
  },
  expect = { ["home.strip"] = { "tent-advice", "gift-cards" } },
}

test "a tent still in the cart needs no advice" {
  given  = { consent = { "personalization" }, events = { { "Product Added", product_id = "T-4", category = "tents", price = 320, ago = "40m" } } },
  expect = { ["home.strip"] = "gift-cards" },
}

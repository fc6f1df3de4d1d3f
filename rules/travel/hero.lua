-- The large picture: what somebody is after, then what brought them, then where they are from and what season it is there.

slot "travel.hero" {
  channel = "web",
  default = {
    picture = "hero-coast", intent = "any", eyebrow = "Small journeys by sea and mountain",
    headline = "Go where the map is still drawn by hand", claim = "Fifteen journeys, twelve people at most, and somebody who lives there to show you round.",
  },
}

-- What each intent looks like. The words are those of the page's search, too: a search for "beach" is told as "beach".
local INTENTS = {
  beach = {
    picture = "hero-beach", intent = "beach", eyebrow = "By the sea",
    headline = "Warm sand, and no animation team", claim = "Fishing villages, island ferries, a week without a plan.",
  },
  city = {
    picture = "hero-city", intent = "city", eyebrow = "Into town",
    headline = "A city in four mornings", claim = "Coffee houses, back streets and the tram that the locals take.",
  },
  snow = {
    picture = "hero-snow", intent = "snow", eyebrow = "Into the snow",
    headline = "Quiet is the colour of snow", claim = "Sledges, snowshoes and northern lights; lifts are for others.",
  },
  hiking = {
    picture = "hero-hiking", intent = "hiking", eyebrow = "On foot",
    headline = "From tarn to tarn, and tea in between", claim = "Your bag goes by road. You go over the top.",
  },
  family = {
    picture = "hero-family", intent = "family", eyebrow = "With children",
    headline = "Room for sandcastles in the luggage", claim = "Houses with gardens, short days, and people who like children.",
  },
}

-- What they are after at the moment: a search weighs more than a look, one of the last hour more than one of last week, and the last
-- of all (the page tells it as a trait) most. Nothing if they did neither.
local function intent(v)
  local best, most = nil, 0
  local last = v:get("traits.looking_for", "")
  for _, name in ipairs { "beach", "city", "hiking", "snow" } do
    local weight = 6 * v:searched { term = name, within = "1h" } + 2 * v:searched { term = name, within = "14d" } + v:viewed { category = name, within = "7d" }
    if name == last then weight = weight + 9 end
    if weight > most then best, most = name, weight end
  end
  return best, most
end

rule "travel-hero-regular-hiker" {
  slot     = "travel.hero",
  priority = 80,
  when     = { segment = all_of { "travel-regular", "travel-hiker" } },
  show     = {
    picture = "hero-hiking", intent = "hiking", eyebrow = "Welcome back",
    headline = "The next path is marked", claim = "New this year: the Julian high route. Regulars may reserve a week before everybody else.",
  },
  owner    = "regulars",
  note     = "Two journeys and a clear liking. Whoever only ever went to the sea is not called a hiker.",
}

rule "travel-hero-family-beach" {
  slot     = "travel.hero",
  priority = 70,
  when     = {
    segment  = "travel-with-children",
    searched = { term = "beach", within = "30d" },
    any { { traits = { looking_for = "beach" } }, { traits = { looking_for = unknown() } } },
  },
  show     = {
    picture = "hero-family", intent = "family-beach", eyebrow = "With children, by the sea",
    headline = "Shallow water, deep sleep", claim = "Beaches where small legs can stand, in the school holidays, too.",
  },
  owner    = "families",
  note     = "The two together are the holiday that is asked for most, and have a claim of their own.",
}

rule "travel-hero-family" {
  slot     = "travel.hero",
  priority = 60,
  when     = { segment = "travel-with-children" },
  show     = INTENTS.family,
  owner    = "families",
}

rule "travel-hero-intent" {
  slot     = "travel.hero",
  priority = 50,
  when     = function(v) local name, weight = intent(v); return name ~= nil and weight >= 2 end,
  show     = function(v) return INTENTS[intent(v)] end,
  owner    = "home page",
  note     = "One rule for four intents: the strongest has the picture. A single look is too little to go by.",
}

rule "travel-hero-family-search" {
  slot     = "travel.hero",
  priority = 38,
  when     = { segment = "travel-asked-for-children" },
  show     = INTENTS.family,
  owner    = "search",
  note     = "This and the four below need no consent: they read the advertisement's address, not the visitor's past.",
}

rule "travel-hero-beach-search" {
  slot     = "travel.hero",
  priority = 36,
  when     = { segment = "travel-asked-for-beach" },
  show     = INTENTS.beach,
  owner    = "search",
  note     = "Who refused to be remembered and searched for a beach still lands on one.",
}

rule "travel-hero-city-search" {
  slot     = "travel.hero",
  priority = 34,
  when     = { segment = "travel-asked-for-city" },
  show     = INTENTS.city,
  owner    = "search",
}

rule "travel-hero-snow-search" {
  slot     = "travel.hero",
  priority = 32,
  when     = { segment = "travel-asked-for-snow" },
  show     = INTENTS.snow,
  owner    = "search",
}

rule "travel-hero-hiking-search" {
  slot     = "travel.hero",
  priority = 30,
  when     = { segment = "travel-asked-for-hiking" },
  show     = INTENTS.hiking,
  owner    = "search",
}

rule "travel-hero-newsletter" {
  slot     = "travel.hero",
  priority = 25,
  when     = { source = "email" },
  show     = {
    picture = "hero-hiking", intent = "newsletter", eyebrow = "As in our letter",
    headline = "Five paths that we walked in the rain for you", claim = "And would walk again. The letter goes on here.",
  },
  owner    = "letters",
}

rule "travel-hero-southern-summer" {
  slot     = "travel.hero",
  priority = 20,
  when     = { segment = all_of { "travel-south", "travel-dark-months" } },
  show     = {
    picture = "hero-snow", intent = "southern", eyebrow = "From your summer into our winter",
    headline = "Leave the heat at home", claim = "Northern lights and stoves: three winter journeys for people who have summer now.",
  },
  owner    = "home page",
}

rule "travel-hero-across-the-ocean" {
  slot     = "travel.hero",
  priority = 15,
  when     = { country = { "US", "CA" } },
  show     = {
    picture = "hero-city", intent = "overseas", eyebrow = "Europe, unhurried",
    headline = "Two journeys, one flight", claim = "Begin in Porto, end in Trieste: we book the trains between.",
  },
  owner    = "overseas",
  note     = "Whoever crosses an ocean for it does not come for three days.",
}

rule "travel-hero-winter-sun" {
  slot     = "travel.hero",
  priority = 10,
  when     = { country = { "DE", "AT", "CH", "GB", "IE", "NO", "SE", "DK", "FI" }, segment = "travel-dark-months" },
  show     = {
    picture = "hero-beach", intent = "winter-sun", eyebrow = "While it is dark here",
    headline = "The sun has only moved", claim = "Four hours to the south, people eat outside tonight.",
  },
  owner    = "home page",
}

local agreed = { "personalization" }
local winter, spring = "2037-12-09T11:00", "2037-04-15T11:00"

test "travel: a first visit in spring sees the coast" {
  given  = { at = spring, country = "DE", source = "direct", consent = {}, events = {} },
  expect = { ["travel.hero"] = "default" },
}

test "travel: a German winter sees the sun" {
  given  = { at = winter, country = "DE", source = "direct", consent = {} },
  expect = { ["travel.hero"] = "travel-hero-winter-sun" },
}

test "travel: an Australian December sees snow" {
  given  = { at = winter, country = "AU", source = "direct", consent = {} },
  expect = { ["travel.hero"] = "travel-hero-southern-summer" },
}

test "travel: whoever crosses the ocean stays longer" {
  given  = { at = winter, country = "US", source = "direct", consent = {} },
  expect = { ["travel.hero"] = "travel-hero-across-the-ocean" },
}

test "travel: the letter goes on" {
  given  = { at = winter, country = "DE", source = "email", consent = {} },
  expect = { ["travel.hero"] = "travel-hero-newsletter" },
}

test "travel: one search for a city is an intent" {
  given  = { consent = agreed, country = "DE", events = { { "Products Searched", query = "city", ago = "20m" } } },
  expect = { ["travel.hero"] = "travel-hero-intent" },
}

test "travel: of two searches the last one counts" {
  given  = {
    consent = agreed, country = "DE", traits = { looking_for = "city" },
    events = { { "Products Searched", query = "beach", ago = "20m" }, { "Products Searched", query = "city", ago = "10m" } },
  },
  expect = { ["travel.hero"] = "travel-hero-intent" },
}

test "travel: one look is none" {
  given  = { at = spring, consent = agreed, country = "DE", source = "direct", events = { { "Product Viewed", product_id = "porto", category = "city", ago = "20m" } } },
  expect = { ["travel.hero"] = "default" },
}

test "travel: a search of last month is over" {
  given  = { at = spring, consent = agreed, country = "DE", source = "direct", events = { { "Products Searched", query = "city", ago = "20d" } } },
  expect = { ["travel.hero"] = "default" },
}

test "travel: children alone" {
  given  = { consent = agreed, events = { { "Products Searched", query = "children", ago = "20m" } } },
  expect = { ["travel.hero"] = "travel-hero-family" },
}

test "travel: children and the sea" {
  given  = { consent = agreed, country = "DE", events = { { "Products Searched", query = "beach", ago = "20m" }, { "Products Searched", query = "family", ago = "19m" } } },
  expect = { ["travel.hero"] = "travel-hero-family-beach" },
}

test "travel: children, and no sea any more" {
  given  = {
    consent = agreed, country = "DE", traits = { looking_for = "snow" },
    events = { { "Products Searched", query = "beach", ago = "20m" }, { "Products Searched", query = "family", ago = "19m" } },
  },
  expect = { ["travel.hero"] = "travel-hero-family" },
}

test "travel: two journeys on foot make a regular" {
  given  = {
    consent = agreed, source = "email",
    events = {
      { "Order Completed", order_id = "T-1", total = 870, products = { { product_id = "tarns", category = "hiking", price = 870 } }, ago = "200d" },
      { "Order Completed", order_id = "T-2", total = 1090, products = { { product_id = "levadas", category = "hiking", price = 1090 } }, ago = "90d" },
      { "Product Viewed", product_id = "julian", category = "hiking", ago = "2d" },
      { "Product Viewed", product_id = "tarns", category = "hiking", ago = "1d" },
    },
  },
  expect = { ["travel.hero"] = "travel-hero-regular-hiker" },
}

-- By what was typed elsewhere, and of people who agreed to nothing.
local function searched_elsewhere(name, term, rule)
  test(name) { given = { at = spring, country = "DE", source = "paid_search", term = term, consent = {} }, expect = { ["travel.hero"] = rule } }
end

searched_elsewhere("travel: beach with kids, elsewhere", "beach with kids", "travel-hero-family-search")
searched_elsewhere("travel: a beach, elsewhere", "quiet beach portugal", "travel-hero-beach-search")
searched_elsewhere("travel: a city, elsewhere", "city break by train", "travel-hero-city-search")
searched_elsewhere("travel: snow, elsewhere", "snowshoes jura", "travel-hero-snow-search")
searched_elsewhere("travel: a walk, elsewhere", "walking holiday", "travel-hero-hiking-search")

test "travel: without consent a search decides nothing" {
  given  = { at = spring, country = "DE", source = "direct", consent = {}, events = { { "Products Searched", query = "city", ago = "20m" } } },
  expect = { ["travel.hero"] = "default" },
}

test "travel: and the address that they came by still does" {
  given  = { at = spring, country = "DE", source = "paid_search", term = "city", consent = {}, events = { { "Products Searched", query = "beach", ago = "20m" } } },
  expect = { ["travel.hero"] = "travel-hero-city-search" },
}

-- The journeys, the order in which they are listed, and the reminder of one that was looked at twice. The table is here and nowhere
-- else: the page gets it as the content of the slot travel.packages. A new journey is a new entry; no rule has to change.
--
--   kind      beach, city, snow or hiking: also the category that the page tells of each look
--   airports  where it may begin, besides the train (`train`)
--   pace      1 easy, 2 steady, 3 demanding;  min_age of children;  group: how many at most;  single: the supplement in euro
--   fits      for whom, 1 to 3; who is not named is welcome, too

local JOURNEYS = {
  { id = "lagoon", name = "The house on the lagoon", place = "Ria Formosa, Portugal", kind = "beach", days = 8, price = 890,
    airports = { "BER", "FRA", "LGW", "ZRH" }, pool = true, pace = 1, min_age = 0, group = 12, single = 180, fits = { family = 3, couple = 1 },
    text = "Sandbanks at low tide, a rowing boat for every house, and clams for supper." },
  { id = "porto", name = "Porto, tile by tile", place = "Porto, Portugal", kind = "city", days = 4, price = 520,
    airports = { "FRA", "MUC", "LGW", "EWR" }, pace = 2, min_age = 12, group = 10, single = 90, fits = { couple = 3, solo = 2 },
    text = "A workshop where azulejos are painted, and the last tram along the river." },
  { id = "tarns", name = "Tarn to tarn", place = "Lake District, England", kind = "hiking", days = 7, price = 870,
    airports = { "MAN" }, train = true, pace = 2, min_age = 14, group = 12, single = 0, luggage = true, fits = { solo = 3, couple = 2 },
    text = "Six lakes, five inns, and a swim in each for those who dare." },
  { id = "stove", name = "Sledges and a stove", place = "Seiser Alm, Italy", kind = "snow", days = 7, price = 980,
    airports = { "MUC", "VIE" }, train = true, pace = 1, min_age = 3, group = 12, single = 210, fits = { family = 3 },
    text = "A farmhouse above the clouds. The run to the village is twenty minutes long." },
  { id = "trieste", name = "Trieste and its coffee", place = "Trieste, Italy", kind = "city", days = 5, price = 610,
    airports = { "FRA", "MUC" }, train = true, pace = 1, min_age = 12, group = 10, single = 0, fits = { solo = 3, couple = 2 },
    text = "A city with four languages and seven words for espresso." },
  { id = "naxos", name = "Naxos, slowly", place = "Cyclades, Greece", kind = "beach", days = 10, price = 1180,
    airports = { "FRA", "MUC", "VIE", "LGW" }, pool = true, pace = 1, min_age = 0, group = 12, single = 240, fits = { family = 2, couple = 2 },
    text = "By ferry, and only one island. Cheese, marble, and a beach that takes an hour to walk." },
  { id = "lofoten", name = "Lofoten under the lights", place = "Lofoten, Norway", kind = "snow", days = 8, price = 1790,
    airports = { "BER", "FRA", "OSL", "ARN", "CPH" }, pace = 2, min_age = 10, group = 10, single = 260, fits = { couple = 2, solo = 2 },
    text = "Fishermen's cabins on stilts, and somebody who wakes you when the sky turns green." },
  { id = "donkey", name = "With a donkey in the Cévennes", place = "Cévennes, France", kind = "hiking", days = 7, price = 760,
    airports = { "ZRH" }, train = true, pace = 1, min_age = 5, group = 12, single = 120, luggage = true, fits = { family = 3 },
    text = "She is called Mistral, she carries the bags, and she sets the pace." },
  { id = "ghent", name = "Ghent by evening light", place = "Ghent, Belgium", kind = "city", days = 3, price = 430,
    airports = {}, train = true, pace = 1, min_age = 10, group = 12, single = 70, fits = { couple = 3, group = 2 },
    text = "Lamps, canals, and a boat that is rowed after dark." },
  { id = "levadas", name = "The levadas of Madeira", place = "Madeira, Portugal", kind = "hiking", days = 8, price = 1090,
    airports = { "BER", "FRA", "MUC", "LGW" }, pool = true, pace = 2, min_age = 12, group = 12, single = 190, luggage = true, fits = { couple = 3 },
    text = "Paths as level as the water beside them, through laurel woods and tunnels." },
  { id = "dunes", name = "The dunes by train", place = "Juist, Germany", kind = "beach", days = 6, price = 540,
    airports = {}, train = true, pace = 1, min_age = 0, group = 12, single = 60, fits = { family = 3, group = 1 },
    text = "No cars, seventeen kilometres of sand, and the luggage comes by horse." },
  { id = "julian", name = "The Julian high route", place = "Triglav, Slovenia", kind = "hiking", days = 8, price = 940,
    airports = { "MUC", "VIE" }, train = true, pace = 3, min_age = 16, group = 10, single = 40, fits = { group = 3, solo = 1 },
    text = "Hut to hut above the Soča, with a guide who was born in the third of them." },
  { id = "copenhagen", name = "Copenhagen by cargo bike", place = "Copenhagen, Denmark", kind = "city", days = 4, price = 690,
    airports = { "BER", "ZRH", "MAN", "OSL", "ARN" }, train = true, pace = 2, min_age = 0, group = 10, single = 110, fits = { family = 3 },
    text = "Children in front, cinnamon buns behind, harbour baths in between." },
  { id = "jura", name = "Snowshoes in the Jura", place = "Jura, Switzerland", kind = "snow", days = 5, price = 640,
    airports = { "ZRH" }, train = true, pace = 2, min_age = 12, group = 12, single = 0, fits = { group = 3, solo = 3 },
    text = "Spruce, silence, and fondue in a hut that no road reaches." },
  { id = "kornati", name = "A boat for ten in the Kornati", place = "Kornati, Croatia", kind = "beach", days = 7, price = 1290,
    airports = { "FRA", "MUC", "VIE" }, pace = 2, min_age = 8, group = 10, single = 320, fits = { group = 3 },
    text = "An old sailing boat, a cook, and eighty-nine islands to choose from." },
}

-- A hotel for grown-ups only. It is offered by rules with the tag travel-adults-only, and to couples.
local QUIET_COVE = {
  id = "cove", name = "The quiet cove", place = "Menorca, Spain", kind = "beach", days = 7, price = 1340, adults_only = true,
  airports = { "BER", "FRA", "LGW" }, pool = true, pace = 1, min_age = 18, group = 8, single = 290, fits = { couple = 3 },
  text = "Nine rooms, a library and a bay. Guests are sixteen and over, and mostly asleep.",
}

slot "travel.packages" {
  channel = "web",
  default = { order = "plain", headline = "Fifteen small journeys", why = "In the order of our catalogue.", packages = JOURNEYS },
}

-- The ranking. `score` tells how well a journey fits; at equal scores the order of the table stays.

local function ordered(score, with)
  local list, scores = {}, {}
  for i, journey in ipairs(JOURNEYS) do list[i] = journey end
  if with then list[#list + 1] = with end
  for i, journey in ipairs(list) do scores[journey.id] = score(journey) - i / 100 end
  table.sort(list, function(a, b) return scores[a.id] > scores[b.id] end)
  return list
end

-- What they looked at has a price, too: the mean of it, or nothing if they looked at nothing.
local function price_looked_at(v)
  local sum, looks = 0, 0
  for _, journey in ipairs(JOURNEYS) do
    local n = v:viewed { product = journey.id, within = "14d" }
    sum, looks = sum + n * journey.price, looks + n
  end
  return looks > 0 and sum / looks or nil
end

-- Party first, as a holiday with the wrong company is none; then what was searched for; then what was looked at; then the price. Where
-- they have been goes to the end.
local function by_what_they_did(v, party)
  local searched, interest = {}, {}
  for _, kind in ipairs { "beach", "city", "snow", "hiking" } do
    searched[kind] = 6 * math.min(1, v:searched { term = kind, within = "1h" }) + math.min(3, v:searched { term = kind, within = "14d" })
    interest[kind] = 4 * v:affinity { category = kind }
  end
  local last = v:get("traits.looking_for", "")
  if searched[last] then searched[last] = searched[last] + 4 end
  local price = price_looked_at(v)
  return function(journey)
    local score = searched[journey.kind] + interest[journey.kind] + 3 * (journey.fits[party] or 0)
    if price then score = score - math.min(2, 3 * math.abs(journey.price - price) / price) end
    if party == "family" and journey.min_age > 8 then score = score - 12 end
    if party == "solo" and journey.single == 0 then score = score + 2 end
    if v:bought { product = journey.id } > 0 then score = score - 8 end
    return score
  end
end

rule "travel-packages-family" {
  slot     = "travel.packages",
  priority = 60,
  when     = { segment = "travel-with-children" },
  show     = function(v)
    return { order = "family", headline = "Journeys that children like", why = "Because you travel with children.", packages = ordered(by_what_they_did(v, "family")) }
  end,
  owner    = "families",
  note     = "Whatever begins at ten years goes to the end, and is not left out: some children are twelve.",
}

rule "travel-packages-group" {
  slot     = "travel.packages",
  priority = 50,
  when     = { segment = "travel-as-a-group" },
  show     = function(v)
    return { order = "group", headline = "Journeys for all of you", why = "Because you travel as a group.", packages = ordered(by_what_they_did(v, "group")) }
  end,
  owner    = "groups",
}

rule "travel-packages-solo" {
  slot     = "travel.packages",
  priority = 40,
  when     = { segment = "travel-alone" },
  show     = function(v)
    return { order = "solo", headline = "Journeys for one, in good company", why = "Because you travel by yourself: no or small supplements first.", packages = ordered(by_what_they_did(v, "solo")) }
  end,
  owner    = "home page",
}

rule "travel-packages-couple" {
  slot     = "travel.packages",
  priority = 30,
  tags     = { "travel-adults-only" },
  when     = { segment = "travel-as-a-couple" },
  show     = function(v)
    return { order = "couple", headline = "Journeys for two", why = "Because you travel as two.", packages = ordered(by_what_they_did(v, "couple"), QUIET_COVE) }
  end,
  owner    = "home page",
  note     = "The only list with a hotel for grown-ups, hence the tag. Where the guard forbids it, the next rule has the same list without.",
}

rule "travel-packages-couple-any-hotel" {
  slot     = "travel.packages",
  priority = 29,
  when     = { segment = "travel-as-a-couple" },
  show     = function(v)
    return { order = "couple", headline = "Journeys for two", why = "Because you travel as two.", packages = ordered(by_what_they_did(v, "couple")) }
  end,
  owner    = "home page",
}

rule "travel-packages-interest" {
  slot     = "travel.packages",
  priority = 20,
  when     = any { { searched = { within = "14d" } }, { viewed = { within = "14d", at_least = 2 } } },
  show     = function(v)
    return { order = "interest", headline = "More of what you looked for", why = "Because of what you searched for and looked at.", packages = ordered(by_what_they_did(v)) }
  end,
  owner    = "home page",
  note     = "Of nobody's company in particular. One look is an accident, a search is none.",
}

-- What an advertisement promised, without a look at anybody's past: so this reads nothing that needs consent.
local function promised(kind, headline)
  return {
    order = "search", headline = headline, why = "Because of the search that brought you here.",
    packages = ordered(function(journey)
      if kind == "family" then return journey.fits.family or 0 end
      return journey.kind == kind and 1 or 0
    end),
  }
end

rule "travel-packages-family-search" {
  slot     = "travel.packages",
  priority = 14,
  when     = { segment = "travel-asked-for-children" },
  show     = promised("family", "Journeys that children like"),
  owner    = "search",
}

rule "travel-packages-beach-search" {
  slot     = "travel.packages",
  priority = 13,
  when     = { segment = "travel-asked-for-beach" },
  show     = promised("beach", "By the sea first"),
  owner    = "search",
}

rule "travel-packages-city-search" {
  slot     = "travel.packages",
  priority = 12,
  when     = { segment = "travel-asked-for-city" },
  show     = promised("city", "Into town first"),
  owner    = "search",
}

rule "travel-packages-snow-search" {
  slot     = "travel.packages",
  priority = 11,
  when     = { segment = "travel-asked-for-snow" },
  show     = promised("snow", "Into the snow first"),
  owner    = "search",
}

rule "travel-packages-hiking-search" {
  slot     = "travel.packages",
  priority = 10,
  when     = { segment = "travel-asked-for-hiking" },
  show     = promised("hiking", "On foot first"),
  owner    = "search",
}

-- The reminder. It names the journey that the page should speak of (`journey`); the page knows the rest from the list above.

-- Most people are reminded of nothing, and read a promise in its place, so that no page grows when somebody is.
slot "travel.reminder" {
  channel = "web",
  default = { kind = "promise", text = "No deposit until sixty days before. Twelve people at most. By rail wherever rails go." },
}

local function looked_at_twice(v)
  local found = {}
  for _, journey in ipairs(JOURNEYS) do
    if v:viewed { product = journey.id, within = "14d" } >= 2 and v:bought { product = journey.id } == 0 then found[#found + 1] = journey.id end
  end
  return found
end

rule "travel-reminder-started-booking" {
  slot     = "travel.reminder",
  priority = 40,
  when     = { cart = { items = at_least(1) }, page_type = "home" },
  show     = function(v)
    for _, journey in ipairs(JOURNEYS) do
      if v.cart.contains.product[journey.id] then
        return { kind = "started", journey = journey.id, text = "Your booking is where you left it. Nothing is lost if you leave it there.", button = "Go on with it" }
      end
    end
    return { kind = "started", text = "Your booking is where you left it. Nothing is lost if you leave it there.", button = "Go on with it" }
  end,
  owner    = "service",
  note     = "A booking belongs to the visit, so this needs no consent to behaviour. Not on the pages of other journeys: they are looking there.",
}

rule "travel-reminder-last-places" {
  slot     = "travel.reminder",
  priority = 30,
  tags     = { "travel-scarcity" },
  when     = {
    page_type = "product",
    viewed    = { product = "julian", at_least = 2, within = "7d" },
    none { bought = { product = "julian" } },
  },
  show     = { kind = "places", journey = "julian", text = "Two of ten places are free on the walk in June. The next one is in September, and has all ten.", button = "Ask for a place" },
  owner    = "mountains",
  note     = "True as of the guides' list; who changes that list changes this, or takes the rule out. The guard travel-no-pressure says where it may be told at all.",
}

rule "travel-reminder-looked-twice" {
  slot     = "travel.reminder",
  priority = 20,
  when     = function(v) return v.page_type == "product" and #looked_at_twice(v) > 0 end,
  show     = function(v)
    return { kind = "again", journeys = looked_at_twice(v), text = "You have been here before. Shall we keep a place for two days? It costs nothing.", button = "Keep a place" }
  end,
  owner    = "service",
  note     = "The page shows it only beside a journey of the list. Of what is booked nobody is reminded.",
}

rule "travel-reminder-what-to-pack" {
  slot     = "travel.reminder",
  priority = 10,
  when     = { days_since_order = at_most(21), page_type = "home" },
  show     = { kind = "packing", text = "You are going. Here is what people forget: a torch, a swimsuit, a pencil.", button = "The packing list" },
  owner    = "service",
}

cap "travel-one-reminder-a-day" {
  applies = { slot = "travel.reminder" },
  limit = 1, per = "1d",
}

local agreed = { "personalization" }

local function searches(...)
  local events = {}
  for i, query in ipairs { ... } do events[i] = { "Products Searched", query = query, ago = "30m" } end
  return events
end

test "travel: a first visit reads the catalogue in its order" {
  given  = { country = "DE", source = "direct", consent = {}, events = {} },
  expect = { ["travel.packages"] = "default", ["travel.reminder"] = "default" },
}

test "travel: families by search" {
  given  = { country = "DE", consent = agreed, events = searches("beach", "family") },
  expect = { ["travel.packages"] = "travel-packages-family" },
}

test "travel: families by what they told us" {
  given  = { country = "DE", consent = agreed, traits = { party = "family" }, events = {} },
  expect = { ["travel.packages"] = "travel-packages-family" },
}

test "travel: what was chosen goes before what was searched for" {
  given  = { consent = agreed, traits = { party = "solo" }, events = searches("group") },
  expect = { ["travel.packages"] = "travel-packages-solo" },
}

test "travel: groups" {
  given  = { consent = agreed, events = searches("group") },
  expect = { ["travel.packages"] = "travel-packages-group" },
}

test "travel: one traveller" {
  given  = { consent = agreed, events = searches("solo") },
  expect = { ["travel.packages"] = "travel-packages-solo" },
}

test "travel: two travellers" {
  given  = { consent = agreed, events = searches("couple", "city") },
  expect = { ["travel.packages"] = "travel-packages-couple" },
}

test "travel: two travellers who asked for children are shown no hotel without them" {
  given  = { consent = agreed, traits = { party = "couple" }, events = searches("children") },
  expect = { ["travel.packages"] = "travel-packages-couple-any-hotel" },
}

test "travel: two looks are an interest" {
  given  = {
    consent = agreed,
    events = {
      { "Product Viewed", product_id = "lofoten", category = "snow", price = 1790, ago = "2d" },
      { "Product Viewed", product_id = "jura", category = "snow", price = 640, ago = "1d" },
    },
  },
  expect = { ["travel.packages"] = "travel-packages-interest" },
}

test "travel: one look is an accident" {
  given  = { consent = agreed, events = { { "Product Viewed", product_id = "lofoten", category = "snow", price = 1790, ago = "2d" } } },
  expect = { ["travel.packages"] = "default" },
}

local function came_by(name, term, rule)
  test(name) { given = { source = "paid_search", term = term, consent = {}, events = searches("city", "couple") }, expect = { ["travel.packages"] = rule } }
end

came_by("travel: no consent, and the list is by the search for children", "beach with kids", "travel-packages-family-search")
came_by("travel: no consent, and the list is by the search for a beach", "quiet beach", "travel-packages-beach-search")
came_by("travel: no consent, and the list is by the search for a city", "long weekend", "travel-packages-city-search")
came_by("travel: no consent, and the list is by the search for snow", "snowshoe tour", "travel-packages-snow-search")
came_by("travel: no consent, and the list is by the search for a walk", "hiking in may", "travel-packages-hiking-search")

local function looks(id, n, ago)
  local events = {}
  for i = 1, n do events[i] = { "Product Viewed", product_id = id, category = "hiking", price = 940, ago = ago } end
  return events
end

test "travel: looked at twice, and not booked" {
  given  = { country = "DE", page_type = "product", consent = agreed, events = looks("levadas", 2, "1d") },
  expect = { ["travel.reminder"] = "travel-reminder-looked-twice" },
}

test "travel: looked at once is no reason to be reminded" {
  given  = { country = "DE", page_type = "product", consent = agreed, events = looks("levadas", 1, "1d") },
  expect = { ["travel.reminder"] = "default" },
}

test "travel: looked at twice, and booked" {
  given  = {
    country = "DE", page_type = "product", consent = agreed,
    events = {
      { "Product Viewed", product_id = "levadas", category = "hiking", price = 1090, ago = "2d" },
      { "Product Viewed", product_id = "levadas", category = "hiking", price = 1090, ago = "2d" },
      { "Order Completed", order_id = "T-1", total = 1090, products = { { product_id = "levadas", category = "hiking", price = 1090 } }, ago = "1d" },
    },
  },
  expect = { ["travel.reminder"] = "default" },
}

test "travel: without consent nobody is told that they were here" {
  given  = { country = "DE", page_type = "product", consent = {}, events = looks("levadas", 2, "1d") },
  expect = { ["travel.reminder"] = "default" },
}

test "travel: a started booking is the visit's own" {
  given  = { country = "DE", page_type = "home", consent = {}, events = { { "Product Added", product_id = "tarns", category = "hiking", price = 870, ago = "10m" } } },
  expect = { ["travel.reminder"] = "travel-reminder-started-booking" },
}

test "travel: before the journey, what to pack" {
  given  = {
    country = "DE", page_type = "home", consent = agreed,
    events = { { "Order Completed", order_id = "T-1", total = 870, products = { { product_id = "tarns", category = "hiking", price = 870 } }, ago = "5d" } },
  },
  expect = { ["travel.reminder"] = "travel-reminder-what-to-pack" },
}

test "travel: the last places are told in Canada" {
  given  = { country = "CA", page_type = "product", consent = agreed, events = looks("julian", 2, "1d") },
  expect = { ["travel.reminder"] = "travel-reminder-last-places" },
}

test "travel: and never in the European Union" {
  given  = { country = "DE", page_type = "product", consent = agreed, events = looks("julian", 2, "1d") },
  expect = { ["travel.reminder"] = "travel-reminder-looked-twice" },
}

test "travel: nor where nobody knows the place" {
  given  = { page_type = "product", consent = agreed, events = looks("julian", 2, "1d") },
  expect = { ["travel.reminder"] = "travel-reminder-looked-twice" },
}

test "travel: nor to those who did not agree to be remembered" {
  given  = { country = "CA", page_type = "product", consent = {}, events = looks("julian", 2, "1d") },
  expect = { ["travel.reminder"] = "default" },
}

-- Today's stories and the three places that show them: the lead, the front page below it, and "read on" at its end.
-- Who puts the paper together changes `edition` and `pins`; who writes rules changes what stands below them.

-- The order of this list is the editor's order. `violent` keeps a story from being chosen as a lead by a function, since a
-- guard sees a rule's tags and not which story a function will choose.
local edition = {
  { id = "sea-wall", section = "climate", headline = "The sea wall will be a metre higher than planned, and the view is gone",
    standfirst = "Halvik builds for the storm of 2080. Those who live behind the wall would like to see the sea until then.",
    author = "Ingrid Solheim", minutes = 7, picture = "sea-wall" },
  { id = "tunnel-vote", section = "politics", headline = "Eleven votes for the tunnel, eleven against, and one who will not say",
    standfirst = "Tonight the council decides on nine kilometres under the fjord. Everything hangs on a retired ferry captain.",
    author = "Jonas Brekke", minutes = 6, picture = "tunnel" },
  { id = "last-diesel", section = "economy", headline = "The last diesel ferry has left the fjord",
    standfirst = "Its engine shook the coffee out of every cup for thirty-one years. The new ship hums in B flat.",
    author = "Leila Haddad", minutes = 4, picture = "ferry" },
  { id = "verdict", section = "politics", headline = "Eleven years for the knife attack at the fish market",
    standfirst = "The court finds that it was planned. Two of the injured will never work at a counter again.",
    author = "Jonas Brekke", minutes = 5, picture = "politics", violent = true },
  { id = "kelp", section = "climate", headline = "The kelp is back where the urchins were",
    standfirst = "Forty divers, four summers and a great many hammers: how a forest was won back under water.",
    author = "Ingrid Solheim", minutes = 6, picture = "kelp" },
  { id = "herring-shed", section = "culture", headline = "An opera in the herring shed, and the smell is part of it",
    standfirst = "The orchestra sits where the barrels stood. Nobody who was at the first night has washed the coat since.",
    author = "Aurelio Conti", minutes = 8, picture = "shed" },
  { id = "derby", section = "sport", headline = "Ninety-fourth minute, own half, straight in: Halvik win the derby",
    standfirst = "The goalkeeper meant to clear it. The wind had other plans, and Stornes will not hear the end of it.",
    author = "Maja Lund", minutes = 3, picture = "derby" },
  { id = "sea-floor", section = "science", headline = "There is a river at the bottom of the sea, and it has meanders",
    standfirst = "A survey for a cable found what cold, salty water has been carving for nine thousand years.",
    author = "Dr Tomasz Wilk", minutes = 9, picture = "sea-floor" },
  { id = "rye", section = "food", headline = "Three days for a loaf, and no day less",
    standfirst = "The bakery on Quay Street opens when the dough is ready. The queue has learned to read its chimney.",
    author = "Sunniva Aas", minutes = 5, picture = "rye" },
  { id = "salmon", section = "economy", headline = "The salmon farms move out to where the waves are",
    standfirst = "Deeper water means fewer lice and stronger nets. It also means that somebody has to go there in January.",
    author = "Leila Haddad", minutes = 6, picture = "economy" },
  { id = "eight-women", section = "sport", headline = "Eight women, one open boat and three hundred miles of coast",
    standfirst = "They train in the dark, before work. In May they row to Trolløy, which no crew of theirs has reached.",
    author = "Maja Lund", minutes = 7, picture = "sport" },
  { id = "herring", section = "climate", headline = "The herring came three weeks early, and so did the whales",
    standfirst = "What a single degree of warmth does to a calendar by which people here have lived since there were nets.",
    author = "Ingrid Solheim", minutes = 5, picture = "climate" },
  { id = "library-boat", section = "culture", headline = "The library boat sails again, with a captain who reads aloud",
    standfirst = "Nineteen islands, four thousand books and one rule: what is borrowed in a storm may be kept until spring.",
    author = "Aurelio Conti", minutes = 4, picture = "culture" },
  { id = "long-wave", section = "science", headline = "What the northern lights sound like on long wave",
    standfirst = "A retired radio operator recorded them for twenty winters. Now physicists want the tapes.",
    author = "Dr Tomasz Wilk", minutes = 6, picture = "science" },
  { id = "ski", section = "sport", headline = "Ninety kilometres on wax that she boiled herself",
    standfirst = "Pine tar, beeswax and something she will not name. Kari Moen, 61, was faster than her daughter.",
    author = "Maja Lund", minutes = 4, picture = "ski" },
  { id = "urchin", section = "food", headline = "If you cannot beat the urchin, eat it",
    standfirst = "Divers bring them up by the ton. A cook on Storholmen knows eleven things to do with them, and we tried nine.",
    author = "Sunniva Aas", minutes = 5, picture = "food" },
}

-- Older pieces that do not age, for the end of the page: one of each section, so that no story stands there twice.
local archive = {
  { id = "island-school", section = "politics", headline = "The school with three pupils",
    standfirst = "It costs as much as a bridge. Ask the island what a bridge is for, without children.", author = "Jonas Brekke", minutes = 9, picture = "school" },
  { id = "goalkeeper", section = "sport", headline = "In goal at forty-seven",
    standfirst = "He has seen off nine coaches and two knees.", author = "Maja Lund", minutes = 8, picture = "gloves" },
  { id = "glacier-diary", section = "climate", headline = "My grandmother's diary of a glacier",
    standfirst = "Every first of September she walked up and measured it with a rope.", author = "Ingrid Solheim", minutes = 11, picture = "glacier" },
  { id = "lighthouse", section = "culture", headline = "The last keeper leaves a light that needs nobody",
    standfirst = "What he takes along: a kettle, a barometer and forty notebooks.", author = "Aurelio Conti", minutes = 10, picture = "lighthouse" },
  { id = "eel", section = "science", headline = "Where do the eels go?",
    standfirst = "Nobody has ever seen one arrive. A search in four centuries and one bucket.", author = "Dr Tomasz Wilk", minutes = 12, picture = "science" },
  { id = "fish-soup", section = "food", headline = "The soup that stopped a strike",
    standfirst = "A recipe from the winter of 1931, with the quarrel that belongs to it.", author = "Sunniva Aas", minutes = 6, picture = "food" },
  { id = "wind-debt", section = "economy", headline = "The village that owns the wind",
    standfirst = "Forty households, one turbine and a loan that is paid in storms.", author = "Leila Haddad", minutes = 9, picture = "economy" },
}

-- The editor's pins, by the id of a story. A rule below gives each its place, and its days.
local pins = { lead = "tunnel-vote", front = "tunnel-vote" }

local function find(id)
  for _, s in ipairs(edition) do
    if s.id == id then return s end
  end
  error('there is no story "' .. id .. '" in this edition')
end

-- What a reader's past says of a story, beside how much of their interest its section has: what was opened goes to the end. The page
-- shows the marks as badges.
local by_what_they_open = {
  { where = { viewed = true }, by = -1, mark = "opened" },
  { where = { viewed = false, affinity = at_least(0.3) }, mark = "for_you" },
}

-- The first story, of those that may lead, of the section that has two fifths of somebody's interest; nothing if none has.
local function favourite(v)
  local first, most
  for _, story in ipairs(edition) do
    local interest = v:affinity { category = story.section } - (v:viewed { product = story.id } > 0 and 1 or 0)
    if not most or interest > most then first, most = story, interest end
  end
  if first.violent or most < 0.4 then return nil end
  return first
end

local function some(stories, n)
  local result = {}
  for i = 1, n do result[i] = stories[i] end
  return result
end

slot "media.lead"    { channel = "web", default = { story = edition[1] } }
slot "media.front"   { channel = "web", show_up_to = 2, default = { stories = edition } } -- a pin, and an order
slot "media.read-on" { channel = "web", default = { headline = "Worth your evening", stories = some(archive, 4) } }

-- The lead: one story.

rule "media-lead-pinned" {
  slot     = "media.lead",
  priority = 100,
  tags     = { "pinned" },
  starts   = "2037-11-19", ends = "2037-11-20",
  show     = { story = find(pins.lead), label = "Tonight's vote" },
  owner    = "editor",
  note     = "To pin a lead, write its id under `pins` and its days here. Nothing that a reader did comes before it.",
}

rule "media-lead-derby-campaign" {
  slot     = "media.lead",
  priority = 70,
  when     = { source = { "paid_social", "organic_social" }, campaign = starts_with "derby" },
  show     = { story = find "derby" },
  owner    = "audience",
  note     = "Who follows a link to the derby finds the derby. That is where they came from, and asks for no consent.",
}

rule "media-lead-favourite" {
  slot     = "media.lead",
  priority = 60,
  tags     = { "media-ranked" },
  when     = all { segment = "media-reader", function(v) return favourite(v) ~= nil end },
  show     = function(v)
    local story = { for_you = true }
    for key, value in pairs(favourite(v)) do story[key] = value end
    return { story = story, label = "For you" }
  end,
  owner    = "audience",
  note     = "Leads with what they have not opened, from the section they open most. Never with a violent story.",
}

rule "media-lead-verdict" {
  slot     = "media.lead",
  priority = 40,
  tags     = { "media-violent" },
  when     = { segment = "media-at-home", hour = between(17, 20) },
  show     = { story = find "verdict" },
  owner    = "editor",
  note     = "The evening edition at home. Whoever is known to be under 18 gets the next lead: guards.lua.",
}

rule "media-lead-weekend" {
  slot     = "media.lead",
  priority = 30,
  when     = { weekday = between("sat", "sun") },
  show     = { story = find "herring-shed", label = "The long read" },
  owner    = "culture-desk",
}

rule "media-lead-editor" {                     -- no `when`: for everybody, and for all who said no
  slot     = "media.lead",
  show     = { story = edition[1] },
  owner    = "editor",
}

-- The front page: what the editor pinned, and after it one of two orders.

rule "media-front-pinned" {
  slot     = "media.front",
  priority = 100,
  tags     = { "pinned" },
  show     = { stories = { find(pins.front) }, label = "Pinned by the editor" },
  owner    = "editor",
  note     = "It takes the first of the slot's two places, so that it is first in both orders. To take the pin out, write enabled = false.",
}

rule "media-front-for-you" {
  slot        = "media.front",
  priority    = 50,
  only_one_of = "media-order",
  tags        = { "media-ranked" },
  when        = { segment = "media-reader" },
  show        = {
    order   = "yours",                         -- a word for the page; the next one is the engine's
    stories = order { items = edition, names = { category = "section" }, by = "affinity", boost = by_what_they_open },
  },
  owner       = "audience",
  note        = "Reads behaviour, and so wins only with consent; without it the next rule has the place.",
}

rule "media-front-editor" {
  slot        = "media.front",
  only_one_of = "media-order",
  show        = { stories = edition, order = "editor" },
  owner       = "editor",
  note        = "The paper as it was made: for new readers, for crawlers, and for everybody who said no.",
}

-- Read on: older pieces.

rule "media-read-on-young" {
  slot     = "media.read-on",
  priority = 60,
  when     = { traits = { age = at_most(17) } },
  show     = { headline = "From the school paper's shelf", stories = { archive[5], archive[1], archive[2], archive[3] } },
  owner    = "school-paper",
  note     = "Chosen by the young editors of the Halvik school paper. What a browser says of an age is enough to be kind.",
}

rule "media-read-on-opened" {
  slot     = "media.read-on",
  priority = 50,
  tags     = { "media-ranked" },
  when     = { viewed = { at_least = 1, within = "30d" } },
  show     = {
    headline = "For you, from the sections you open",
    stories  = order { items = archive, names = { category = "section" }, by = "affinity", boost = by_what_they_open, limit = 4 },
  },
  owner    = "audience",
  note     = "One story is enough here, where it is not for the order of the page: nothing is lost if it guesses wrong.",
}

rule "media-read-on-editor" {
  slot     = "media.read-on",
  show     = { headline = "Worth your evening", stories = some(archive, 4) },
  owner    = "editor",
}

-- Tests. `expect` of the front page names the pin first, then the order.

local thursday = "2037-10-15T11:00"

local function opened(...)
  local events = {}
  for i, section in ipairs { ... } do
    events[i] = { "Product Viewed", product_id = "older-" .. i, category = section, ago = 10 - i .. "h" }
  end
  return events
end

test "a first visit gets the paper as it was made" {
  given  = { at = thursday, country = "GB", device = "desktop", source = "direct", consent = { "analytics", "personalization" }, events = {} },
  expect = {
    ["media.lead"]    = "media-lead-editor",
    ["media.front"]   = { "media-front-pinned", "media-front-editor" },
    ["media.read-on"] = "media-read-on-editor",
  },
}

test "three stories make a taste" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" }, events = opened("sport", "sport", "food") },
  expect = {
    ["media.lead"]    = "media-lead-favourite",
    ["media.front"]   = { "media-front-pinned", "media-front-for-you" },
    ["media.read-on"] = "media-read-on-opened",
  },
}

test "what they like comes first, in the editor's order, and what they have read last" {
  given  = {
    at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", product_id = "ski", category = "sport", ago = "3h" },
      { "Product Viewed", product_id = "derby", category = "sport", ago = "2h" },
      { "Product Viewed", product_id = "rye", category = "food", ago = "1h" },
    },
  },
  expect = { ["media.front"] = { "media-front-pinned", "media-front-for-you" }, ["media.read-on"] = "media-read-on-opened" },
  order  = { ["media.front"] = { "eight-women", "urchin", "sea-wall" }, ["media.read-on"] = { "goalkeeper", "fish-soup", "island-school" } },
}

test "two make none, and are enough to read on" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" }, events = opened("sport", "sport") },
  expect = {
    ["media.lead"]    = "media-lead-editor",
    ["media.front"]   = { "media-front-pinned", "media-front-editor" },
    ["media.read-on"] = "media-read-on-opened",
  },
}

test "who reads a little of everything gets an order, and the editor's lead" {
  given  = {
    at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" },
    events = opened("sport", "food", "science", "culture", "economy"),
  },
  expect = { ["media.lead"] = "media-lead-editor", ["media.front"] = { "media-front-pinned", "media-front-for-you" } },
}

test "who has opened all of a section is led elsewhere" {
  given  = {
    at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" },
    events = {
      { "Product Viewed", product_id = "rye", category = "food", ago = "3h" },
      { "Product Viewed", product_id = "urchin", category = "food", ago = "2h" },
      { "Product Viewed", product_id = "urchin", category = "food", ago = "1h" },
    },
  },
  expect = { ["media.lead"] = "media-lead-editor", ["media.front"] = { "media-front-pinned", "media-front-for-you" } },
}

test "a pinned lead comes before what somebody likes" {
  given  = { at = "2037-11-19T11:00", country = "NO", device = "mobile", source = "direct", consent = { "personalization" }, events = opened("sport", "sport", "sport") },
  expect = { ["media.lead"] = "media-lead-pinned", ["media.front"] = { "media-front-pinned", "media-front-for-you" } },
}

test "and before a campaign, a weekday and an hour" {
  given  = { at = "2037-11-20T18:30+01:00", timezone = "Europe/Oslo", country = "NO", device = "mobile", source = "paid_social", campaign = "derby-2", consent = {} },
  expect = { ["media.lead"] = "media-lead-pinned" },
}

test "when its days are over, the pinned lead is gone" {
  given  = { at = "2037-11-23T11:00", country = "GB", device = "desktop", source = "direct", consent = {} },
  expect = { ["media.lead"] = "media-lead-editor" },
}

test "a link to the derby leads to the derby, without consent too" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "paid_social", campaign = "derby-autumn", consent = {} },
  expect = { ["media.lead"] = "media-lead-derby-campaign" },
}

test "another campaign does not" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "paid_social", campaign = "spring", consent = {} },
  expect = { ["media.lead"] = "media-lead-editor" },
}

test "at home the evening begins with the court" {
  given  = { at = "2037-10-15T18:30+02:00", timezone = "Europe/Oslo", country = "NO", device = "desktop", source = "direct", consent = {}, traits = { age = 40 } },
  expect = { ["media.lead"] = "media-lead-verdict" },
}

test "abroad it does not" {
  given  = { at = "2037-10-15T18:30+02:00", timezone = "Europe/Berlin", country = "DE", device = "desktop", source = "direct", consent = {} },
  expect = { ["media.lead"] = "media-lead-editor" },
}

test "the weekend has a long read" {
  given  = { at = "2037-10-17T11:00+02:00", country = "DE", timezone = "Europe/Berlin", device = "tablet", source = "direct", consent = {} },
  expect = { ["media.lead"] = "media-lead-weekend" },
}

test "the young find what the young have chosen" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "personalization" }, traits = { age = 16 }, events = opened("sport") },
  expect = { ["media.read-on"] = "media-read-on-young" },
}

-- The subscription offer, by how much somebody reads and where they come from. What is offered bears the tag `media-offer`:
-- guards.lua keeps it from subscribers and crawlers, caps.lua from everybody after three in a week.

rule "media-offer-thanks" {
  slot     = "media.offer",
  priority = 10,
  when     = { segment = "media-subscriber" },
  show     = { kind = "thanks", headline = "Thank you for paying for this newspaper", text = "You keep eleven reporters on the road. Tonight's paper is ready to download, and the crossword is yours.",
    button = "To the crossword", terms = "The crossword of today: eleven across, \"It holds a ship and a grudge\", six letters. The solution is in tomorrow's paper." },
  owner    = "subscriptions",
  note     = "No offer, and so without the tag. It is below the offers, and wins because a guard takes those away.",
}

rule "media-offer-eight" {
  slot     = "media.offer",
  priority = 60,
  tags     = { "media-offer" },
  when     = { viewed = { at_least = 8, within = "30d" } },
  show     = function(v)
    return { kind = "offer", headline = string.format("%d stories this month. You are one of us already", v:viewed { within = "30d" }),
      text = "Read all of it, and the archive since 1887.", price = "€ 9", per = "a month", button = "Become a subscriber",
      terms = "Nine euros a month, ended on any day, by one click. No card is asked for in the first month." }
  end,
  owner    = "subscriptions",
  note     = "A story that is opened twice counts twice.",
}

rule "media-offer-four" {
  slot     = "media.offer",
  priority = 50,
  tags     = { "media-offer" },
  when     = { viewed = { at_least = 4, within = "30d" } },
  show     = { kind = "offer", headline = "You seem to like it here", text = "The weekend edition: the long reads, on Friday evening.", price = "€ 4", per = "a month",
    button = "Try the weekend", terms = "Four euros a month for the weekend edition, ended on any day, by one click." },
  owner    = "subscriptions",
}

rule "media-offer-from-letter" {
  slot     = "media.offer",
  priority = 40,
  tags     = { "media-offer" },
  when     = { source = "email" },
  show     = { kind = "offer", headline = "The letter is free. The paper is a month free", text = "For readers of our newsletter: four weeks of everything.", price = "€ 0", per = "for four weeks",
    button = "Start the four weeks", terms = "Four weeks of everything. It ends by itself; we write before it does." },
  owner    = "subscriptions",
}

rule "media-offer-overseas" {
  slot     = "media.offer",
  priority = 30,
  tags     = { "media-offer" },
  when     = { country = { "US", "CA", "AU", "GB", "IE" } },
  show     = { kind = "offer", headline = "The fjord, wherever you are", text = "The weekend edition for readers abroad, in your own Friday evening.", price = "€ 4", per = "a month",
    button = "Read from abroad", terms = "Four euros a month, ended on any day, by one click. Prices in your own currency at the next step." },
  owner    = "subscriptions",
}

rule "media-offer-social" {
  slot     = "media.offer",
  priority = 20,
  tags     = { "media-offer" },
  when     = { source = { "paid_social", "organic_social" } },
  show     = { kind = "offer", headline = "More than one good story", text = "The first month of everything, for the price of a bun at the quay.", price = "€ 1", per = "in the first month",
    button = "Take the month", terms = "One euro in the first month, nine in each that follows, ended on any day, by one click." },
  owner    = "audience",
}

local function read(n)
  local events = {}
  for i = 1, n do events[i] = { "Product Viewed", product_id = "older-" .. i, category = "politics", ago = 30 - i .. "h" } end
  return events
end

test "a subscriber is thanked" {
  given  = { country = "NO", device = "desktop", source = "direct", consent = {}, traits = { plan = "digital" } },
  expect = { ["media.offer"] = "media-offer-thanks" },
}

test "eight stories in a month" {
  given  = { country = "NO", device = "desktop", source = "direct", consent = { "personalization" }, events = read(8) },
  expect = { ["media.offer"] = "media-offer-eight" },
}

test "four are worth a weekend" {
  given  = { country = "NO", device = "desktop", source = "direct", consent = { "personalization" }, events = read(4) },
  expect = { ["media.offer"] = "media-offer-four" },
}

test "three are a guest" {
  given  = { country = "NO", device = "desktop", source = "direct", consent = { "personalization" }, events = read(3) },
  expect = { ["media.offer"] = "default" },
}

test "from the newsletter to the paper" {
  given  = { country = "NO", device = "desktop", source = "email", consent = {} },
  expect = { ["media.offer"] = "media-offer-from-letter" },
}

test "the fjord from Toronto" {
  given  = { country = "CA", device = "tablet", source = "direct", consent = {} },
  expect = { ["media.offer"] = "media-offer-overseas" },
}

test "from a social network, at home" {
  given  = { country = "NO", device = "mobile", source = "paid_social", consent = {} },
  expect = { ["media.offer"] = "media-offer-social" },
}

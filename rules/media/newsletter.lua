-- The box that offers a newsletter: the one that fits what somebody reads, else the morning letter. guards.lua keeps it from
-- those who have it; they are shown the other letters, which is the slot's default.

rule "media-newsletter-sport" {
  slot     = "media.newsletter",
  priority = 40,
  when     = { segment = "media-sport-fan" },
  show     = { kind = "sign-up", list = "final-whistle", headline = "Final whistle", text = "Maja Lund on the weekend's matches. Sunday, when the mud is dry." },
  owner    = "sport-desk",
}

rule "media-newsletter-climate" {
  slot     = "media.newsletter",
  priority = 35,
  when     = { segment = "media-climate-reader" },
  show     = { kind = "sign-up", list = "tide-line", headline = "Tide line", text = "What the sea did this week, and what we did to it. Every Wednesday." },
  owner    = "climate-desk",
}

rule "media-newsletter-food" {
  slot     = "media.newsletter",
  priority = 30,
  when     = { affinity = { category = "food", at_least = 0.3 }, viewed = { category = "food", at_least = 2, within = "14d" } },
  show     = { kind = "sign-up", list = "cold-kitchen", headline = "Cold kitchen", text = "One recipe that needs no stove and one that needs all day. Fridays." },
  owner    = "food-desk",
}

rule "media-newsletter-morning" {
  slot     = "media.newsletter",
  show     = { kind = "sign-up", list = "morning", headline = "The morning letter", text = "Five stories before the first ferry. Weekdays at six." },
  owner    = "news-desk",
}

local function views(section, n)
  local events = {}
  for i = 1, n do events[i] = { "Product Viewed", product_id = section .. "-" .. i, category = section, ago = "3h" } end
  return events
end

test "sport has a letter" {
  given  = { source = "direct", consent = { "personalization" }, events = views("sport", 3) },
  expect = { ["media.newsletter"] = "media-newsletter-sport" },
}

test "so has the sea" {
  given  = { source = "direct", consent = { "personalization" }, events = views("climate", 3) },
  expect = { ["media.newsletter"] = "media-newsletter-climate" },
}

test "and the kitchen" {
  given  = { source = "organic_search", consent = { "personalization" }, events = views("food", 2) },
  expect = { ["media.newsletter"] = "media-newsletter-food" },
}

test "everybody else is offered the morning" {
  given  = { source = "organic_search", consent = {} },
  expect = { ["media.newsletter"] = "media-newsletter-morning" },
}

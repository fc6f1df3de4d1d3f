-- The newspaper's own vetoes. That nothing personal is shown without consent is not among them: that guard is in
-- ../compliance, where nobody who writes rules can touch it. Its tests on this paper's rules stand below all the same.

guard "media-crawlers-get-the-editors-order" {
  applies = { tag = { "media-ranked", "media-offer" } },
  forbid  = { device = "bot" },
  because = "Search engines see the paper as the editor made it, and no offers",
}

guard "media-no-offer-to-subscribers" {
  applies = { tag = "media-offer" },
  require = any { all { traits = { plan = unknown() } }, all { traits = { plan = is_not { "digital", "weekend", "print" } } } },
  because = "Nobody is asked to buy what they pay for already",
}

guard "media-no-violence-for-the-young" {
  applies = { slot = "media.lead", tag = "media-violent" },
  require = any { all { traits = { age = unknown() } }, all { traits = { age = at_least(18) } } },
  because = "Violence does not lead the page of whoever is known to be under 18 (press code, section 11)",
}

guard "media-no-second-sign-up" {
  applies = { slot = "media.newsletter" },
  forbid  = any { source = "email", consent = "email" },
  because = "Who comes from the newsletter, or is on its list, has it",
}

guard "media-pins-are-for-our-own-pages" {
  applies = { tag = "pinned" },
  require = any { all { page_type = unknown() }, all { page_type = is_not "partner" } },
  because = "Partners who show our stories get the order, and not what the editor wants said today",
}

local thursday = "2037-10-15T11:00"

local function sport(ago)
  return {
    { "Product Viewed", product_id = "older-1", category = "sport", ago = ago },
    { "Product Viewed", product_id = "older-2", category = "sport", ago = ago },
    { "Product Viewed", product_id = "older-3", category = "sport", ago = ago },
    { "Product Viewed", product_id = "older-4", category = "sport", ago = ago },
  }
end

test "without consent the order stays the editor's, whatever was read" {
  given  = { at = thursday, country = "GB", device = "desktop", source = "direct", consent = {}, events = sport "2h" },
  expect = {
    ["media.lead"]       = "media-lead-editor",
    ["media.front"]      = { "media-front-pinned", "media-front-editor" },
    ["media.read-on"]    = "media-read-on-editor",
    ["media.band"]       = "default",
    ["media.newsletter"] = "media-newsletter-morning",
    ["media.offer"]      = "media-offer-overseas",
  },
}

test "consent to be counted is no consent to be followed" {
  given  = { at = thursday, country = "NO", device = "mobile", source = "direct", consent = { "analytics" }, events = sport "2h" },
  expect = { ["media.front"] = { "media-front-pinned", "media-front-editor" }, ["media.read-on"] = "media-read-on-editor", ["media.band"] = "default" },
}

test "who refused to be remembered has no past to be ranked by" {
  given  = {
    at = thursday, country = "NO", device = "mobile", source = "direct",
    events = {
      { "Product Viewed", product_id = "older-1", category = "sport", ago = "2h", context = { consent = { categoryPreferences = { analytics = false, personalization = false } } } },
      { "Product Viewed", product_id = "older-2", category = "sport", ago = "1h" },
      { "Product Viewed", product_id = "older-3", category = "sport", ago = "1h" },
    },
  },
  expect = { ["media.lead"] = "media-lead-editor", ["media.front"] = { "media-front-pinned", "media-front-editor" } },
}

test "a crawler gets the editor's order, also where consent is not needed" {
  given  = { at = thursday, country = "US", device = "bot", source = "direct", consent = { "analytics", "personalization" }, events = sport "2h" },
  expect = {
    ["media.lead"]    = "media-lead-editor",
    ["media.front"]   = { "media-front-pinned", "media-front-editor" },
    ["media.read-on"] = "media-read-on-editor",
    ["media.offer"]   = "default",
  },
}

test "so does a device that does not say what it is" {
  given  = { at = thursday, country = "US", source = "direct", consent = { "personalization" }, events = sport "2h" },
  expect = { ["media.front"] = { "media-front-pinned", "media-front-editor" } },
}

test "a subscriber is not offered what they have" {
  given  = { country = "GB", device = "desktop", source = "email", consent = { "personalization" }, traits = { plan = "print" }, events = sport "2h" },
  expect = { ["media.offer"] = "media-offer-thanks" },
}

test "at seventeen the evening does not begin with a knife" {
  given  = { at = "2037-10-15T18:30+02:00", timezone = "Europe/Oslo", country = "NO", device = "mobile", source = "direct", consent = {}, traits = { age = 17 } },
  expect = { ["media.lead"] = "media-lead-editor" },
}

test "at eighteen it does, and so it does for those who never told an age" {
  given  = { at = "2037-10-15T18:30+02:00", timezone = "Europe/Oslo", country = "NO", device = "mobile", source = "direct", consent = {}, traits = { age = 18 } },
  expect = { ["media.lead"] = "media-lead-verdict" },
}

test "the newsletter is not offered to those who come from it" {
  given  = { country = "NO", device = "desktop", source = "email", consent = { "personalization" }, events = sport "2h" },
  expect = { ["media.newsletter"] = "default" },
}

test "nor to those on its list" {
  given  = { country = "NO", device = "desktop", source = "direct", consent = { "personalization", "email" }, events = sport "2h" },
  expect = { ["media.newsletter"] = "default" },
}

test "a partner's page has the order and no pin" {
  given  = { at = "2037-11-19T11:00", country = "NO", device = "desktop", source = "referral", page_type = "partner", consent = {} },
  expect = { ["media.front"] = "media-front-editor", ["media.lead"] = "media-lead-editor" },
}

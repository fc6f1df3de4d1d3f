-- What visitors are told of their data, by where they are and what they said; and what partners may show.

rule "do-not-sell" {                           -- the words are the law's, and so is that there is such a link
  slot     = "footer.privacy",
  priority = 20,
  when     = { country = "US", consent = "sale" },
  show     = { text = "Do Not Sell or Share My Personal Information", link = "/privacy" },
}

rule "not-sold" {
  slot     = "footer.privacy",
  priority = 20,
  when     = { country = "US", consent = is_not "sale" },
  show     = { text = "Your data is not sold or shared", link = "/privacy" },
}

rule "chosen-for-you" {
  slot     = "footer.privacy",
  priority = 10,
  when     = { consent = "personalization" },
  show     = { text = "Chosen for you by what you looked at. Change that", link = "/privacy" },
}

rule "as-for-everybody" {
  slot     = "footer.privacy",
  priority = 10,
  when     = { in_eu = true, consent = is_not "personalization" },
  show     = { text = "You see what everybody sees. Change that", link = "/privacy" },
}

rule "partner-huts" {
  slot = "home.partners",
  tags = { "shares-data" },
  show = { note = "partner-huts", text = "A hut for the night, from our partners", link = "https://huts.example/" },
  note = "The partner sees the visit. So the tag, and the guards in ../compliance; no country needs to be named here.",
}

test "who said nothing in Germany" {
  given  = { country = "DE", consent = {} },
  expect = { ["footer.privacy"] = "as-for-everybody", ["home.partners"] = "default" },
}

test "and who agreed to everything" {
  given  = { country = "DE", consent = { "analytics", "personalization", "sale" } },
  expect = { ["footer.privacy"] = "chosen-for-you", ["home.partners"] = "partner-huts" },
}

test "to personalization alone" {
  given  = { country = "DE", consent = { "analytics", "personalization" } },
  expect = { ["footer.privacy"] = "chosen-for-you", ["home.partners"] = "default" },
}

test "who did not object in Oregon" {
  given  = { country = "US", region = "US-OR", consent = { "analytics", "personalization", "sale" } },
  expect = { ["footer.privacy"] = "do-not-sell", ["home.partners"] = "partner-huts" },
}

test "Global Privacy Control in Oregon" {        -- it leaves analytics
  given  = { country = "US", region = "US-OR", consent = { "analytics" } },
  expect = { ["footer.privacy"] = "not-sold", ["home.partners"] = "default" },
}

test "where consent is out of reach nobody is told what he chose" {
  given  = { country = "US", region = "US-OR" },
  expect = { ["footer.privacy"] = "default", ["home.partners"] = "default" },
}

local function told(ago, categories)
  return { type = "page", ago = ago, context = { consent = { categoryPreferences = categories } } }
end

test "what was agreed to last week counts" {
  given  = { country = "DE", events = { told("7d", { analytics = true, personalization = true, sale = true }), told("1h") } },
  expect = { ["footer.privacy"] = "chosen-for-you", ["home.partners"] = "partner-huts" },
}

test "until it is withdrawn" {
  given  = { country = "DE", events = { told("7d", { personalization = true, sale = true }), told("1h", { personalization = true, sale = false }) } },
  expect = { ["footer.privacy"] = "chosen-for-you", ["home.partners"] = "default" },
}

test "of the young nothing is sold, whatever they agreed to" {
  given  = { country = "US", region = "US-OR", consent = { "sale" }, traits = { age = 15 } },
  expect = { ["footer.privacy"] = "do-not-sell", ["home.partners"] = "default" },
}

test "of grown-ups it is" {
  given  = { country = "US", region = "US-OR", consent = { "sale" }, traits = { age = 18 } },
  expect = { ["home.partners"] = "partner-huts" },
}

-- Whom to ask. A call bears the tag `onboarding-call`, and guards see to it that it comes in office hours and never to those who want none.

rule "onboarding-help-developer" {
  slot     = "onboarding.help",
  priority = 40,
  when     = { traits = { role = "developer" } },
  show     = {
    kind = "docs", title = "Read, copy, run",
    text = "Each page of the documentation has a request that works in the sandbox.", action = "Open the documentation",
    picture = "help-docs",
  },
  owner    = "developer-relations",
  note     = "Before the call: developers of large companies would rather read.",
}

rule "onboarding-help-call" {
  slot     = "onboarding.help",
  priority = 30,
  tags     = { "onboarding-call" },
  when     = { segment = "onboarding-large" },
  show     = {
    kind = "call", title = "Talk to Mara",
    text = "She has rolled it out for forty companies of your size, and is in until five.", action = "Call me now",
    picture = "help-call",
  },
  owner    = "sales",
  note     = "Where a guard forbids the call, onboarding-help-large says the same in writing.",
}

rule "onboarding-help-together" {
  slot     = "onboarding.help",
  priority = 20,
  tags     = { "onboarding-call" },
  when     = { viewed = { category = "setup", at_least = 4, within = "1d" }, none { added = { category = "setup" } } },
  show     = {
    kind = "call", title = "Shall we do it together?", text = "A quarter of an hour on the phone, your screen and ours.",
    action = "Call me now", picture = "help-call",
  },
  owner    = "support",
  note     = "Read four times and did nothing: words do not help any more.",
}

rule "onboarding-help-large" {
  slot     = "onboarding.help",
  priority = 10,
  when     = { segment = "onboarding-large" },
  show     = {
    kind = "write", title = "Write to Mara",
    text = "She has rolled it out for forty companies of your size. Answers come by nine the next morning.",
    action = "Write a message", picture = "help-write",
  },
  owner    = "sales",
  note     = "At night, at weekends, and for those who want no calls.",
}

guard "onboarding-calls-in-office-hours" {
  applies = { tag = "onboarding-call" },
  require = { weekday = between("mon", "fri"), hour = between(9, 16) },
  because = "Nobody picks up at night; a promised call that does not come is worse than none",
}

-- Asked as in upgrade.lua: the trait exists for those who want no calls, and a claim of it counts as well.
guard "onboarding-no-calls" {
  applies = { tag = "onboarding-call" },
  forbid  = { traits = { no_calls = known() } },
  because = "They said that they want no calls",
}

test "a large company in office hours" {
  given  = { weekday = "tue", hour = 10, consent = {}, events = {}, traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.help"] = "onboarding-help-call" },
}

test "and at night" {
  given  = { weekday = "tue", hour = 22, consent = {}, events = {}, traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.help"] = "onboarding-help-large" },
}

test "and on a Sunday" {
  given  = { weekday = "sun", hour = 10, consent = {}, events = {}, traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.help"] = "onboarding-help-large" },
}

test "and where nobody knows what time it is" {
  given  = { consent = {}, events = {}, traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.help"] = "onboarding-help-large" },
}

test "who wants no calls gets none" {
  given  = { weekday = "tue", hour = 10, consent = {}, events = {}, traits = { role = "operations", company_size = 400, no_calls = true } },
  expect = { ["onboarding.help"] = "onboarding-help-large" },
}

test "a developer of a large company has documentation" {
  given  = { weekday = "tue", hour = 10, consent = {}, events = {}, traits = { role = "developer", company_size = 400 } },
  expect = { ["onboarding.help"] = "onboarding-help-developer" },
}

local function read_four()
  local events = {}
  for i, id in ipairs { "people", "week", "people", "publish" } do
    events[i] = { "Product Viewed", product_id = id, category = "setup", ago = "50m" }
  end
  return events
end

test "who reads and does nothing is offered a hand" {
  given  = {
    weekday = "tue", hour = 10, consent = { "personalization" }, traits = { role = "owner", company_size = 3 },
    events = read_four(),
  },
  expect = { ["onboarding.help"] = "onboarding-help-together" },
}

test "not without consent" {
  given  = { weekday = "tue", hour = 10, consent = {}, traits = { role = "owner", company_size = 3 }, events = read_four() },
  expect = { ["onboarding.help"] = "default" },
}

test "nor without wanting calls" {
  given  = {
    weekday = "tue", hour = 10, consent = { "personalization" },
    traits = { role = "owner", company_size = 3, no_calls = true }, events = read_four(),
  },
  expect = { ["onboarding.help"] = "default" },
}

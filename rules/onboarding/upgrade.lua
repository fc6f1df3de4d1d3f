-- Offers of a plan. They bear the tag `onboarding-offer`, and three things hold of whatever bears it: it comes after three steps that
-- were done, never to those who may not buy, and twice a week at most. So none of that stands in the rules, and none can be forgotten.

rule "onboarding-upgrade-yearly" {
  slot     = "onboarding.upgrade",
  priority = 40,
  tags     = { "onboarding-offer" },
  when     = { traits = { plan = "trial", role = "finance" } },
  show     = {
    title = "Ten months' price for twelve", text = "Paid by the year, on one invoice, with the VAT number that you give.",
    price = "2 months free", action = "See the invoice", link = "#plans",
  },
  owner    = "growth",
  note     = "Whatever the size: finance asks for the year first.",
}

rule "onboarding-upgrade-house" {
  slot     = "onboarding.upgrade",
  priority = 30,
  tags     = { "onboarding-offer" },
  when     = { traits = { plan = "trial" }, segment = "onboarding-large" },
  show     = {
    title = "House: all sites, one contract", text = "Single sign-on, rights by site, and a person who knows your plan.",
    price = "By offer", action = "Ask for an offer", link = "#plans",
  },
  owner    = "sales",
  note     = "Sales answers within a day. If it cannot, set enabled = false.",
}

rule "onboarding-upgrade-crew" {
  slot     = "onboarding.upgrade",
  priority = 20,
  tags     = { "onboarding-offer" },
  when     = { traits = { plan = "trial", company_size = between(11, 99) } },
  show     = {
    title = "Crew: up to a hundred people", text = "Budgets, swaps and payroll. Leave by the month.", price = "€ 3 a person",
    action = "Choose Crew", link = "#plans",
  },
  owner    = "growth",
  note     = "From eleven on, so that nobody is offered what is too small.",
}

rule "onboarding-upgrade-corner" {
  slot     = "onboarding.upgrade",
  priority = 10,
  tags     = { "onboarding-offer" },
  when     = { traits = { plan = "trial" }, segment = "onboarding-small" },
  show     = {
    title = "Corner: up to ten people", text = "All that you have tried. Leave by the month.", price = "€ 19 a month",
    action = "Choose Corner", link = "#plans",
  },
  owner    = "growth",
  note     = "The price stands here and in pages/index.html; change both.",
}

-- What a guard reads is no use that a rule makes of it, so the guard that looks at what was done asks for the consent to look.
guard "onboarding-offers-after-value" {
  applies = { tag = "onboarding-offer" },
  require = { segment = "onboarding-saw-value", consent = "personalization" },
  because = "Nobody is sold a plan before three steps are done",
}

-- A guard believes no trait that only a page told, so it cannot ask "is this an owner?": in a demo, where pages tell everything, nobody
-- would pass. It asks the other way round. `cannot_buy` exists for those who may not buy and for nobody else. Whoever tells it, server or
-- page, shuts the gate: told by a page it is out of reach, and what is out of reach does not pass either.
guard "onboarding-offers-to-buyers" {
  applies = { tag = "onboarding-offer" },
  forbid  = { traits = { cannot_buy = known() } },
  because = "Offers go to those who may buy: not to operations, nor to developers",
}

cap "onboarding-two-offers-a-week" {
  applies = { tag = "onboarding-offer" },
  limit = 2, per = "7d",
}

local function done(n)
  local events = {}
  for i, id in ipairs { "people", "week", "phones", "sheet" } do
    events[i] = i <= n and { "Product Added", product_id = id, category = "setup", ago = "5h" } or nil
  end
  return events
end

test "an owner of three after three steps" {
  given  = { consent = { "personalization" }, traits = { plan = "trial", role = "owner", company_size = 3 }, events = done(3) },
  expect = { ["onboarding.upgrade"] = "onboarding-upgrade-corner" },
}

test "an owner of thirty after three steps" {
  given  = { consent = { "personalization" }, traits = { plan = "trial", role = "owner", company_size = 30 }, events = done(3) },
  expect = { ["onboarding.upgrade"] = "onboarding-upgrade-crew" },
}

test "an owner of four hundred after three steps" {
  given  = { consent = { "personalization" }, traits = { plan = "trial", role = "owner", company_size = 400 }, events = done(3) },
  expect = { ["onboarding.upgrade"] = "onboarding-upgrade-house" },
}

test "finance after three steps" {
  given  = { consent = { "personalization" }, traits = { plan = "trial", role = "finance", company_size = 400 }, events = done(3) },
  expect = { ["onboarding.upgrade"] = "onboarding-upgrade-yearly" },
}

test "two steps and one that the program saw are three" {
  given  = {
    consent = { "personalization" }, traits = { plan = "trial", role = "owner", company_size = 3 },
    events = {
      { "Product Added", product_id = "people", category = "setup", ago = "5h" },
      { "Product Added", product_id = "week", category = "setup", ago = "4h" },
      { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "3h" },
    },
  },
  expect = { ["onboarding.upgrade"] = "onboarding-upgrade-corner" },
}

test "two steps are too few" {
  given  = { consent = { "personalization" }, traits = { plan = "trial", role = "owner", company_size = 3 }, events = done(2) },
  expect = { ["onboarding.upgrade"] = "default" },
}

test "who may not buy is offered nothing" {
  given  = {
    consent = { "personalization" }, traits = { plan = "trial", role = "operations", company_size = 400, cannot_buy = true },
    events = done(4),
  },
  expect = { ["onboarding.upgrade"] = "default" },
}

test "whatever it says, and whatever the role" {
  given  = {
    consent = { "personalization" }, events = done(4),
    traits = { plan = "trial", role = "owner", company_size = 3, cannot_buy = "so they say" },
  },
  expect = { ["onboarding.upgrade"] = "default" },
}

test "no offers without consent, for they look at what was done" {
  given  = { consent = { "analytics" }, traits = { plan = "trial", role = "owner", company_size = 3 }, events = done(4) },
  expect = { ["onboarding.upgrade"] = "default" },
}

test "who has a plan is offered none" {
  given  = { consent = { "personalization" }, traits = { plan = "corner", role = "owner", company_size = 3 }, events = done(4) },
  expect = { ["onboarding.upgrade"] = "default" },
}

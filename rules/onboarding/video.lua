-- One film, of two minutes at most. On the page it is a picture and its words: the films are the product's own affair.

rule "onboarding-video-published" {
  slot     = "onboarding.video",
  priority = 40,
  when     = { bought = { product = "publish", within = "14d" } },
  show     = {
    title = "The week is out. And then?", text = "Swaps, sick calls, and who is told what.", length = "1:31",
    picture = "video-team",
  },
  owner    = "product",
  note     = "Behaviour: without consent the film by role is shown.",
}

rule "onboarding-video-developer" {
  slot     = "onboarding.video",
  priority = 30,
  when     = { traits = { role = "developer" } },
  show     = { title = "From key to webhook", text = "A terminal, four requests, no slides.", length = "1:48", picture = "video-code" },
  owner    = "developer-relations",
  note     = "First of the roles, for developers often have another one beside it.",
}

rule "onboarding-video-finance" {
  slot     = "onboarding.video",
  priority = 20,
  when     = { traits = { role = "finance" } },
  show     = {
    title = "The price of a week", text = "Wages, surcharges and a budget, on a real plan.", length = "1:55",
    picture = "video-costs",
  },
  owner    = "product",
  note     = "Before operations, for finance is the rarer role and the tour does not mention money.",
}

rule "onboarding-video-operations" {
  slot     = "onboarding.video",
  priority = 10,
  when     = { traits = { role = "operations" }, segment = "onboarding-large" },
  show     = {
    title = "Nine sites in a morning", text = "How one is set up and the others are copied.", length = "2:00",
    picture = "video-team",
  },
  owner    = "product",
  note     = "Small companies have one site, and see the tour.",
}

test "a developer sees a terminal" {
  given  = { traits = { role = "developer" } },
  expect = { ["onboarding.video"] = "onboarding-video-developer" },
}

test "finance sees what a week costs" {
  given  = { traits = { role = "finance" } },
  expect = { ["onboarding.video"] = "onboarding-video-finance" },
}

test "operations of many sites see how to copy one" {
  given  = { traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.video"] = "onboarding-video-operations" },
}

test "everybody else sees the tour" {
  given  = { traits = { role = "operations", company_size = 20 } },
  expect = { ["onboarding.video"] = "default" },
}

test "who published a week is past the first film" {
  given  = {
    consent = { "personalization" }, traits = { role = "finance" },
    events = { { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "1d" } },
  },
  expect = { ["onboarding.video"] = "onboarding-video-published" },
}

test "without consent nobody knows that a week was published" {
  given  = {
    consent = {}, traits = { role = "finance" },
    events = { { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "1d" } },
  },
  expect = { ["onboarding.video"] = "onboarding-video-finance" },
}

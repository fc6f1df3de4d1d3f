-- The line above everything: one thing that cannot wait, or the trial.

rule "onboarding-banner-trial-ends" {
  slot     = "onboarding.banner",
  priority = 50,
  when     = { traits = { plan = "trial", trial_days_left = at_most(3) } },
  show     = function(v)
    local n = math.max(0, math.floor(tonumber(v.traits.trial_days_left) or 0))
    local when = n == 0 and "today" or n == 1 and "tomorrow" or "in " .. n .. " days"
    return {
      kind = "urgent", text = "Your trial ends " .. when .. ". What you set up stays for a year.",
      action = "See the plans", link = "#plans",
    }
  end,
  owner    = "growth",
  note     = "The product tells each night how many days are left.",
}

rule "onboarding-banner-security-review" {
  slot     = "onboarding.banner",
  priority = 40,
  when     = { traits = { company_size = at_least(250), role = { "operations", "developer" } } },
  show     = {
    kind = "security", text = "Your security team will ask. One folder has the answers.",
    action = "Open the folder", link = "#security",
  },
  owner    = "security",
  note     = "Those who are asked by the security team, before they are; owners of such companies have people for it.",
}

rule "onboarding-banner-works-council" {
  slot     = "onboarding.banner",
  priority = 30,
  when     = { country = { "DE", "AT" }, traits = { company_size = at_least(50), role = { "owner", "operations" } } },
  show     = {
    kind = "council", text = "Is there a works council? It has a say in shift plans, and a draft is ready.",
    action = "Read the draft", link = "#council",
  },
  owner    = "legal",
  note     = "Shift plans need its consent in both countries. Legal looks at the draft each January.",
}

rule "onboarding-banner-invite" {
  slot     = "onboarding.banner",
  priority = 20,
  when     = {
    segment = "onboarding-saw-value",
    traits  = { company_size = at_least(2) },
    none { added = { product = "phones" } },
  },
  show     = {
    kind = "invite", text = "Your plan is worth showing. Invite those who are in it.", action = "Copy the link",
    link = "#step-phones",
  },
  owner    = "growth",
  note     = "Only once there is something to see: an invitation to an empty plan is opened once.",
}

test "two days of the trial are left" {
  given  = { traits = { plan = "trial", trial_days_left = 2, company_size = 400, role = "operations" } },
  expect = { ["onboarding.banner"] = "onboarding-banner-trial-ends" },
}

test "who pays is told nothing of a trial" {
  given  = { traits = { plan = "house", trial_days_left = 0, company_size = 20, role = "operations" } },
  expect = { ["onboarding.banner"] = "default" },
}

test "a large company's security team" {
  given  = { country = "DE", traits = { plan = "trial", trial_days_left = 28, company_size = 400, role = "operations" } },
  expect = { ["onboarding.banner"] = "onboarding-banner-security-review" },
}

test "a works council in Austria" {
  given  = { country = "AT", traits = { plan = "trial", company_size = 80, role = "owner" } },
  expect = { ["onboarding.banner"] = "onboarding-banner-works-council" },
}

test "none in Denmark" {
  given  = { country = "DK", traits = { plan = "trial", company_size = 80, role = "owner" } },
  expect = { ["onboarding.banner"] = "default" },
}

local function three_done()
  return {
    { "Product Added", product_id = "people", category = "setup", ago = "5h" },
    { "Product Added", product_id = "week", category = "setup", ago = "4h" },
    { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "3h" },
  }
end

test "a plan that is worth showing" {
  given  = { country = "DK", consent = { "personalization" }, traits = { company_size = 12, role = "owner" }, events = three_done() },
  expect = { ["onboarding.banner"] = "onboarding-banner-invite" },
}

test "nobody is invited without consent to look" {
  given  = { country = "DK", consent = {}, traits = { company_size = 12, role = "owner" }, events = three_done() },
  expect = { ["onboarding.banner"] = "default" },
}

test "who works alone invites nobody" {
  given  = { country = "DK", consent = { "personalization" }, traits = { company_size = 1, role = "owner" }, events = three_done() },
  expect = { ["onboarding.banner"] = "default" },
}

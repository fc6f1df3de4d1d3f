-- The greeting, and the goal that it names.
--
-- Who somebody is comes from three places. Traits: what the form on the page told, or the server. The kind of page: what the form says
-- of somebody who does not want to be remembered; it holds for this page and is kept nowhere. The campaign: whoever followed a link
-- about the API most likely wants the API.

local function hello(v)
  local hour = v.hour
  if not hour then return "Hello" end
  return hour < 5 and "Hello" or hour < 12 and "Good morning" or hour < 18 and "Good afternoon" or "Good evening"
end

local by_role = {
  owner = {
    title = "your week, on one page", text = "Put your people in, draw the shifts, publish. The rest can wait.", picture = "week",
  },
  operations = {
    title = "fewer gaps, fewer calls", text = "Every shift filled, every change seen by those whom it concerns.", picture = "team",
  },
  finance = {
    title = "know what a week costs", text = "Wages and a budget first. Then each plan shows its price before it counts.",
    picture = "costs",
  },
  developer = {
    title = "your first call takes a minute", text = "A key, a request, a webhook. The sandbox has a company of made-up people.",
    picture = "code",
  },
}

local function greet(role)
  return function(v)
    local w = by_role[role]
    return { title = hello(v) .. ": " .. w.title, text = w.text, picture = w.picture }
  end
end

rule "onboarding-welcome-back" {
  slot     = "onboarding.welcome",
  priority = 50,
  when     = { visits = at_least(2), segment = "onboarding-saw-value" },
  show     = function(v)
    return { title = hello(v) .. ": the hard part is done", text = "Your plan stands. What is left makes it last.", picture = "done" }
  end,
  owner    = "product",
  note     = "Behaviour: without consent the greeting by role wins instead.",
}

rule "onboarding-welcome-today" {
  slot     = "onboarding.welcome",
  priority = 40,
  when     = { traits = { role = "owner", goal = "start-today" }, segment = "onboarding-small" },
  show     = function(v)
    return {
      title = hello(v) .. ": ready by this evening",
      text = "Five steps, about a quarter of an hour. Tomorrow's shifts are on everybody's phone.", picture = "week",
    }
  end,
  owner    = "product",
  note     = "A promise of an evening holds for ten people, not for thirty.",
}

rule "onboarding-welcome-rollout" {
  slot     = "onboarding.welcome",
  priority = 35,
  when     = { traits = { role = { "operations", "finance" } }, segment = "onboarding-large" },
  show     = function(v)
    return {
      title = hello(v) .. ": one site first, then all",
      text = "Begin where it is simplest. What you set up there is copied to the others.", picture = "sites",
    }
  end,
  owner    = "product",
  note     = "Those who roll it out for many; the owner of a large company is greeted as an owner.",
}

-- A person may have told several roles, so each has a priority of its own.

rule "onboarding-welcome-owner" {
  slot = "onboarding.welcome", priority = 26, when = { traits = { role = "owner" } }, show = greet("owner"), owner = "product",
}

rule "onboarding-welcome-operations" {
  slot = "onboarding.welcome", priority = 24, when = { traits = { role = "operations" } }, show = greet("operations"), owner = "product",
}

rule "onboarding-welcome-finance" {
  slot = "onboarding.welcome", priority = 22, when = { traits = { role = "finance" } }, show = greet("finance"), owner = "product",
}

rule "onboarding-welcome-developer" {
  slot = "onboarding.welcome", priority = 20, when = { traits = { role = "developer" } }, show = greet("developer"), owner = "product",
}

rule "onboarding-welcome-by-page" {
  slot     = "onboarding.welcome",
  priority = 15,
  when     = { page_type = starts_with "setup-" },
  show     = function(v)
    local role = v.page_type:sub(7)
    return greet(by_role[role] and role or "owner")(v)
  end,
  owner    = "product",
  note     = "For those who do not want to be remembered: the page says the role with its question, and nothing is kept.",
}

rule "onboarding-welcome-api" {
  slot     = "onboarding.welcome",
  priority = 10,
  when     = { campaign = starts_with "api" },
  show     = function(v)
    return {
      title = hello(v) .. ": you came for the API", text = "Then start with a key. Who plans the shifts can join you later.",
      picture = "code",
    }
  end,
  owner    = "developer-relations",
  note     = "Below the roles: whoever says who it is knows better than the link.",
}

test "an owner of three who wants to start today" {
  given  = { hour = 9, traits = { role = "owner", company_size = 3, goal = "start-today" } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-today" },
}

test "an owner who is in no hurry" {
  given  = { hour = 9, traits = { role = "owner", company_size = 3, goal = "move" } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-owner" },
}

test "an owner of thirty is in no small company" {
  given  = { traits = { role = "owner", company_size = 30, goal = "start-today" } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-owner" },
}

test "operations of four hundred" {
  given  = { hour = 14, traits = { role = "operations", company_size = 400 } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-rollout" },
}

test "operations of twenty" {
  given  = { hour = 20, traits = { role = "operations", company_size = 20 } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-operations" },
}

test "finance of twenty" {
  given  = { traits = { role = "finance", company_size = 20 } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-finance" },
}

test "a developer is greeted as one, whatever the campaign" {
  given  = { campaign = "api-launch", traits = { role = "developer" } },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-developer" },
}

test "nobody known, from the campaign for the API" {
  given  = { campaign = "api-launch" },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-api" },
}

test "a role that only the page says" {
  given  = { page_type = "setup-finance", consent = {} },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-by-page" },
}

test "nobody known at all" {
  given  = { page_type = "home" },
  expect = { ["onboarding.welcome"] = "default" },
}

local function three_done()
  return {
    { "Product Added", product_id = "sheet", category = "setup", ago = "40h" },
    { "Product Added", product_id = "sites", category = "setup", ago = "39h" },
    { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "3h" },
  }
end

test "two days later, with three steps done" {
  given  = { consent = { "analytics", "personalization" }, traits = { role = "operations", company_size = 400 }, events = three_done() },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-back" },
}

test "without consent the greeting does not tell that somebody was here" {
  given  = { consent = { "analytics" }, traits = { role = "operations", company_size = 400 }, events = three_done() },
  expect = { ["onboarding.welcome"] = "onboarding-welcome-rollout" },
}

-- The checklist, and the one hint beside it. The steps are data: change a text, a number of minutes or a weight here, and everything
-- that follows from it changes with the next reload. No other file sees these names.

-- What a step is worth to whom, from 0 to 100 by role; `large`, `small` and `goal` add to it, or take away. The heaviest are shown, the
-- heaviest first.
--   seen  the program itself notices that it is done, and tells `Order Completed`; other steps are ticked off by whoever did them
local steps = {
  { id = "people", minutes = 3, title = "Add your people", text = "First names are enough. Wages and numbers can wait.",
    how = "Write one name a line, or paste a column from a spreadsheet. Whoever has no phone gets the plan on paper.",
    role = { owner = 90, operations = 70, finance = 20, developer = 10 }, large = -10, goal = { ["start-today"] = 10 } },
  { id = "week", minutes = 5, title = "Draw your first week", text = "Drag across the hours. Shifts that repeat draw themselves.",
    how = "Begin with the busiest day. Hold a shift and drop it on another day to copy it.",
    role = { owner = 85, operations = 80, finance = 10, developer = 20 }, goal = { ["start-today"] = 10 } },
  { id = "publish", minutes = 1, title = "Publish the week", text = "From here on the plan counts, and changes are told.", seen = true,
    how = "Everybody gets one message, not one for each shift. Until then nobody sees your draft.",
    role = { owner = 80, operations = 75, finance = 15, developer = 15 }, goal = { ["start-today"] = 15 } },
  { id = "phones", minutes = 2, title = "Bring it to every phone", text = "A link is enough. There is nothing to install.",
    how = "Hang the code beside the clock, or send the link to your group. Each person sees the own shifts first.",
    role = { owner = 70, operations = 60 }, large = -20 },
  { id = "availability", minutes = 2, title = "Ask who can work when", text = "Answers come in by themselves, before you plan.",
    how = "Choose a day of the week to ask on. Who does not answer is asked once more, and then left alone.",
    role = { owner = 55, operations = 65 }, large = -10 },
  { id = "rest", minutes = 1, title = "Keep the hours of rest", text = "Eleven hours between two shifts, or what your law says.",
    how = "A shift that is too early is marked as you draw it. You decide whether it may stand.",
    role = { owner = 30, operations = 55, finance = 20 }, large = 15 },
  { id = "sites", minutes = 4, title = "Add your sites", text = "Each has its own plan, and people may work at several.",
    how = "Set one up as you want it, and copy it. Opening hours and breaks come along.",
    role = { owner = 20, operations = 50 }, small = -20, large = 40 },
  { id = "sheet", minutes = 6, title = "Bring in your spreadsheet", text = "The plan that you have, as it is, colours and all.",
    how = "Export it as CSV. You see what was understood before anything is taken over.",
    role = { owner = 40, operations = 50, finance = 45 }, goal = { move = 60 } },
  { id = "wages", minutes = 5, title = "Enter hourly wages", text = "Seen by you and by nobody who plans.",
    how = "A wage a group is enough for a first price. Surcharges for nights and Sundays follow your country.",
    role = { owner = 35, finance = 90 }, goal = { costs = 50 } },
  { id = "budget", minutes = 2, title = "Set a weekly budget", text = "Each plan shows its price before it is published.",
    how = "By week, or by share of sales. Planners see how much is left, never who earns what.",
    role = { owner = 25, operations = 25, finance = 85 }, goal = { costs = 50 } },
  { id = "payroll", minutes = 6, title = "Send hours to payroll", text = "At the month's end, in the form that payroll reads.",
    how = "Choose your payroll program, or a plain table. The first month runs beside the old way, for comparison.",
    role = { owner = 20, finance = 80, developer = 40 }, goal = { costs = 20 } },
  { id = "approve", minutes = 3, title = "Approve the first hours", text = "What was planned beside what was worked.", seen = true,
    how = "Only what differs needs a look. The rest is approved together.",
    role = { owner = 15, operations = 40, finance = 75 } },
  { id = "rights", minutes = 4, title = "Decide who may change what", text = "Planners by site, approvals by somebody else.",
    how = "Start with three groups: who plans, who approves, who only reads.",
    role = { owner = 10, operations = 40, finance = 50, developer = 35 }, small = -25, large = 40 },
  { id = "sso", minutes = 12, title = "Connect single sign-on", text = "People come and go with your directory.",
    how = "OpenID Connect or SAML. Try it with two people before you turn passwords off.",
    role = { operations = 15, developer = 30 }, small = -20, large = 60 },
  { id = "api-key", minutes = 1, title = "Make an API key", text = "For the sandbox first: a company with made-up people.",
    how = "A key reads or writes, never both by accident. It is shown once.",
    role = { operations = 5, developer = 95 }, goal = { connect = 50 } },
  { id = "webhook", minutes = 5, title = "Listen to a webhook", text = "Hear of a changed shift within a second.", seen = true,
    how = "Name an address and we send a test. Each call is signed, and repeated until it is answered.",
    role = { developer = 85 }, goal = { connect = 40 } },
}

-- Who it is, from what is known: what was told, else what the page says with its question. `get`, because in a condition one fact that is
-- not known would make the whole answer unknown.
local function who(v)
  return {
    role = v:get("traits.role", nil) or v:get("page_type", ""):match("^setup%-(%a+)$"),
    size = tonumber(v:get("traits.company_size", nil)),
    goal = v:get("traits.goal", nil),
  }
end

local function weight(step, w)
  local sum = w.role and step.role[w.role] or 0
  if w.size and w.size <= 10 then sum = sum + (step.small or 0) end
  if w.size and w.size >= 100 then sum = sum + (step.large or 0) end
  return sum + (w.goal and step.goal and step.goal[w.goal] or 0)
end

-- Five steps for the small, seven for the large, the heaviest first; of equal weight the one that stands first above.
local function pick(w)
  local weighed, picked = {}, {}
  for i, step in ipairs(steps) do weighed[i] = { step = step, weight = weight(step, w) } end
  table.sort(weighed, function(a, b) return a.weight > b.weight end)
  local n = w.size and w.size <= 10 and 5 or w.size and w.size >= 100 and 7 or 6
  for i = 1, n do picked[i] = weighed[i].step end
  return picked
end

-- `state` of a step: what this visitor did about it.
local function from_behaviour(v)
  return function(step)
    if v:added { product = step.id } > 0 or v:bought { product = step.id } > 0 then return "done" end
    return v:viewed { product = step.id } > 0 and "looked-at" or "open"
  end
end

local function as_open() return "open" end

local function checklist(w, state_of)
  local list, done = {}, 0
  for i, step in ipairs(pick(w)) do
    local state = state_of(step)
    if state == "done" then done = done + 1 end
    list[i] = {
      id = step.id, title = step.title, text = step.text, how = step.how, minutes = step.minutes, seen = step.seen, state = state,
    }
  end
  return { steps = list, done = done, you = { role = w.role, size = w.size, goal = w.goal } }
end

-- The first step that is not done, and how many are left; nil when all are.
local function undone(v)
  local state_of, first, left = from_behaviour(v), nil, 0
  for _, step in ipairs(pick(who(v))) do
    if state_of(step) ~= "done" then
      first, left = first or step, left + 1
    end
  end
  return first, left
end

-- Their texts are those of the page, which shows them by itself when nobody answers: an owner's list, without saying so.
slot "onboarding.checklist" {
  channel = "web",
  default = { steps = checklist({ role = "owner" }, as_open).steps, done = 0 },
}

slot "onboarding.hint" {
  channel = "web",
  default = {
    title = "Say who you are", text = "Three answers, and the list is yours. Nobody is asked for a name.", target = "#you",
    action = "Answer",
  },
}

rule "onboarding-checklist-progress" {
  slot     = "onboarding.checklist",
  priority = 50,
  when     = { segment = "onboarding-begun" },
  show     = function(v) return checklist(who(v), from_behaviour(v)) end,
  owner    = "product",
  note     = "Look here first. It reads what people did, so it wins only with consent; the next two show the same steps without the ticks.",
}

rule "onboarding-checklist-by-role" {
  slot     = "onboarding.checklist",
  priority = 30,
  when     = { traits = { role = { "owner", "operations", "finance", "developer" } } },
  show     = function(v) return checklist(who(v), as_open) end,
  owner    = "product",
  note     = "What somebody sees who has told a role and done nothing yet, or does not agree to be looked at.",
}

rule "onboarding-checklist-by-page" {
  slot     = "onboarding.checklist",
  priority = 20,
  when     = { page_type = starts_with "setup-" },
  show     = function(v) return checklist(who(v), as_open) end,
  owner    = "product",
  note     = "For those who do not want to be remembered. The page ticks steps off by itself and forgets them with the tab.",
}

rule "onboarding-checklist-api" {
  slot     = "onboarding.checklist",
  priority = 10,
  when     = { campaign = starts_with "api" },
  show     = function() return checklist({ role = "developer", goal = "connect" }, as_open) end,
  owner    = "developer-relations",
  note     = "A guess from the link that was followed, until somebody says who it is.",
}

-- One hint, never two: the slot has room for one.

rule "onboarding-hint-all-done" {
  slot     = "onboarding.hint",
  priority = 60,
  when     = { segment = "onboarding-saw-value", function(v) return undone(v) == nil end },
  show     = {
    title = "All done", text = "Your list is finished. From here on the week is yours.", action = "Open the plan",
    target = "#plan",
  },
  owner    = "product",
  note     = "A function asks, because what 'all' is depends on who it is; the segment before it spares most visitors the question.",
}

rule "onboarding-hint-stuck" {
  slot     = "onboarding.hint",
  priority = 50,
  when     = {
    viewed = { category = "setup", at_least = 2, within = "2d" },
    function(v)
      local step = undone(v)
      return step ~= nil and v:viewed { product = step.id, within = "2d" } >= 2
    end,
  },
  show     = function(v)
    local step = undone(v)
    return {
      title = step.title, text = "You looked at it twice. Together it takes " .. step.minutes .. " min.",
      action = "Ask for help", target = "#help",
    }
  end,
  owner    = "support",
  note     = "Who read the help of the next step twice and did not do it is stuck, and not slow.",
}

rule "onboarding-hint-next" {
  slot     = "onboarding.hint",
  priority = 40,
  when     = { segment = "onboarding-begun", function(v) return undone(v) ~= nil end },
  show     = function(v)
    local step, left = undone(v)
    return {
      title = step.title, text = left == 1 and "The last one." or left .. " steps are left. This one is the best to do now.",
      minutes = step.minutes, step = step.id, action = "Show me how",
    }
  end,
  owner    = "product",
  note     = "The hint and the list pick from the same table, so the hint never names a step that is not shown.",
}

rule "onboarding-hint-first" {
  slot     = "onboarding.hint",
  priority = 20,
  when     = { traits = { role = { "owner", "operations", "finance", "developer" } } },
  show     = function(v)
    local step = pick(who(v))[1]
    return { title = step.title, text = "The best first step for you.", minutes = step.minutes, step = step.id, action = "Show me how" }
  end,
  owner    = "product",
  note     = "By role alone: it needs no consent, and knows nothing of what was done.",
}

rule "onboarding-hint-by-page" {
  slot     = "onboarding.hint",
  priority = 10,
  when     = { page_type = starts_with "setup-" },
  show     = function(v)
    local step = pick(who(v))[1]
    return { title = step.title, text = "The best first step for you.", minutes = step.minutes, step = step.id, action = "Show me how" }
  end,
  owner    = "product",
  note     = "The same for those who do not want to be remembered.",
}

test "an owner of three sees a list of the own" {
  given  = { consent = { "personalization" }, events = {}, traits = { role = "owner", company_size = 3, goal = "start-today" } },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-by-role", ["onboarding.hint"] = "onboarding-hint-first" },
}

test "nobody known sees the list for everybody" {
  given  = { consent = {}, events = {} },
  expect = { ["onboarding.checklist"] = "default", ["onboarding.hint"] = "default" },
}

test "from the campaign for the API it is a developer's" {
  given  = { campaign = "api-launch", consent = {}, events = {} },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-api" },
}

test "a role that only the page says makes a list, too" {
  given  = { page_type = "setup-finance", consent = {}, events = {} },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-by-page", ["onboarding.hint"] = "onboarding-hint-by-page" },
}

local function looked_once()
  return { { "Product Viewed", product_id = "api-key", category = "setup", ago = "20m" } }
end

test "a step that was looked at is progress" {
  given  = { consent = { "personalization" }, events = looked_once(), traits = { role = "developer", goal = "connect" } },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-progress", ["onboarding.hint"] = "onboarding-hint-next" },
}

test "without consent the same list has no ticks" {
  given  = { consent = {}, events = looked_once(), traits = { role = "developer", goal = "connect" } },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-by-role", ["onboarding.hint"] = "onboarding-hint-first" },
}

test "without consent and without a role it is everybody's" {
  given  = { consent = { "analytics" }, events = looked_once() },
  expect = { ["onboarding.checklist"] = "default", ["onboarding.hint"] = "default" },
}

test "twice looked at and not done is stuck" {
  given  = {
    consent = { "personalization" }, traits = { role = "developer", company_size = 40, goal = "connect" },
    events = {
      { "Product Viewed", product_id = "api-key", category = "setup", ago = "3h" },
      { "Product Viewed", product_id = "api-key", category = "setup", ago = "5m" },
    },
  },
  expect = { ["onboarding.hint"] = "onboarding-hint-stuck" },
}

test "twice looked at and done is not" {
  given  = {
    consent = { "personalization" }, traits = { role = "developer", company_size = 40, goal = "connect" },
    events = {
      { "Product Viewed", product_id = "api-key", category = "setup", ago = "3h" },
      { "Product Viewed", product_id = "api-key", category = "setup", ago = "8m" },
      { "Product Added", product_id = "api-key", category = "setup", ago = "5m" },
    },
  },
  expect = { ["onboarding.hint"] = "onboarding-hint-next" },
}

-- The five of an owner of three, all of them done.
test "who has done all is told so" {
  given  = {
    consent = { "personalization" }, traits = { role = "owner", company_size = 3, goal = "start-today" },
    events = {
      { "Product Added", product_id = "people", category = "setup", ago = "5h" },
      { "Product Added", product_id = "week", category = "setup", ago = "4h" },
      { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "3h" },
      { "Product Added", product_id = "phones", category = "setup", ago = "2h" },
      { "Product Added", product_id = "availability", category = "setup", ago = "1h" },
    },
  },
  expect = { ["onboarding.checklist"] = "onboarding-checklist-progress", ["onboarding.hint"] = "onboarding-hint-all-done" },
}

-- The same five leave something to do where the list is another.
test "the same five are not all for a company of four hundred" {
  given  = {
    consent = { "personalization" }, traits = { role = "operations", company_size = 400 },
    events = {
      { "Product Added", product_id = "people", category = "setup", ago = "5h" },
      { "Product Added", product_id = "week", category = "setup", ago = "4h" },
      { "Order Completed", order_id = "week-1", products = { { product_id = "publish", category = "setup" } }, ago = "3h" },
      { "Product Added", product_id = "phones", category = "setup", ago = "2h" },
      { "Product Added", product_id = "availability", category = "setup", ago = "1h" },
    },
  },
  expect = { ["onboarding.hint"] = "onboarding-hint-next" },
}

-- Who helps, and how: a call in office hours, which differ from country to country; a letter at night.

slot "travel.help" {
  channel = "web",
  default = { kind = "write", title = "Write to us", text = "Jonna, Pau and Mirjam answer within a day, on Sundays, too.", button = "Write" },
}

-- A call, with the country's own prefix in the field already.
local PREFIX = { DE = "+49", AT = "+43", CH = "+41", GB = "+44", IE = "+353", US = "+1", CA = "+1" }

local function call(title, text)
  return function(v) return { kind = "call", title = title, text = text, button = "Call me back", prefix = PREFIX[v.country] } end
end

rule "travel-help-group-central" {
  slot     = "travel.help",
  priority = 50,
  when     = { segment = all_of { "travel-as-a-group", "travel-office-central" } },
  show     = call("Shall Mirjam call you?", "Groups are easier by telephone. Until 18:00, within half an hour."),
  owner    = "groups",
}

rule "travel-help-group-britain" {
  slot     = "travel.help",
  priority = 49,
  when     = { segment = all_of { "travel-as-a-group", "travel-office-britain" } },
  show     = call("Shall Pau call you?", "Groups are easier by telephone. Until 17:00, within the hour."),
  owner    = "groups",
}

rule "travel-help-group-america" {
  slot     = "travel.help",
  priority = 48,
  when     = { segment = all_of { "travel-as-a-group", "travel-office-america" } },
  show     = call("Shall Jonna call you?", "Groups are easier by telephone. She is up late for you, until four in the afternoon of yours."),
  owner    = "groups",
  note     = "Monday to Thursday: on a Friday afternoon there nobody is at the desk here.",
}

rule "travel-help-group-later" {
  slot     = "travel.help",
  priority = 40,
  when     = { segment = "travel-as-a-group" },
  show     = { kind = "later", title = "Tell us about your group", text = "How many, when, how far. We call on the next working day, at the hour that suits you.", button = "Choose an hour" },
  owner    = "groups",
}

rule "travel-help-solo" {
  slot     = "travel.help",
  priority = 30,
  when     = { segment = "travel-alone" },
  show     = { kind = "write", title = "Ask Jonna", text = "She has been on nine of these by herself, and tells you which are good company.", button = "Write to Jonna" },
  owner    = "home page",
}

rule "travel-help-office-hours" {
  slot     = "travel.help",
  priority = 10,
  when     = { segment = "travel-office-central" },
  show     = { kind = "ring", title = "We are at the desk", text = "Until 18:00 today. No queue, no music.", button = "Show the number" },
  owner    = "service",
  note     = "Time and place only, so it is there without consent, too.",
}

local agreed = { "personalization" }
local group = { { "Products Searched", query = "group", ago = "10m" } }

local function help(name, given, rule)
  test(name) { given = given, expect = { ["travel.help"] = rule } }
end

-- The 8th of April 2037 is a Wednesday.
help("travel help: a group in Munich, at eleven", { at = "2037-04-08T11:00", country = "DE", consent = agreed, events = group }, "travel-help-group-central")
help("travel help: the same at night", { at = "2037-04-08T22:00", country = "DE", consent = agreed, events = group }, "travel-help-group-later")
help("travel help: the same on a Sunday", { at = "2037-04-12T11:00", country = "DE", consent = agreed, events = group }, "travel-help-group-later")
help("travel help: a group in Leeds", { at = "2037-04-08T15:00", country = "GB", timezone = "Europe/London", consent = agreed, events = group }, "travel-help-group-britain")
help("travel help: a group in Toronto, at its own eleven", { at = "2037-04-08T17:00", country = "CA", timezone = "America/Toronto", consent = agreed, events = group }, "travel-help-group-america")
help("travel help: the same when it sleeps", { at = "2037-04-08T09:00", country = "CA", timezone = "America/Toronto", consent = agreed, events = group }, "travel-help-group-later")
help("travel help: a group without consent is anybody", { at = "2037-04-08T11:00", country = "DE", consent = {}, events = group }, "travel-help-office-hours")
help("travel help: one traveller", { at = "2037-04-08T11:00", country = "DE", consent = agreed, traits = { party = "solo" }, events = {} }, "travel-help-solo")
help("travel help: the desk", { at = "2037-04-08T11:00", country = "AT", consent = {} }, "travel-help-office-hours")
help("travel help: a letter otherwise", { at = "2037-04-08T11:00", country = "BR", timezone = "America/Sao_Paulo", consent = {} }, "default")

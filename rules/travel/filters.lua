-- Which filters come first. The page knows how each works; here is only their order. What is not named stands behind "more filters".

-- Airports that can be reached by whoever lives there: asked first in their own country.
local AIRPORTS = {
  DE = { "BER", "FRA", "MUC" }, AT = { "VIE", "MUC" }, CH = { "ZRH" }, GB = { "LGW", "MAN" }, IE = { "MAN" },
  NO = { "OSL" }, SE = { "ARN", "CPH" }, DK = { "CPH" }, US = { "EWR" },
}

slot "travel.filters" { channel = "web", default = { filters = { "kind", "budget", "pace", "train" } } }

-- Content of a list of filters, with the airports near the visitor where we know any.
local function first(...)
  local filters = { ... }
  return function(v) return { filters = filters, airports = AIRPORTS[v.country] } end
end

rule "travel-filters-family" {
  slot     = "travel.filters",
  priority = 60,
  when     = { segment = "travel-with-children" },
  show     = first("children", "pool", "airport", "pace"),
  owner    = "families",
  note     = "Ages first: everything else is of no use if the youngest may not come.",
}

rule "travel-filters-group" {
  slot     = "travel.filters",
  priority = 50,
  when     = { segment = "travel-as-a-group" },
  show     = first("group", "budget", "train", "pace"),
  owner    = "groups",
}

rule "travel-filters-solo" {
  slot     = "travel.filters",
  priority = 45,
  when     = { segment = "travel-alone" },
  show     = first("single", "kind", "pace", "budget"),
  owner    = "home page",
  note     = "The supplement is what solo travellers ask about on the telephone.",
}

rule "travel-filters-couple" {
  slot     = "travel.filters",
  priority = 40,
  when     = { segment = "travel-as-a-couple" },
  show     = first("kind", "airport", "budget", "pool"),
  owner    = "home page",
}

rule "travel-filters-hiker" {
  slot     = "travel.filters",
  priority = 30,
  when     = { segment = "travel-hiker" },
  show     = first("pace", "luggage", "train", "single"),
  owner    = "mountains",
}

rule "travel-filters-family-search" {
  slot     = "travel.filters",
  priority = 20,
  when     = { segment = "travel-asked-for-children" },
  show     = first("children", "pool", "airport", "pace"),
  owner    = "search",
  note     = "The same for those who agreed to nothing: the words of their search are enough.",
}

rule "travel-filters-near" {
  slot     = "travel.filters",
  priority = 10,
  when     = { country = { "DE", "AT", "CH", "GB", "IE", "NO", "SE", "DK" } },
  show     = first("airport", "kind", "budget", "train"),
  owner    = "home page",
}

local agreed = { "personalization" }

local function filters(name, given, rule)
  test(name) { given = given, expect = { ["travel.filters"] = rule } }
end

local function searched(query) return { country = "DE", consent = agreed, events = { { "Products Searched", query = query, ago = "5m" } } } end

filters("travel filters: children's ages", searched "children", "travel-filters-family")
filters("travel filters: how many we are", searched "group", "travel-filters-group")
filters("travel filters: the single supplement", searched "solo", "travel-filters-solo")
filters("travel filters: two", searched "couple", "travel-filters-couple")
filters("travel filters: an airport near", { country = "GB", consent = {} }, "travel-filters-near")
filters("travel filters: a plain order elsewhere", { country = "BR", consent = {} }, "default")
filters("travel filters: children, without consent", { country = "BR", term = "holiday with children", consent = {} }, "travel-filters-family-search")
filters("travel filters: pace and luggage", {
  country = "DE", consent = agreed,
  events = {
    { "Product Viewed", product_id = "tarns", category = "hiking", price = 870, ago = "3d" },
    { "Product Viewed", product_id = "julian", category = "hiking", price = 940, ago = "2d" },
  },
}, "travel-filters-hiker")

-- Three pictures below the list. Two journeys stand only here, as not everybody may be offered them: their rules bear tags, and guards
-- look at the tags. `offer` is such a journey, in the words of packages.lua; `journey` names one of the list; `search` is a search.

slot "travel.picture-strip" { channel = "web", show_up_to = 3, default = {} }

rule "travel-strip-school-holidays" {
  slot     = "travel.picture-strip",
  priority = 50,
  when     = { segment = "travel-with-children" },
  show     = { picture = "dunes", title = "In the school holidays", text = "Dunes, a train and no cars", journey = "dunes" },
  owner    = "families",
}

rule "travel-strip-finca" {
  slot     = "travel.picture-strip",
  priority = 40,
  tags     = { "travel-adults-only" },
  when     = { segment = "travel-as-a-couple" },
  show     = {
    picture = "finca", title = "The house without clocks", text = "For grown-ups: nine rooms under almond trees",
    offer = {
      id = "finca", name = "The house without clocks", place = "Mallorca, Spain", kind = "beach", days = 6, price = 1190, adults_only = true,
      airports = { "BER", "FRA", "MUC", "LGW" }, pool = true, pace = 1, min_age = 18, group = 8, single = 220,
      text = "Breakfast is when you come down. The sea is four kilometres away, and so is everybody else.",
    },
  },
  owner    = "home page",
}

rule "travel-strip-vines" {
  slot     = "travel.picture-strip",
  priority = 30,
  tags     = { "age-restricted", "alcohol" },
  show     = {
    picture = "vines", title = "Between the vines", text = "Eleven cellars, and somebody else drives",
    offer = {
      id = "vines", name = "Between the vines", place = "Wachau, Austria", kind = "hiking", days = 5, price = 720,
      airports = { "VIE" }, train = true, pace = 1, min_age = 18, group = 12, single = 80,
      text = "A path along the Danube from cellar to cellar, with a tasting in each.",
    },
  },
  owner    = "mountains",
  note     = "For everybody, as far as this rule goes. Guards ask for the age, and believe only what our server told of it.",
}

rule "travel-strip-huts" {
  slot     = "travel.picture-strip",
  priority = 25,
  when     = { segment = "travel-hiker" },
  show     = { picture = "julian", title = "From hut to hut", text = "The Julian high route, new this year", journey = "julian" },
  owner    = "mountains",
}

rule "travel-strip-by-phone" {
  slot     = "travel.picture-strip",
  priority = 20,
  when     = { device = "mobile" },
  show     = { picture = "ghent", title = "Decided on the tram", text = "Three days in Ghent, leaving on Friday", journey = "ghent" },
  owner    = "home page",
  note     = "On telephones people plan short journeys; long ones at a desk.",
}

rule "travel-strip-northern-lights" {
  slot     = "travel.picture-strip",
  priority = 15,
  when     = { segment = "travel-dark-months" },
  show     = { picture = "lofoten", title = "The sky turns green", text = "We wake you when it does", journey = "lofoten" },
  owner    = "home page",
}

rule "travel-strip-night-train" {
  slot     = "travel.picture-strip",
  priority = 5,
  show     = { picture = "trieste", title = "Asleep until Trieste", text = "The night train, and coffee at nine", journey = "trieste" },
  owner    = "home page",
}

rule "travel-strip-levadas" {
  slot     = "travel.picture-strip",
  priority = 4,
  show     = { picture = "levadas", title = "A path beside the water", text = "Madeira is green all year", journey = "levadas" },
  owner    = "home page",
}

rule "travel-strip-lagoon" {
  slot     = "travel.picture-strip",
  priority = 3,
  show     = { picture = "lagoon", title = "Low tide at noon", text = "A boat comes with the house", journey = "lagoon" },
  owner    = "home page",
}

local agreed = { "personalization" }
local everybody = { "travel-strip-night-train", "travel-strip-levadas", "travel-strip-lagoon" }

local function strip(name, given, rules)
  test(name) { given = given, expect = { ["travel.picture-strip"] = rules } }
end

strip("travel strip: three for everybody", { country = "DE", device = "desktop", consent = {} }, everybody)
strip("travel strip: on the telephone", { device = "mobile", consent = {} }, { "travel-strip-by-phone", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: in December", { at = "2037-12-09T11:00", country = "DE", consent = {} }, { "travel-strip-northern-lights", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: not in July", { at = "2037-07-09T11:00", country = "DE", consent = {} }, everybody)
strip("travel strip: families", { consent = agreed, events = { { "Products Searched", query = "family", ago = "1d" } } },
  { "travel-strip-school-holidays", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: hikers", {
  consent = agreed,
  events = { { "Product Viewed", product_id = "tarns", category = "hiking", ago = "3d" }, { "Product Viewed", product_id = "donkey", category = "hiking", ago = "2d" } },
}, { "travel-strip-huts", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: two by themselves", { consent = agreed, events = { { "Products Searched", query = "couple", ago = "1d" } } },
  { "travel-strip-finca", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: no hotel for grown-ups to whoever asked for children", {
  consent = agreed, traits = { party = "couple" }, events = { { "Products Searched", query = "children", ago = "1d" } },
}, everybody)
strip("travel strip: nor to whom we may not remember", { consent = {}, traits = { party = "couple" } }, everybody)
strip("travel strip: wine at 34", { country = "DE", traits = { age = 34 }, consent = {}, events = {} },
  { "travel-strip-vines", "travel-strip-night-train", "travel-strip-levadas" })
strip("travel strip: none at 17", { country = "DE", traits = { age = 17 }, consent = {}, events = {} }, everybody)
strip("travel strip: none at no age", { country = "DE", consent = {}, events = {} }, everybody)
strip("travel strip: none at 20 in Oregon", { country = "US", region = "US-OR", traits = { age = 20 }, consent = {}, events = {} }, everybody)
strip("travel strip: none on a family's page", {
  country = "DE", traits = { age = 34 }, consent = {}, events = { { "Products Searched", query = "family", ago = "1d" } },
}, everybody)

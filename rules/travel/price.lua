-- In which currency, and with which taxes. The rates are the house's for the season; bookings are in euro, and the note says so. The
-- page multiplies, and rounds to tens.

slot "travel.price-note" {
  channel = "web",
  default = { currency = "EUR", rate = 1, text = "Prices in euro, for each person in a double room. Taxes of your own country may be added." },
}

rule "travel-price-britain" {
  slot     = "travel.price-note",
  priority = 20,
  when     = { country = "GB" },
  show     = { currency = "GBP", rate = 0.86, text = "Prices in pounds, for each person in a double room, with all taxes. Booked in euro." },
  owner    = "finance",
}

rule "travel-price-switzerland" {
  slot     = "travel.price-note",
  priority = 20,
  when     = { country = { "CH", "LI" } },
  show     = { currency = "CHF", rate = 0.95, text = "Prices in francs, for each person in a double room, with all taxes. Booked in euro." },
  owner    = "finance",
}

rule "travel-price-united-states" {
  slot     = "travel.price-note",
  priority = 20,
  when     = { country = "US" },
  show     = { currency = "USD", rate = 1.1, text = "Prices in US dollars, for each person in a double room, with all European taxes. Flights over the ocean are not in it." },
  owner    = "finance",
}

rule "travel-price-canada" {
  slot     = "travel.price-note",
  priority = 20,
  when     = { country = "CA" },
  show     = { currency = "CAD", rate = 1.5, text = "Prices in Canadian dollars, for each person in a double room, with all European taxes. Flights over the ocean are not in it." },
  owner    = "finance",
}

local NORTH = { NO = { "NOK", 11.6 }, SE = { "SEK", 11.3 }, DK = { "DKK", 7.46 } }

rule "travel-price-north" {
  slot     = "travel.price-note",
  priority = 20,
  when     = { country = { "NO", "SE", "DK" } },
  show     = function(v)
    local currency, rate = table.unpack(NORTH[v.country])
    return { currency = currency, rate = rate, text = "Prices in crowns, for each person in a double room, with all taxes. Booked in euro." }
  end,
  owner    = "finance",
}

rule "travel-price-union" {
  slot     = "travel.price-note",
  priority = 10,
  when     = { in_eu = true },
  show     = { currency = "EUR", rate = 1, text = "Final prices in euro, for each person in a double room, with all taxes and fees." },
  owner    = "finance",
  note     = "In the Union the price that is shown is the price that is paid (Directive (EU) 2015/2302, Art. 5).",
}

local function price(name, country, rule)
  test(name) { given = { country = country }, expect = { ["travel.price-note"] = rule } }
end

price("travel price: pounds", "GB", "travel-price-britain")
price("travel price: francs", "CH", "travel-price-switzerland")
price("travel price: US dollars", "US", "travel-price-united-states")
price("travel price: Canadian dollars", "CA", "travel-price-canada")
price("travel price: crowns", "SE", "travel-price-north")
price("travel price: all of it, in the Union", "FR", "travel-price-union")
price("travel price: euro, and perhaps more, elsewhere", "BR", "default")

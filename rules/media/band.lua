-- The band above the page: what is happening now. On a quiet day it tells the tide, which is the slot's default.

rule "media-band-storm" {
  slot     = "media.band",
  priority = 90,
  tags     = { "pinned" },
  when     = { segment = "media-at-home" },
  starts   = "2037-11-12T06:00", ends = "2037-11-13T18:00",
  show     = { kind = "breaking", label = "Breaking", text = "Storm warning for the whole coast: ferries stop at noon",
    entries = {
      { time = "09:40", text = "The school in Halvik closes at eleven. Buses wait." },
      { time = "09:15", text = "The harbour master asks for doubled lines on all boats." },
      { time = "08:50", text = "Gusts of 41 metres a second expected at Trolløy light." },
    } },
  owner    = "editor",
  note     = "Only at home: abroad a storm is a story, and no warning.",
}

rule "media-band-push" {
  slot     = "media.band",
  priority = 70,
  when     = { source = "push" },
  show     = { kind = "breaking", label = "You were told", text = "Council: the captain has asked for the floor",
    entries = {
      { time = "18:52", text = "Captain Aune, who has not said how he will vote, walks to the lectern." },
      { time = "18:31", text = "The motion to adjourn fails, eleven to twelve." },
    } },
  owner    = "news-desk",
  note     = "Who taps a push message finds at the top what it said, and need not look for it.",
}

rule "media-band-derby" {
  slot     = "media.band",
  priority = 50,
  when     = { segment = "media-sport-fan" },
  show     = { kind = "live", label = "Live", text = "Halvik 2 – 1 Stornes: the day after, minute by minute",
    entries = {
      { time = "90+4", text = "GOAL. From his own half! Eide meant to clear it. 2–1." },
      { time = "90+1", text = "Four minutes are added. The wind has turned." },
      { time = "78", text = "Stornes equalise after a corner. 1–1." },
      { time = "12", text = "Berge heads Halvik into the lead. 1–0." },
    } },
  owner    = "sport-desk",
}

rule "media-band-ferries" {
  slot     = "media.band",
  priority = 40,
  when     = { segment = "media-at-home", weekday = between("mon", "fri"), hour = between(6, 8) },
  show     = { kind = "live", label = "Ferries", text = "All crossings on time, Storholmen from quay 2 today",
    entries = {
      { time = "07:10", text = "Halvik to Storholmen: on time, from quay 2." },
      { time = "07:35", text = "Stornes to Halvik: on time, half of the car deck is free." },
    } },
  owner    = "news-desk",
}

rule "media-band-sea" {
  slot     = "media.band",
  priority = 30,
  when     = { segment = "media-climate-reader" },
  show     = { kind = "live", label = "Sea watch", text = "Water at Trolløy: 9.4 degrees, 1.3 above the mean of this week",
    entries = {
      { time = "06:00", text = "Buoy 7, off Trolløy: 9.4 °C at one metre, 8.8 °C at fifty." },
      { time = "Week", text = "Warmest of its kind since the buoy was laid in 1978." },
    } },
  owner    = "climate-desk",
}

rule "media-band-council" {
  slot     = "media.band",
  priority = 20,
  when     = { hour = between(17, 22), weekday = "thu" },
  show     = { kind = "live", label = "Live", text = "The council meets: nine kilometres, eleven to eleven",
    entries = {
      { time = "18:05", text = "The gallery is full; the doors to the square are left open." },
      { time = "17:40", text = "The ferry crews have come in uniform." },
    } },
  owner    = "news-desk",
}

local function views(section, n)
  local events = {}
  for i = 1, n do events[i] = { "Product Viewed", product_id = section .. "-" .. i, category = section, ago = "3h" } end
  return events
end

test "a storm comes before everything, at home" {
  given  = { at = "2037-11-12T09:45+01:00", timezone = "Europe/Oslo", country = "NO", source = "push", consent = { "personalization" }, events = views("sport", 3) },
  expect = { ["media.band"] = "media-band-storm" },
}

test "abroad a storm is no warning" {
  given  = { at = "2037-11-12T09:45", country = "DE", source = "direct", consent = {} },
  expect = { ["media.band"] = "default" },
}

test "the storm ends at six in the evening, and the council goes on" {
  given  = { at = "2037-11-19T18:00+01:00", timezone = "Europe/Oslo", country = "NO", source = "direct", consent = {} },
  expect = { ["media.band"] = "media-band-council" },
}

test "a push message is met by what it said" {
  given  = { at = "2037-10-15T18:55+02:00", timezone = "Europe/Oslo", country = "NO", source = "push", consent = {} },
  expect = { ["media.band"] = "media-band-push" },
}

test "who follows sport follows the derby" {
  given  = { at = "2037-10-15T11:00", country = "NO", source = "direct", consent = { "personalization" }, events = views("sport", 2) },
  expect = { ["media.band"] = "media-band-derby" },
}

test "one story of sport does not make a fan" {
  given  = { at = "2037-10-15T11:00", country = "NO", source = "direct", consent = { "personalization" }, events = views("sport", 1) },
  expect = { ["media.band"] = "default" },
}

test "on a working morning the ferries" {
  given  = { at = "2037-10-15T07:20+02:00", timezone = "Europe/Oslo", country = "NO", source = "direct", consent = {} },
  expect = { ["media.band"] = "media-band-ferries" },
}

test "not on Saturday" {
  given  = { at = "2037-10-17T07:20+02:00", timezone = "Europe/Oslo", country = "NO", source = "direct", consent = {} },
  expect = { ["media.band"] = "default" },
}

test "who reads of the sea sees the buoy" {
  given  = { at = "2037-10-15T11:00", country = "GB", source = "direct", consent = { "personalization" }, events = views("climate", 3) },
  expect = { ["media.band"] = "media-band-sea" },
}

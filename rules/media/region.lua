-- News from where the reader is, or for where the reader is. Of a place that nobody knows there is the slot's default.

rule "media-region-north-shore" {
  slot     = "media.region",
  priority = 20,
  when     = { region = "NO-15" },
  show     = { place = "North shore", stories = {
    { headline = "Stornes gets its doctor back, three days a week", day = "Today" },
    { headline = "The road over the pass opens at two, in convoy", day = "Today" },
    { headline = "Who paints the boathouses? A quarrel in four colours", day = "Yesterday" },
  } },
  owner    = "north-desk",
}

rule "media-region-south-shore" {
  slot     = "media.region",
  priority = 20,
  when     = { region = "NO-46" },
  show     = { place = "South shore", stories = {
    { headline = "Halvik's new quay is a hand too short for the new ferry", day = "Today" },
    { headline = "Choir seeks basses; can offer soup", day = "Today" },
    { headline = "The apple harvest is in: small, red and very good", day = "Yesterday" },
  } },
  owner    = "south-desk",
}

rule "media-region-norway" {
  slot     = "media.region",
  priority = 10,
  when     = { segment = "media-at-home" },
  show     = { place = "Around the fjord", stories = {
    { headline = "Halvik's new quay is a hand too short for the new ferry", day = "Today" },
    { headline = "Stornes gets its doctor back, three days a week", day = "Today" },
    { headline = "On Storholmen the post now comes by drone, in fair weather", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-holidays" {
  slot     = "media.region",
  when     = { country = { "DE", "AT", "CH", "NL" } },
  show     = { place = "For readers with a cabin here", stories = {
    { headline = "What the new ferry costs with a car and a roof box", day = "Today" },
    { headline = "Your cabin's chimney: the sweep comes in the last week of May", day = "Today" },
    { headline = "When the light comes back: a calendar for planning ahead", day = "Yesterday" },
  } },
  owner    = "travel-desk",
}

rule "media-region-neighbours" {
  slot     = "media.region",
  when     = { country = { "SE", "DK", "FI", "IS" } },
  show     = { place = "From the neighbours' side", stories = {
    { headline = "Four words for fog that only one of us has", day = "Today" },
    { headline = "The herring are on their way to you: expect them in week nine", day = "Today" },
    { headline = "Why our trains wait for yours, and yours not for ours", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-north-sea" {
  slot     = "media.region",
  when     = { country = { "GB", "IE" } },
  show     = { place = "Across the North Sea", stories = {
    { headline = "A trawlerman's letters home turn up in a Halvik attic", day = "Today" },
    { headline = "The cable to Scotland is in, and it hums both ways", day = "Today" },
    { headline = "Gannets from the west: four thousand new neighbours", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-overseas" {
  slot     = "media.region",
  when     = { country = { "US", "CA", "AU", "NZ" } },
  show     = { place = "For those who left, and their children", stories = {
    { headline = "The church books are online: find the farm you come from", day = "Today" },
    { headline = "Sunday dinner at home, seven hours behind: a guide", day = "Today" },
    { headline = "A barn in Minnesota is rebuilt in Stornes", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

test "the north shore" { given = { country = "NO", region = "NO-15" }, expect = { ["media.region"] = "media-region-north-shore" } }
test "the south shore" { given = { country = "NO", region = "NO-46" }, expect = { ["media.region"] = "media-region-south-shore" } }
test "a Norwegian of whom no region is known" { given = { country = "NO" }, expect = { ["media.region"] = "media-region-norway" } }
test "a cabin's owner in Hamburg" { given = { country = "DE" }, expect = { ["media.region"] = "media-region-holidays" } }
test "the neighbours" { given = { country = "SE" }, expect = { ["media.region"] = "media-region-neighbours" } }
test "across the sea" { given = { country = "IE" }, expect = { ["media.region"] = "media-region-north-sea" } }
test "those who left" { given = { country = "US", region = "US-MN" }, expect = { ["media.region"] = "media-region-overseas" } }
test "a reader in Lisbon hears of the fjord" { given = { country = "PT" }, expect = { ["media.region"] = "default" } }
test "so does one of whom nothing is known" { given = {}, expect = { ["media.region"] = "default" } }

-- News from where the reader is, or for where the reader is. Of a place that nobody knows there is the slot's default.

rule "media-region-north-shore" {
  slot     = "media.region",
  priority = 20,
  when     = { region = "NO-15" },
  show     = { place = "North shore", stories = {
    { headline = "Stornes gets its doctor back, three days a week",
      text = "She was away for eleven months, and was met at the quay by the choir.", day = "Today" },
    { headline = "The road over the pass opens at two, in convoy",
      text = "Winter tyres, a full tank and patience; the plough drives in front.", day = "Today" },
    { headline = "Who paints the boathouses? A quarrel in four colours",
      text = "Red was agreed in 1912. In which red, nobody wrote down.", day = "Yesterday" },
  } },
  owner    = "north-desk",
}

rule "media-region-south-shore" {
  slot     = "media.region",
  priority = 20,
  when     = { region = "NO-46" },
  show     = { place = "South shore", stories = {
    { headline = "Halvik's new quay is a hand too short for the new ferry",
      text = "The gangway has been lent a plank. An engineer comes on Monday.", day = "Today" },
    { headline = "Choir seeks basses; can offer soup",
      text = "Tuesdays at seven in the herring shed. Reading music is no condition.", day = "Today" },
    { headline = "The apple harvest is in: small, red and very good",
      text = "It was a cold May and a long August, which is how they like it.", day = "Yesterday" },
  } },
  owner    = "south-desk",
}

rule "media-region-norway" {
  slot     = "media.region",
  priority = 10,
  when     = { segment = "media-at-home" },
  show     = { place = "Around the fjord", stories = {
    { headline = "Halvik's new quay is a hand too short for the new ferry",
      text = "The gangway has been lent a plank. An engineer comes on Monday.", day = "Today" },
    { headline = "Stornes gets its doctor back, three days a week",
      text = "She was away for eleven months, and was met at the quay by the choir.", day = "Today" },
    { headline = "On Storholmen the post now comes by drone, in fair weather",
      text = "On the other two hundred days it comes by Olav, as before.", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-holidays" {
  slot     = "media.region",
  when     = { country = { "DE", "AT", "CH", "NL" } },
  show     = { place = "For readers with a cabin here", stories = {
    { headline = "What the new ferry costs with a car and a roof box",
      text = "Less than the old one below two metres, and more above. Measure first.", day = "Today" },
    { headline = "Your cabin's chimney: the sweep comes in the last week of May",
      text = "Leave the key with a neighbour, and a ladder where he can find it.", day = "Today" },
    { headline = "When the light comes back: a calendar for planning ahead",
      text = "The sun is over the ridge again on the third of February, for four minutes.", day = "Yesterday" },
  } },
  owner    = "travel-desk",
}

rule "media-region-neighbours" {
  slot     = "media.region",
  when     = { country = { "SE", "DK", "FI", "IS" } },
  show     = { place = "From the neighbours' side", stories = {
    { headline = "Four words for fog that only one of us has",
      text = "A dictionary for the crossing, from both sides of the border.", day = "Today" },
    { headline = "The herring are on their way to you: expect them in week nine",
      text = "Three weeks early and in good flesh, say the boats off Trolløy.", day = "Today" },
    { headline = "Why our trains wait for yours, and yours not for ours",
      text = "There is a treaty. It is from 1957, and it has a hole.", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-north-sea" {
  slot     = "media.region",
  when     = { country = { "GB", "IE" } },
  show     = { place = "Across the North Sea", stories = {
    { headline = "A trawlerman's letters home turn up in a Halvik attic",
      text = "Forty-one of them, from 1926 to 1931, never posted. We look for the family.", day = "Today" },
    { headline = "The cable to Scotland is in, and it hums both ways",
      text = "When the wind blows there it boils our kettles, and the other way round.", day = "Today" },
    { headline = "Gannets from the west: four thousand new neighbours",
      text = "They have taken the skerry without asking, and the smell carries far.", day = "Yesterday" },
  } },
  owner    = "news-desk",
}

rule "media-region-overseas" {
  slot     = "media.region",
  when     = { country = { "US", "CA", "AU", "NZ" } },
  show     = { place = "For those who left, and their children", stories = {
    { headline = "The church books are online: find the farm you come from",
      text = "Nine parishes, from 1689. The handwriting is the only obstacle.", day = "Today" },
    { headline = "Sunday dinner at home, seven hours behind: a guide",
      text = "What can be had abroad of what belongs on the table, and what cannot.", day = "Today" },
    { headline = "A barn in Minnesota is rebuilt in Stornes",
      text = "It was taken there in 1882, plank by plank. Now it has come back.", day = "Yesterday" },
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

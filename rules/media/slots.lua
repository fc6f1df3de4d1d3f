-- The places of the front page. Those that show stories (media.lead, media.front, media.read-on) stand in edition.lua, for
-- their defaults are stories, and a file sees only its own.

slot "media.band" {
  channel = "web",
  default = { kind = "tide", label = "Tide", text = "High water at Halvik at 17:42, 2.1 metres. Wind south-west, fresh." },
}

slot "media.offer" {
  channel = "web",
  default = { kind = "tip", headline = "You know something we should know?", text = "Our reporters read every letter, and protect who wrote it.", button = "How to reach us",
    terms = "Write to the newsroom on paper, call at the desk in Quay Street, or ask for a number that only one reporter answers. We tell nobody who you are." },
}

slot "media.newsletter" {
  channel = "web",
  default = { kind = "letters", headline = "You have our letter already", text = "There are three more: Final whistle on sport, Tide line on the sea, Cold kitchen on food.", button = "See them all" },
}

slot "media.region" {
  channel = "web",
  default = { place = "From the fjord", stories = {
    { headline = "What the Skarfjord is, and why it has a newspaper in English",
      text = "A long arm of the sea, two shores that disagree, and readers in forty countries.", day = "To begin with" },
    { headline = "How to get here: two ferries, one road and a lot of weather",
      text = "Plan for a day, and pack for three.", day = "Getting here" },
    { headline = "The week in Halvik, told in four hundred words",
      text = "For those who would rather know less, and know it well.", day = "Friday" },
  } },
}

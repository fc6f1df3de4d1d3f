-- The places on the first page of Quarterbell, which plans the shifts of small companies. Each default is fit for somebody of whom
-- nothing is known, and says the same as the page does by itself.

slot "onboarding.banner" {
  channel = "web",
  default = { kind = "news", text = "New: swaps. Two people agree, and the plan follows.", action = "See how", link = "#list" },
}

slot "onboarding.welcome" {
  channel = "web",
  default = {
    title = "A week that everybody can read",
    text = "Draw the shifts, publish them, and nobody has to ask who works on Friday.", picture = "week",
  },
}

slot "onboarding.video" {
  channel = "web",
  default = {
    title = "Quarterbell in two minutes", text = "From an empty week to one that is on every phone.", length = "2:04",
    picture = "video-tour",
  },
}

slot "onboarding.upgrade" {
  channel = "web",
  default = {
    title = "No hurry with a plan", text = "Everything is included until you choose one. What you set up stays yours.",
    action = "Compare the plans", link = "#plans",
  },
}

slot "onboarding.help" {
  channel = "web",
  default = {
    kind = "write", title = "Stuck? Write to us", text = "People answer, mostly within the hour.",
    action = "Write a message", picture = "help-write",
  },
}

-- The house's own vetoes. Those of the law are in ../compliance; they hold here, too.

guard "travel-no-pressure" {
  applies = { tag = "travel-scarcity" },
  require = { consent = "personalization" },
  forbid  = { in_eu = true },
  because = "Few places left is said only where it is true of what somebody looked at and agreed to be remembered for, and in the European Union never: "
    .. "it rushes people into a decision (Directive 2005/29/EC, Annex I No. 7 and Art. 8)",
}

-- Of whom nothing is known may have searched for children on another device: they are shown no such hotel either.
guard "travel-no-adult-hotels-for-families" {
  applies = { tag = "travel-adults-only" },
  forbid  = any {
    { searched = { term = "children", within = "90d" } },
    { searched = { term = "family", within = "90d" } },
  },
  because = "Nobody who searched for children is shown a hotel that would not let them in",
}

guard "travel-no-wine-beside-children" {
  applies = { slot = "travel.picture-strip", tag = "alcohol" },
  forbid  = any {
    { searched = { term = "children", within = "90d" } },
    { searched = { term = "family", within = "90d" } },
  },
  because = "A family's page is looked at by the whole family",
}

guard "travel-letters-by-day" {
  applies = { rule = "travel-letter-started-booking" },
  require = { hour = between(9, 19) },
  or_else = "defer",
  because = "A holiday is nothing to be woken for",
}

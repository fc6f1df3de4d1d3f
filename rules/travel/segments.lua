-- Groups of visitors with a name. The travel party is what somebody chose on the page (the trait `party`); only of those who chose
-- nothing it is taken from what they searched for. So whoever searches for "children" and then chooses "the two of us" is believed.
-- A search is asked for as a whole (`term`): the page tells one search for each word that it knows, see pages/site.js.

segment "travel-with-children" {
  when = any {
    traits = { party = "family" },
    {
      traits = { party = unknown() },
      any {
        { searched = { term = "family", within = "30d" } },
        { searched = { term = "children", within = "30d" } },
      },
    },
  },
}

segment "travel-as-a-group" {
  when = any {
    traits = { party = "group" },
    { traits = { party = unknown() }, searched = { term = "group", within = "30d" } },
  },
}

segment "travel-alone" {
  when = any {
    traits = { party = "solo" },
    { traits = { party = unknown() }, searched = { term = "solo", within = "30d" } },
  },
}

segment "travel-as-a-couple" {
  when = any {
    traits = { party = "couple" },
    { traits = { party = unknown() }, searched = { term = "couple", within = "30d" } },
  },
}

-- What brought them, where nothing is known of them: the words of the search or the advertisement that they came by.
segment "travel-asked-for-children" { when = any { { term = contains "kids" }, { term = contains "child" }, { term = contains "famil" } } }
segment "travel-asked-for-beach"    { when = any { { term = contains "beach" }, { term = contains "sea" } } }
segment "travel-asked-for-city"     { when = any { { term = contains "city" }, { term = contains "weekend" } } }
segment "travel-asked-for-snow"     { when = any { { term = contains "snow" }, { term = contains "ski" } } }
segment "travel-asked-for-hiking"   { when = any { { term = contains "hik" }, { term = contains "walk" } } }

segment "travel-hiker" {
  when = {
    viewed   = { category = "hiking", at_least = 2, within = "60d" },
    affinity = { category = "hiking", at_least = 0.4 },
  },
}

segment "travel-regular" { when = { orders = at_least(2) } }

-- Where it is summer while we have winter: our Christmas pictures would look odd there.
segment "travel-south" { when = { country = { "AU", "NZ", "ZA", "AR", "CL", "UY" } } }

-- The dark months, of any year: a range of `date` would be over one day.
segment "travel-dark-months" {
  when = function(v)
    local month = tonumber(v.date:sub(6, 7))
    return month >= 11 or month <= 2
  end,
}

-- When somebody sits at the telephone, in the visitor's own time.
segment "travel-office-central" { when = { country = { "DE", "AT", "CH" }, hour = between(9, 17), weekday = between("mon", "fri") } }
segment "travel-office-britain" { when = { country = { "GB", "IE" }, hour = between(9, 16), weekday = between("mon", "fri") } }
segment "travel-office-america" { when = { country = { "US", "CA" }, hour = between(10, 15), weekday = between("mon", "thu") } }

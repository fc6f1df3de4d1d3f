-- Readers with something in common. A story is a product here and its section a category: opening one is told as
-- "Product Viewed", which the engine counts without being told what a newspaper is.

segment "media-reader" {                       -- fewer than three stories say nothing of a taste
  when = { viewed = { at_least = 3, within = "30d" } },
}

segment "media-sport-fan" {
  when = {
    affinity = { category = "sport", at_least = 0.4 },
    viewed   = { category = "sport", at_least = 2, within = "14d" },
  },
}

segment "media-climate-reader" {
  when = {
    affinity = { category = "climate", at_least = 0.4 },
    viewed   = { category = "climate", at_least = 2, within = "14d" },
  },
}

segment "media-subscriber" { when = { traits = { plan = { "digital", "weekend", "print" } } } }

segment "media-at-home" { when = { country = "NO" } } -- where the paper is printed

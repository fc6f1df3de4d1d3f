-- How often is too often. All offers share the places, so three in a week are three, whichever they are. A reader who is
-- not counted, having agreed to nothing, sees none: a promise that nobody can keep count of is not made.

cap "media-three-offers-a-week" {
  applies = { tag = "media-offer" },
  limit = 3, per = "7d",
}

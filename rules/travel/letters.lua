-- One letter, and no more: a booking was started and not finished. The page tells "Booking Started" beside the shop's own "Product
-- Added", so that the letters of another store on the same machine are not set off by a journey.

rule "travel-letter-started-booking" {
  channel   = "email",
  on        = "Booking Started",
  after     = "1d",
  cancel_on = { "Order Completed", "Booking Dropped" },
  priority  = 40,
  when      = { event = { name = known() } },
  send      = {
    subject = "{{event.name}}: shall we keep the place?",
    text    = "Hello {{traits.first_name|there}},\n\nyesterday you began to book {{event.name}}. We have kept what you filled in. If you would like to go on, "
      .. "or to ask something first, answer this letter: it is read by a person.\n\nIf you have changed your mind, do nothing. We write this once.\n\nTern & Tarn",
  },
  owner     = "service",
  note      = "Its words are here and in no template: it is plain text. It goes to those who agreed to e-mail, as all marketing does.",
}

cap "travel-one-letter-a-month" {
  applies = { rule = "travel-letter-started-booking" },
  limit = 1, per = "30d",
}

local started = { { "Booking Started", package = "tarns", name = "Tarn to tarn", ago = "0s" } }

test "travel letter: a day after the booking was started" {
  given  = { at = "2037-04-08T14:00+02:00", timezone = "Europe/Berlin", consent = { "email" }, events = started, wait = "25h" },
  expect = { email = "travel-letter-started-booking" },
}

test "travel letter: not before a day is over" {
  given  = { at = "2037-04-08T14:00+02:00", timezone = "Europe/Berlin", consent = { "email" }, events = started, wait = "23h" },
  expect = { email = "default" },
}

test "travel letter: not at midnight" {
  given  = { at = "2037-04-08T23:30+02:00", timezone = "Europe/Berlin", consent = { "email" }, events = started, wait = "25h" },
  expect = { email = "default" },
}

test "travel letter: but the next morning" {
  given  = { at = "2037-04-08T23:30+02:00", timezone = "Europe/Berlin", consent = { "email" }, events = started, wait = "35h" },
  expect = { email = "travel-letter-started-booking" },
}

test "travel letter: not to whoever has dropped it" {
  given  = {
    at = "2037-04-08T14:00+02:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "25h",
    events = { { "Booking Started", package = "tarns", name = "Tarn to tarn", ago = "2h" }, { "Booking Dropped", package = "tarns", ago = "1h" } },
  },
  expect = { email = "default" },
}

test "travel letter: nor to whoever did not agree to letters" {
  given  = { at = "2037-04-08T14:00+02:00", timezone = "Europe/Berlin", consent = {}, events = started, wait = "25h" },
  expect = { email = "default" },
}

test "travel letter: a second one in a month is one too many" {
  given  = {
    at = "2037-04-08T14:00+02:00", timezone = "Europe/Berlin", consent = { "email" }, wait = "4d",
    events = { { "Booking Started", package = "tarns", name = "Tarn to tarn", ago = "47h" }, { "Booking Started", package = "porto", name = "Porto, tile by tile", ago = "0s" } },
  },
  expect = { email = "default" },
}

-- How much is too much, counted per person.

cap "three-messages-a-week" {
  applies = { channel = { "email", "sms" } },
  limit = 3, per = "7d",
  or_else = "defer",
}

cap "one-text-a-day" {
  applies = { channel = "sms" },
  limit = 1, per = "1d",
}

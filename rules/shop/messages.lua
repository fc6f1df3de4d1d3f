-- E-mails and texts. This version checks these rules and keeps them; a later one sends by them.

rule "cart-reminder" {
  channel   = "email",
  on        = "Product Added",
  after     = "1h",
  cancel_on = { "Order Completed", "Cart Emptied" },
  when      = { cart = { items = at_least(1), total = at_least(30) } },
  send      = { template = "cart-reminder", subject = "Still thinking it over?" },
  owner     = "crm",
}

rule "back-in-stock" {
  channel   = "sms",
  on        = "Product Restocked",
  expires   = "12h",
  class     = "service",
  when      = { event = { product_id = known() } },
  send      = function(v) return { text = "It is back: " .. v:get("event.name", "what you asked for") } end,
  note      = "Only to those who asked to be told, so it is a service and not an advertisement.",
}

rule "we-miss-you" {
  channel   = "email",
  on        = segment_entered "lapsed",
  after     = "2d",
  when      = { engagement = { email = at_least(0.1) } },
  send      = { template = "win-back", subject = "What is new since your last order" },
  owner     = "crm",
}

cap "one-letter-in-three-days" {
  applies = { channel = "email" },
  limit = 1, per = "3d",
}

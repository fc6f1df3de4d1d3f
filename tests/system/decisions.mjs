// Rules that come to each outcome a decision of theirs may have, and what is asked of them.

export const rules = (banner) => `slot "hero" { channel = "web", default = { banner = "plain" } }
slot "strip" { channel = "web", show_up_to = 2 }
slot "hidden" { channel = "api", public = false }
rule "boots" { slot = "hero", priority = 5, when = all { viewed = { category = "boots", at_least = 2 }, country = "CA" }, show = { banner = "${banner}" } }
rule "half" { slot = "hero", priority = 3, rollout = 50, show = { banner = "half" } }
rule "computed" { slot = "strip", when = function(v) return (v.cart.total or 0) > 10 or v.device == "desktop" end, show = function(v) return { n = v:viewed { category = "boots" } } end }
rule "fails" { slot = "strip", priority = 9, when = function(v) return v.traits.plan .. {} end, show = { n = -1 } }
rule "loops" { slot = "strip", priority = 8, when = function(v) while true do end end, show = { n = -2 } }
rule "pro" { slot = "strip", when = { traits = { plan = "про" } }, show = { n = 3 } }
rule "capped" { slot = "hidden", show = { is = "once" } }
rule "letter" { channel = "email", on = "Order Completed", class = "service", send = { text = "thank you" } }
cap "once-a-day" { applies = { rule = "capped" }, limit = 1, per = "1d" }
guard "no-ads" { applies = { rule = "pro" }, require = { consent = "personalization" }, because = "they did not agree" }
`;

export const slots = ['hero', 'strip', 'hidden'];
export const context = { ip: '1.2.3.4', userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', locale: 'fr-CA', timezone: 'America/Toronto', location: { country: 'CA' },
	page: { url: 'https://shop.example/boots?q=1', type: 'category' }, campaign: { source: 'news', medium: 'email', name: 'winter' } };

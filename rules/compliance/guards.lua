-- What no rule may overrule. These files belong to the people who answer for privacy and law, not to those who write rules.

guard "behaviour-needs-consent" {
  applies = { uses = "behaviour" },
  require = { consent = "personalization" },
  because = "No behavioural targeting without consent (GDPR Art. 6, ePrivacy Art. 5(3))",
}

guard "sharing-needs-consent" {
  applies = { tag = "shares-data" },
  require = { consent = "sale" },
  because = "Nothing that tells partners who looks, without consent or against an opt-out (GDPR Art. 6, CCPA § 1798.120)",
}

-- Who is known to be young; of an age that only a browser told, a guard knows nothing, and so it stays shut.
guard "no-sharing-of-the-young" {
  applies = { tag = "shares-data" },
  require = any { { traits = { age = unknown() } }, { traits = { age = at_least(18) } } },
  because = "No advertising by profile to minors, nor sale of their data (DSA Art. 28(2), CCPA § 1798.120(c))",
}

guard "adults-only" {
  applies = { tag = "age-restricted" },
  require = { traits = { age = at_least(18) } },
  because = "Offered to visitors who are known to be adults only",
}

guard "alcohol-from-21-in-the-us" {
  applies = { tag = "alcohol" },
  require = any { country = is_not "US", traits = { age = at_least(21) } },
  because = "Alcohol is sold from 21 in the United States (National Minimum Drinking Age Act)",
}

guard "no-alcohol-to-utah" {
  applies = { tag = "alcohol" },
  forbid  = { country = "US", region = "US-UT" },
  because = "Utah lets no shop outside the state send wine to customers",
}

guard "texts-in-daytime" {
  applies = { channel = "sms" },
  require = { hour = between(8, 20) },
  or_else = "defer",
  because = "No marketing texts before 8 or after 21, the recipient's own time (TCPA, 47 CFR § 64.1200(c)(1))",
}

-- Whose region is not known may be there, and waits, too.
guard "texts-end-at-eight-in-some-states" {
  applies = { channel = "sms" },
  forbid  = { country = "US", region = { "US-FL", "US-OK", "US-WA" }, hour = at_least(20) },
  or_else = "defer",
  because = "Florida, Oklahoma and Washington end the day at 20 (Fla. Stat. § 501.059, 15 Okla. Stat. § 775C.4, RCW 80.36.390)",
}

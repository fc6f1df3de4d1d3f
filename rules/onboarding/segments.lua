-- Groups that several files use.
--
-- Quarterbell is no shop, and its events are a shop's all the same, for these are what the engine counts: a step of the checklist is a
-- product of the category "setup". `Product Viewed` says that its help was read, `Product Added` that somebody ticked it off, and
-- `Order Completed` that the program itself saw it happen: a week that was published is published, whoever says what.

segment "onboarding-small" { when = { traits = { company_size = at_most(10) } } }

segment "onboarding-large" { when = { traits = { company_size = at_least(100) } } }

segment "onboarding-begun" {
  when = any {
    viewed = { category = "setup" },
    added  = { category = "setup" },
    bought = { category = "setup" },
  },
}

-- Three steps done, whoever said so. Each step is told once, by one of the two events.
segment "onboarding-saw-value" {
  when = any {
    { added = { category = "setup", at_least = 3 } },
    { added = { category = "setup", at_least = 2 }, bought = { category = "setup", at_least = 1 } },
    { added = { category = "setup", at_least = 1 }, bought = { category = "setup", at_least = 2 } },
    { bought = { category = "setup", at_least = 3 } },
  },
}

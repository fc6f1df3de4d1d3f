-- The example store's configuration. Paths start at this file's folder.

local folder = env "FW_RUN" or "../var/run"
local data = env "FW_RUN" and folder .. "/data" or "../var/data"

listen     = { env "FW_LISTEN" or "127.0.0.1:8080" }
run        = folder
rules      = "shop"
compliance = "compliance"
store      = "lmdb:" .. data
plugins    = { web = {}, log = { file = folder .. "/messages.jsonl" } }
geo        = { database = "../.geo/country.mmdb" }
hosts      = { "shop.example" }
consent    = {
  default = { analytics = "denied", personalization = "denied" },
  region  = { US = { analytics = "granted", personalization = "granted" } },
}
holdout    = 0
timezone   = "Europe/Berlin"
currency   = "EUR"

-- The example store's configuration. Paths start at this file's folder.

listen     = { env "FW_LISTEN" or "127.0.0.1:8080" }
run        = env "FW_RUN" or "../var/run"
rules      = "shop"
compliance = "compliance"
plugins    = { web = {} }
geo        = { database = "../.geo/country.mmdb" }
hosts      = { "shop.example" }
consent    = {
  default = { analytics = "denied", personalization = "denied" },
  region  = { US = { analytics = "granted", personalization = "granted" } },
}
holdout    = 0
timezone   = "Europe/Berlin"
currency   = "EUR"

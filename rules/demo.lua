-- The configuration of the four example sites together, as scripts/demo serves them. Paths start at this file's folder.
--
-- It is one for this machine: its pages are handed out by demo/pages/serve.mjs, which stands in for a web server and a CDN. That one
-- says where a visitor is (X-Forwarded-For), so it is listed in `proxies`; and since a forwarded request is never taken for
-- one of this machine, there are keys. The write key stands in the pages, as in any shop. The secret one only the page server has.

local folder = env "FW_RUN" or "../var/demo/run"

listen     = { env "FW_LISTEN" or "127.0.0.1:8080" }
run        = folder
rules      = "demo"                -- links to the four folders: one rule set
compliance = "compliance"
store      = "lmdb:" .. folder .. "/data"
plugins    = { web = {}, log = { file = folder .. "/messages.jsonl" } }
geo        = { database = "../.geo/country.mmdb" }
catalog    = { file = "shop/products.jsonl" }
hosts      = { "127.0.0.1", "localhost" } -- where the pages are: coming from one to the other is no source
proxies    = { "127.0.0.1", "::1" }
keys       = { write = { "demo" }, secret = env "FW_SECRET_KEY" and { env "FW_SECRET_KEY" } }
consent    = {                     -- of visitors who have not said yes or no; as in floorwalker.lua
  default = { analytics = "denied", personalization = "denied", sale = "denied" },
  region  = {
    EU = { analytics = "denied", personalization = "denied", sale = "denied" },     -- opt-in: GDPR, ePrivacy
    US = { analytics = "granted", personalization = "granted", sale = "granted" },  -- opt-out; Global Privacy Control is one
  },
}
decisions  = { log = folder .. "/decisions", sample = 1, keep = "35d" }
timezone   = "Europe/Berlin"
currency   = "EUR"

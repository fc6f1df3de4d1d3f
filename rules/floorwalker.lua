-- The example store's configuration. Paths start at this file's folder.

local folder = env "FW_RUN" or "../var/run"
local data = env "FW_RUN" and folder .. "/data" or "../var/data"
local decided = env "FW_RUN" and folder .. "/decisions" or "../var/decisions"

listen     = { env "FW_LISTEN" or "127.0.0.1:8080" }
run        = folder
rules      = "shop"
compliance = "compliance"
store      = "lmdb:" .. data
-- Instead, for several nodes (core/README.md, "Redis"; how many and how large: core/store/sizing.md):
-- store      = "redis://:" .. env "FW_REDIS_PASSWORD" .. "@cache.internal:6379/0"
-- durability = "server"     -- what is answered is in Redis, and lasts as its persistence says
-- or
-- store      = "redis-cluster://shop:" .. env "FW_REDIS_PASSWORD" .. "@cache-1.internal:7000,cache-2.internal:7000"
-- durability = "replicated" -- what is answered is in a replica, too
plugins    = { web = {}, log = { file = folder .. "/messages.jsonl" } }
geo        = { database = "../.geo/country.mmdb" }
catalog    = { file = "shop/products.jsonl" } -- JSON lines, or a feed as Google Merchant takes it
hosts      = { "shop.example" }
cors       = { env "FW_PAGES" or "https://shop.example" } -- whose pages may ask with a write key: shop/pages
keys       = env "FW_SECRET_KEY" and { write = { env "FW_WRITE_KEY" }, secret = { env "FW_SECRET_KEY" } }
consent    = {                     -- of visitors who have not said yes or no
  default = { analytics = "denied", personalization = "denied", sale = "denied" },
  region  = {
    EU = { analytics = "denied", personalization = "denied", sale = "denied" },     -- opt-in: GDPR, ePrivacy
    US = { analytics = "granted", personalization = "granted", sale = "granted" },  -- opt-out; Global Privacy Control is one
  },
}
decisions  = { log = decided, sample = 1, keep = "35d" } -- what was decided, for all visitors; 0.01 is enough for many
holdout    = 0
timezone   = "Europe/Berlin"
currency   = "EUR"

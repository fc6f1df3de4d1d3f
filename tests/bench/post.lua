-- wrk: one body after the other from the file that BODIES names.
local requests, at = {}, 0

function init()
  for line in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json", Host = "shop.example" }, line)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"rps":%.0f,"p50_us":%d,"p99_us":%d,"failed":%d}\n', summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout + e.status))
end

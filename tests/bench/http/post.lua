-- wrk: posts the lines of the file BENCH_BODIES one after the other, each made into a request beforehand, and ends with
-- one line that a program can read.
local requests, at = {}, 0

function init()
	local headers = { ["Content-Type"] = "application/json", ["Host"] = "127.0.0.1" }
	for line in io.lines(os.getenv("BENCH_BODIES")) do
		requests[#requests + 1] = wrk.format("POST", nil, headers, line)
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('RESULT {"requests":%d,"perSecond":%.0f,"p50_us":%.0f,"p99_us":%.0f,"failed":%d,"refused":%d}\n', summary.requests, summary.requests / (summary.duration / 1e6),
		latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout, e.status))
end

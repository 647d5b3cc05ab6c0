-- What wrk runs in its thread: sends requests prepared by load.ts, one after another, and prints what came of it as one
-- line of JSON. The file named by the first argument holds, for each request, its length in bytes, a line end and its text.

local requests = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local length = file:read("*n")
    if length == nil then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
  end
  file:close()
end

function request()
  at = at % #requests + 1
  return requests[at]
end

-- The duration is in microseconds.
function done(summary, _, _)
  local errors = summary.errors
  io.write(string.format(
    "\n{\"requests\":%d,\"duration\":%d,\"refused\":%d,\"broken\":%d}\n",
    summary.requests, summary.duration,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

-- queue_shut: shut a scope for a while, or open it again.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  scope; for how many milliseconds, 0: it opens
-- gives how many lines were woken

local scope, wait = ARGV[1], tonumber(ARGV[2])

if wait > 0 then
    call('HSET', P .. 'shut', scope, NOW + wait * 1000)
    call('ZADD', P .. 'opens', NOW + wait * 1000, scope)
    return 0
end

call('HDEL', P .. 'shut', scope)

local woken = wake(scope)

finish()

return woken

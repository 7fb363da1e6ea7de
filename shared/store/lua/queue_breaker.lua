-- queue_breaker: change a breaker's state, if it is still what it was, and
-- its gate with it.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  scope; the state as it was, "" for none; as it shall be; milliseconds
--       for which its gate is shut, 0: it opens, -1: it stays; milliseconds
--       after which an unused state is forgotten
-- gives {1 when it was, else 0, time in milliseconds, the state now}

local scope, was, new, wait = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local key = P .. 'breaker:' .. scope
local is = call('GET', key) or ''
local time = math.floor(NOW / 1000)

if is ~= was then
    return {0, time, is}
end

call('SET', key, new, 'PX', ARGV[5])

if wait > 0 then
    call('HSET', P .. 'shut', scope, NOW + wait * 1000)
    call('ZADD', P .. 'opens', NOW + wait * 1000, scope)

elseif wait == 0 then
    call('HDEL', P .. 'shut', scope)
    wake(scope)
    finish()
end

return {1, time, new}

-- queue_drop: take hints back (jobs that were cancelled or are gone).
--
-- KEYS  1 prefix, "podi:{q:<queue>}:" (the keys stand in queue_push.lua)
-- ARGV  job ids
-- gives how many were here
--
-- The id stays in its tenant's list, where queue_claim will pass over it:
-- looking for it there would cost a walk.  Pushing it again is allowed.

local P = KEYS[1]
local dropped = 0

for i = 1, #ARGV do
    dropped = dropped + redis.call('HDEL', P .. 'ids', ARGV[i])
end

if redis.call('EXISTS', P .. 'ids') == 0 then
    -- only leavings: put the whole queue away
    for _, tenant in ipairs(redis.call('ZRANGE', P .. 'active', 0, -1)) do
        redis.call('DEL', P .. 't:' .. tenant)
    end

    redis.call('DEL', P .. 'active', P .. 'vt', P .. 'pass', P .. 'w',
               P .. 'wake')
end

return dropped

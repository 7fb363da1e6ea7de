-- queue_sweep: what time has decided, and those who sleep though they may go.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- gives {leases that ran out, lines that slept before an open gate (R4)}
--
-- The second is a wake-up that was lost: 0, unless there is a bug.  A hundred
-- bays are looked at in a call, the others in the next; so are arrival times,
-- and those that have passed are forgotten: none says the same.

local expired, slept = sweep(1000), 0
local found = call('HSCAN', P .. 'bays', call('GET', P .. 'bay_at') or 0,
                   'COUNT', 100)

call('SET', P .. 'bay_at', found[1])

for i = 1, #found[2], 2 do
    slept = slept + wake(found[2][i])
end

found = call('HSCAN', P .. 'tat', call('GET', P .. 'tat_at') or 0,
             'COUNT', 100)
call('SET', P .. 'tat_at', found[1])

for i = 1, #found[2], 2 do
    if tonumber(found[2][i + 1]) <= NOW then
        call('HDEL', P .. 'tat', found[2][i])
    end
end

finish()

return {expired, slept}

-- queue_sweep: what time has decided, and those who sleep though they may go.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- gives {leases that ran out, lines that slept before an open gate (R4)}
--
-- The second is a wake-up that was lost: 0, unless there is a bug.  A hundred
-- bays are looked at in a call, the others in the next.

local expired, slept = sweep(1000), 0
local found = call('HSCAN', P .. 'bays', call('GET', P .. 'bay_at') or 0,
                   'COUNT', 100)

call('SET', P .. 'bay_at', found[1])

for i = 1, #found[2], 2 do
    slept = slept + wake(found[2][i])
end

finish()

return {expired, slept}

-- queue_check: slots against what runs, both ways (R3).
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  patience in milliseconds, then what runs: (job id, milliseconds left
--       of its lease, scopes) groups
-- gives {1 when all slots were built anew, slots freed, slots taken, job id of
--       a slot that was freed, ...}
--
-- What runs was asked for a moment ago, so a difference counts when it was
-- there for the whole of the patience.  Without the mark `ready` Redis has
-- lost the slots: all are built, and claims are answered from then on.

local patience = ARGV[1] * 1000
local runs, holds, suspects = {}, {}, {}
local freed, took = {}, 0
local rebuild = call('EXISTS', P .. 'ready') == 0


local function is_old(what)
    local since = call('HGET', P .. 'suspect', what) or NOW

    suspects[#suspects + 1] = what
    suspects[#suspects + 1] = since

    return NOW - since >= patience
end


for i = 2, #ARGV - 2, 3 do
    runs[ARGV[i]] = ARGV[i + 2]
end

local held = call('HGETALL', P .. 'held')

for i = 1, #held, 2 do
    local job = string.match(held[i], '^(.*):')

    if runs[job] == held[i + 1] then
        holds[job] = true

    elseif is_old(held[i]) then
        slots_free(held[i])
        freed[#freed + 1] = job
    end
end

for i = 2, #ARGV - 2, 3 do
    local job = ARGV[i]

    if not holds[job] and (rebuild or is_old(job)) then
        slots_take(job .. ':', ARGV[i + 2],
                   math.max(tonumber(ARGV[i + 1]), 1000) + patience / 1000)
        took = took + 1
    end
end

call('DEL', P .. 'suspect')

for i = 1, #suspects, 2 do
    call('HSET', P .. 'suspect', suspects[i], suspects[i + 1])
end

if rebuild then
    call('SET', P .. 'ready', generation())
end

finish()

return {rebuild and 1 or 0, #freed, took, unpack(freed, 1, 1000)}

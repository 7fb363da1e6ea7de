-- queue_check: slots against what runs, both ways (R3).
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  patience in milliseconds, then what runs: (job id, fence, milliseconds
--       left of its lease, scopes) groups
-- gives {1 when all slots were built anew, slots freed, slots taken, 1 when they
--       were built not long ago, who held a slot that was freed, ...}
--
-- What runs was asked for a moment ago, so a difference counts when it was
-- there for the whole of the patience, at each look: what a pause of as long
-- lies between is two differences.  Without the mark `ready` Redis has
-- lost the slots: all are built, and claims are answered from then on, unless
-- the gates are lost, too, and were not told since.  What was asked for may be
-- over by then, and workers take and give back by rows for a while: `built` says
-- so, to whoever compares next.  Other scopes than a job
-- had when it was claimed are no difference: its slots move.

local patience = ARGV[1] * 1000
local YOUNG = 30000             -- ms: workers are back by then
local runs, holds, suspects = {}, {}, {}
local freed, took = {}, 0
local rebuild = call('EXISTS', P .. 'ready') == 0


local function is_old(what)
    local since = call('HGET', P .. 'suspect', what) or NOW

    suspects[#suspects + 1] = what
    suspects[#suspects + 1] = since

    return NOW - since >= patience
end


local function move(holder, scopes)
    local lease = call('ZSCORE', P .. 'lease', holder) or NOW

    slots_free(holder)
    slots_take(holder, scopes, math.max((lease - NOW) / 1000, 1000))
end


for i = 2, #ARGV - 3, 4 do
    runs[ARGV[i]] = {fence = '#' .. ARGV[i + 1], scopes = ARGV[i + 3]}
end

local held = call('HGETALL', P .. 'held')

for i = 1, #held, 2 do
    local job, token = string.match(held[i], '^([^:]*):(.*)$')
    local run = runs[job]

    if run and (token == run.fence or string.sub(token, 1, 1) ~= '#') then
        holds[job] = true

        if run.scopes ~= held[i + 1] then
            move(held[i], run.scopes)
        end

    elseif is_old(held[i]) then
        slots_free(held[i])
        freed[#freed + 1] = held[i]
    end
end

for i = 2, #ARGV - 3, 4 do
    local job = ARGV[i]

    if not holds[job] and (rebuild or is_old(job)) then
        slots_take(job .. ':#' .. ARGV[i + 1], ARGV[i + 3],
                   math.max(tonumber(ARGV[i + 2]), 1000) + patience / 1000)
        took = took + 1
    end
end

call('DEL', P .. 'suspect')

for i = 1, #suspects, 2 do
    call('HSET', P .. 'suspect', suspects[i], suspects[i + 1])
end

call('PEXPIRE', P .. 'suspect', ARGV[1])

if rebuild then
    call('SET', P .. 'built', 1, 'PX', YOUNG)
end

if rebuild and call('EXISTS', P .. 'told') == 1 then
    call('SET', P .. 'ready', generation())
end

finish()

local answer = {rebuild and 1 or 0, #freed, took, call('EXISTS', P .. 'built')}

for i, holder in ipairs(freed) do
    answer[4 + i] = holder      -- unpack has no room for many
end

return answer

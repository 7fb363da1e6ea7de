-- queue_take: slots for jobs that were claimed by their rows.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  the slots' lease in milliseconds, then (job id, fence, scopes) triples
-- gives how many had none
--
-- They run already, so no gate is asked; the next one meets it fuller.

local taken = 0

for i = 2, #ARGV - 2, 3 do
    local holder = ARGV[i] .. ':#' .. ARGV[i + 1]

    if call('HEXISTS', P .. 'held', holder) == 0 then
        slots_take(holder, ARGV[i + 2], tonumber(ARGV[1]))
        taken = taken + 1
    end
end

return taken

-- queue_gates: the gates there are, and how many pass.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  all of them: (scope, "slots reserve rate period burst") pairs; slots
--       "-": no bound; rate 0: none; the period in microseconds
-- gives 1 when something has changed, else 0

local was, changed = {}, false
local now = call('HGETALL', P .. 'gates')

for i = 1, #now, 2 do
    was[now[i]] = now[i + 1]
end

for i = 1, #ARGV - 1, 2 do
    changed = changed or was[ARGV[i]] ~= ARGV[i + 1]
end

call('SET', P .. 'told', 1)

if not changed and #now == #ARGV then
    return 0
end

call('DEL', P .. 'gates')

for i = 1, #ARGV - 1, 2 do
    call('HSET', P .. 'gates', ARGV[i], ARGV[i + 1])
end

for _, scope in ipairs(call('HKEYS', P .. 'bays')) do
    wake(scope)
end

finish()

return 1

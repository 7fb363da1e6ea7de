-- queue_drop: take hints back (jobs that were cancelled or are gone).
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  queue, job ids
-- gives how many were here
--
-- The id stays in its line, where queue_claim will pass over it: looking for
-- it there would cost a walk.  Pushing it again is allowed.

local queue, dropped = ARGV[1], 0

for i = 2, #ARGV do
    dropped = dropped + call('HDEL', P .. 'ids:' .. queue, ARGV[i])
end

if call('EXISTS', P .. 'ids:' .. queue) == 0 then
    put_away(queue)
    call('DEL', P .. 'wake:' .. queue)
end

finish()

return dropped

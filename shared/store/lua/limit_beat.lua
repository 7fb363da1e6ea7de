-- limit_beat: keep the places of requests that go on.
--
-- KEYS  1 prefix, "podi:{l}:" (the keys stand in limit.lua)
-- ARGV  the lease in milliseconds; then (hash, id) pairs
-- gives how many were lost before, and are held again
--
-- So places that Redis has forgotten are counted again, even above the limit:
-- the requests are there.

local lease, again = tonumber(ARGV[1]), 0

for i = 2, #ARGV, 2 do
    local key = P .. 'c' .. ARGV[i]

    again = again + call('ZADD', key, NOW + lease * 1000, ARGV[i + 1])
    call('PEXPIRE', key, lease)
end

return again

-- queue_claim: take the next jobs in turn, and forget them.
--
-- KEYS  1 prefix, "podi:{q:<queue>}:" (the keys stand in queue_push.lua)
-- ARGV  1 how many at most; 1000 is the most there is
-- gives {generation or "", jobs left, job id, job id, ...}
--
-- Only a hint: PostgreSQL decides whether the claim holds.  Stride: the
-- tenant with the lowest pass is served and its pass grows by 1000 / weight.
-- Ids that queue_drop took out are skipped and cost their tenant nothing.
-- When jobs are left, one wake token is put back for the next worker.

local P, want = KEYS[1], math.min(tonumber(ARGV[1]), 1000)
local ids, active = P .. 'ids', P .. 'active'

-- one call must not hold up the others, however many ids were dropped

local looks = want + 1000
local taken = {}

while #taken < want and looks > 0 do
    looks = looks - 1

    local first = redis.call('ZRANGE', active, 0, 0, 'WITHSCORES')

    if not first[1] then
        break
    end

    local tenant, pass = first[1], tonumber(first[2])
    local list = P .. 't:' .. tenant
    local id = redis.call('LPOP', list)

    if id and redis.call('HDEL', ids, id) == 1 then
        taken[#taken + 1] = id

        redis.call('SET', P .. 'vt', pass)

        pass = pass + 1000 / tonumber(redis.call('HGET', P .. 'w', tenant)
                                      or 1)
        redis.call('ZADD', active, pass, tenant)
    end

    if redis.call('EXISTS', list) == 0 then
        redis.call('ZREM', active, tenant)
        redis.call('HDEL', P .. 'w', tenant)
        redis.call('HSET', P .. 'pass', tenant, pass)
    end
end

local left = redis.call('HLEN', ids)

if redis.call('EXISTS', active) == 0 then
    -- nobody waits: nobody is ahead or behind
    redis.call('DEL', P .. 'vt', P .. 'pass', P .. 'w')
end

if left > 0 and redis.call('LLEN', P .. 'wake') == 0 then
    redis.call('RPUSH', P .. 'wake', '1')
end

return {redis.call('GET', P .. 'gen') or '', left, unpack(taken)}

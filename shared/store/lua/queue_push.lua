-- queue_push: remember jobs that wait in PostgreSQL.
--
-- KEYS  1 prefix, "podi:{q:<queue>}:"; every key used is built from it
-- ARGV  any number of (job id, tenant id, weight) triples, none included
-- gives {jobs that were new, generation}
--
-- Idempotent: an id that is already here is not queued twice.  A tenant that
-- comes (back) starts at the current virtual time, so idling earns nothing.
-- A queue that was empty puts one token on <prefix>wake.  The generation is
-- made when there is none: a new one says that Redis had lost the hints.
--
--   ids     hash    job id -> tenant id
--   t:<id>  list    a tenant's job ids, the oldest on the left
--   active  zset    tenants with a list, by their pass
--   pass    hash    tenant -> its pass when it left
--   w       hash    tenant -> weight
--   vt      string  virtual time: the pass that was served last
--   wake    list    at most one token
--   gen     string  generation

local P = KEYS[1]
local ids, active = P .. 'ids', P .. 'active'

local gen = redis.call('GET', P .. 'gen')

if not gen then
    local now = redis.call('TIME')
    gen = now[1] .. string.format('%06d', now[2])
    redis.call('SET', P .. 'gen', gen)
end

local was_empty = redis.call('HLEN', ids) == 0
local added = 0

for i = 1, #ARGV - 2, 3 do
    local id, tenant, weight = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])

    if redis.call('HSETNX', ids, id, tenant) == 1 then
        redis.call('RPUSH', P .. 't:' .. tenant, id)
        added = added + 1

        if weight and weight > 0 then
            redis.call('HSET', P .. 'w', tenant, weight)
        end

        if not redis.call('ZSCORE', active, tenant) then
            local vt = tonumber(redis.call('GET', P .. 'vt') or 0)
            local left = tonumber(redis.call('HGET', P .. 'pass', tenant) or 0)

            redis.call('ZADD', active, math.max(vt, left), tenant)
            redis.call('HDEL', P .. 'pass', tenant)
        end
    end
end

if was_empty and added > 0 and redis.call('LLEN', P .. 'wake') == 0 then
    redis.call('RPUSH', P .. 'wake', '1')
end

return {added, gen}

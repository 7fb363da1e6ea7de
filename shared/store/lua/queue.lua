-- queue: what the scripts queue_*.lua share; this and gate.lua are put in front
-- of each of them.
--
--     push -> lines -> claim -> slots -> beat ... release -> wake
--                        |  ^
--                  shut  v  |  a slot is free, its time has come
--                       bays
--
-- The rules are numbered in shared/domain/podi_gate.h.  Gates cross queues, so
-- all keys share the prefix KEYS[1], "podi:{q}:".  Times are microseconds of
-- Redis's own clock.  A line is <queue>/<class>/<tenant>/<user>; a slot is
-- held by <job>:<n>@<worker>, the claim's token, or, when it was built from
-- the row of what runs, by <job>:#<fence>.
--
--   gen, ready     strings  generation; that slots were rebuilt since
--   told           string   that the gates were told since
--   built          string   for a while, that slots were rebuilt
--   token          string   the newest claim's token
--   ids:<queue>    hash     job id -> its hint
--   u:<line>       list     job ids, the oldest on the left
--   t:<q/c/tenant> list     users whose lines are not parked, next on the left
--   a:<q/c>        zset     tenants with such a user, by pass
--   line:<queue>   hash     c/tenant/user -> "", or the scope it is parked at
--   turns:<queue>  hash     passes of the classes, virtual times
--   pass:<queue>   hash     c/tenant -> its pass when it left
--   w:<queue>      hash     tenant -> weight
--   wake:<queue>   list     at most one token, for who waits
--   gates          hash     scope -> "slots reserve rate period burst"
--   s:<scope>      set      who holds a slot
--   held, lease    hash     holder -> its scopes; zset: until when
--   shut, opens    hash     scope -> until; zset: when to look at it again
--   tat            hash     scope -> theoretical arrival time (podi_gcra)
--   tat_at, bay_at strings  where queue_sweep goes on in them
--   bays           hash     scope -> plan: somebody is parked there
--   bayq:<scope>   zset     queues with somebody parked, by turns
--   bay:<s|q/c>    zset     tenants parked, by pass
--   bayu:<s|q/c/t> list     their users, who came first on the left
--   woken, wakes   hash     line -> the scope that woke it; zset: until when
--   awake:<scope>  set      lines it woke that have not come yet

local P, call = KEYS[1], redis.call
local TURN, SHARES = 1000000, {[0] = 8, 3, 1}

local clock = call('TIME')
local NOW = clock[1] * 1000000 + clock[2]

local queues = {}


-- a queue's passes and times, read once, written by finish

local function turns_of(queue)
    local t = queues[queue]

    if not t then
        local v = call('HMGET', P .. 'turns:' .. queue,
                       'c0', 'c1', 'c2', 'cv', 't0', 't1', 't2')

        for i = 1, 7 do
            v[i] = tonumber(v[i] or 0)
        end

        t = {class = {[0] = v[1], v[2], v[3]}, now = v[4],
             time = {[0] = v[5], v[6], v[7]}}
        queues[queue] = t
    end

    return t
end


local function poke(queue)
    if call('LLEN', P .. 'wake:' .. queue) == 0 then
        call('RPUSH', P .. 'wake:' .. queue, '1')
    end
end


local function finish()
    for queue, t in pairs(queues) do
        if t.changed then
            call('HSET', P .. 'turns:' .. queue, 'c0', t.class[0],
                 'c1', t.class[1], 'c2', t.class[2], 'cv', t.now,
                 't0', t.time[0], 't1', t.time[1], 't2', t.time[2])
        end

        if t.came then
            poke(queue)
        end
    end
end


local function step_of(queue, tenant)
    return math.floor(TURN / (call('HGET', P .. 'w:' .. queue, tenant) or 1))
end


-- T4, T5: a tenant has a line again

local function come(queue, class, tenant, woken)
    local active = P .. 'a:' .. queue .. '/' .. class

    if call('ZSCORE', active, tenant) then
        return
    end

    local t, field = turns_of(queue), class .. '/' .. tenant
    local pass = tonumber(call('HGET', P .. 'pass:' .. queue, field) or 0)
    local time = t.time[class]

    if woken then
        time = time - step_of(queue, tenant)
    end

    if call('EXISTS', active) == 0 then
        t.class[class] = math.max(t.class[class], t.now)
    end

    call('ZADD', active, math.max(pass, time), tenant)
    call('HDEL', P .. 'pass:' .. queue, field)
    t.changed, t.came = true, true
end


-- its last line is empty or parked; an old pass is worth nothing

local function leave(queue, class, tenant, pass)
    call('ZREM', P .. 'a:' .. queue .. '/' .. class, tenant)

    if pass > turns_of(queue).time[class] - TURN then
        call('HSET', P .. 'pass:' .. queue, class .. '/' .. tenant, pass)
    end
end


local function generation()
    local gen = call('GET', P .. 'gen')

    if not gen then
        gen = clock[1] .. string.format('%06d', clock[2])
        call('SET', P .. 'gen', gen)
        call('SET', P .. 'token', gen)
    end

    return gen
end

-- queue_claim: take the next jobs in turn, with a slot of each of their gates.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  queue; how many at most; the slots' lease in milliseconds; who asks;
--       what he gives back before, as queue_release has it
-- gives {generation, jobs left, job id, token, job id, token, ...}; the
--       generation is "" when the slots are not rebuilt: claim rows instead
--
-- Only a hint: PostgreSQL decides whether the claim holds, and who does not
-- get a job gives its slots back.  Ids that queue_drop took out are skipped
-- and cost their tenant nothing.  When somebody is not parked at the end, one
-- wake token is put back for the next worker.

local queue, lease = ARGV[1], tonumber(ARGV[3])
local want = math.min(tonumber(ARGV[2]), 1000)
local worker = ARGV[4] ~= '' and '@' .. ARGV[4] or ''
local ids, taken = P .. 'ids:' .. queue, {}

-- one call must not hold up the others, however many are dropped or parked

local looks = want + 200


local function next_tenant()
    local t, best, found = turns_of(queue), nil, nil

    for class = 0, 2 do
        if not best or t.class[class] < t.class[best] then
            local first = call('ZRANGE', P .. 'a:' .. queue .. '/' .. class,
                               0, 0, 'WITHSCORES')

            if first[1] then
                best, found = class, first
            end
        end
    end

    if best then
        return best, found[1], tonumber(found[2])
    end
end


-- T1 to T3; gives the tenant's next pass

local function serve(class, tenant, pass)
    local t = turns_of(queue)

    t.now = math.max(t.now, t.class[class])
    t.class[class] = t.class[class] + math.floor(TURN / SHARES[class])
    t.time[class] = math.max(t.time[class], pass)
    t.changed = true

    pass = pass + step_of(queue, tenant)
    call('ZADD', P .. 'a:' .. queue .. '/' .. class, pass, tenant)

    return pass
end


local function take(id, hint)
    local token = string.format('%.0f', call('INCR', P .. 'token')) .. worker

    slots_take(id .. ':' .. token, hint.text, lease)

    for _, scope in ipairs(hint.scopes) do
        local g = gates[scope]

        if g.rate > 0 then
            local _, tat = rate_wait(g, hint.cost)

            g.tat = tat
            call('HSET', P .. 'tat', scope, tat)
        end
    end

    call('HDEL', ids, id)
    taken[#taken + 1] = id
    taken[#taken + 1] = token
end


-- the line's oldest job; gives "served", "dropped", "empty", "parked", and
-- the tenant's pass then

local function look(class, tenant, user, pass)
    local field = class .. '/' .. tenant .. '/' .. user
    local line = queue .. '/' .. field
    local id = call('LINDEX', P .. 'u:' .. line, 0)

    if not id then
        call('HDEL', P .. 'line:' .. queue, field)
        return 'empty', pass
    end

    local hint = hint_of(call('HGET', ids, id))

    if not hint then
        call('HDEL', ids, id)
    end

    if not hint or hint.line ~= line then
        call('LPOP', P .. 'u:' .. line)
        return 'dropped', pass
    end

    local scope, at = first_shut(hint, class)

    if scope then
        park(scope, at, hint.plan, line, pass)
        return 'parked', pass
    end

    call('LPOP', P .. 'u:' .. line)
    take(id, hint)

    return 'served', serve(class, tenant, pass)
end


local function turn(class, tenant, pass)
    local users = P .. 't:' .. queue .. '/' .. class .. '/' .. tenant
    local user = call('LINDEX', users, 0) or ''
    local line = queue .. '/' .. class .. '/' .. tenant .. '/' .. user
    local what

    what, pass = look(class, tenant, user, pass)

    if what == 'dropped' then
        return
    end

    call('LPOP', users)

    if what == 'served' then
        if call('EXISTS', P .. 'u:' .. line) == 1 then
            call('RPUSH', users, user)
        else
            call('HDEL', P .. 'line:' .. queue, class .. '/' .. tenant .. '/'
                                                .. user)
        end
    end

    if call('EXISTS', users) == 0 then
        leave(queue, class, tenant, pass)
    end

    -- the slot it was woken for is taken, or is for the next

    local by = wake_over(line)

    if by then
        wake(by)
    end
end


release(5)

local gen = call('GET', P .. 'ready')

if not gen then
    finish()
    return {'', 0}
end

sweep(100)

while #taken < 2 * want and looks > 0 do
    local class, tenant, pass = next_tenant()

    if not class then
        break
    end

    looks = looks - 1
    turn(class, tenant, pass)
end

local left = call('HLEN', ids)

if left == 0 then
    put_away(queue)
end

finish()

local active = P .. 'a:' .. queue .. '/'

if left > 0 and call('EXISTS', active .. 0, active .. 1, active .. 2) > 0 then
    poke(queue)
end

return {gen, left, unpack(taken)}

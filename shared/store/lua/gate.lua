-- gate: gates, their slots, and those who wait for them; behind queue.lua, in
-- front of each script queue_*.lua.
--
--     first_shut -> slots_take ... slots_free -> wake
--          `------> park ------------^

local WAKE = 5 * 1000000

local gates = {}

-- on most calls there is none of these, and half of the questions are spared

local any = call('EXISTS', P .. 'shut', P .. 'bays', P .. 'opens',
                 P .. 'wakes') > 0


-- the fields of `gates` that may bound a scope, the first that is there counts

local function bounds_of(scope, plan)
    local kind = string.match(scope, '^(%a+):')

    if kind == 'tenant' or kind == 'user' then
        return scope, kind .. ':*@' .. plan, kind .. ':*'
    end

    return scope
end


local function gate_read(scope, text)
    local slots, reserve, rate, period, burst =
        string.match(text or '- 0 0 0 0', '^(%S+) (%S+) (%S+) (%S+) (%S+)$')

    local g = {slots = tonumber(slots), reserve = tonumber(reserve),
               rate = tonumber(rate), period = tonumber(period),
               burst = tonumber(burst), shut = 0, taken = 0}

    if g.slots then
        g.taken = call('SCARD', P .. 's:' .. scope)
    end

    if any then
        g.shut = tonumber(call('HGET', P .. 'shut', scope) or 0)
    end

    if g.rate > 0 then
        g.tat = tonumber(call('HGET', P .. 'tat', scope) or 0)
    end

    return g
end


-- the gates of these scopes as they are now, read once; `plan` chooses among
-- the bounds of many

local function gates_load(scopes, plan)
    local fields, new = {}, {}

    for _, scope in ipairs(scopes) do
        if not gates[scope] then
            local from = #fields + 1

            for _, field in ipairs({bounds_of(scope, plan)}) do
                fields[#fields + 1] = field
            end

            new[#new + 1] = {scope = scope, from = from, to = #fields}
        end
    end

    if #new == 0 then
        return
    end

    local texts = call('HMGET', P .. 'gates', unpack(fields))

    for _, n in ipairs(new) do
        local text

        for i = n.from, n.to do
            text = text or texts[i]
        end

        gates[n.scope] = gate_read(n.scope, text)
    end
end


local function gate_of(scope, plan)
    gates_load({scope}, plan)

    return gates[scope]
end


-- G1, but for the rate; `awake` slots are promised to others

local function has_room(g, class, awake)
    local room = g.slots

    if room and class ~= 0 then
        room = room - g.reserve
    end

    return g.shut <= NOW and (not room or g.taken + awake < room)
end


-- G3: how long a cost must wait, and the arrival time after it

local function rate_wait(g, cost)
    local function span(n)
        return math.floor((n * g.period + g.rate - 1) / g.rate)
    end

    local full = span(g.burst)
    local tat = math.max(NOW, math.min(g.tat, NOW + full))
              + span(math.min(cost, g.burst))

    return tat - NOW - full, tat
end


-- G2: the first scope that is shut, and when to look again if that is known

local function first_shut(hint, class)
    gates_load(hint.scopes, hint.plan)

    for _, scope in ipairs(hint.scopes) do
        local g = gates[scope]

        if not has_room(g, class, 0) then
            return scope, g.shut > NOW and g.shut
        end

        local wait = g.rate > 0 and rate_wait(g, hint.cost) or 0

        if wait > 0 then
            return scope, NOW + wait
        end
    end
end


local function split(scopes)
    local list = {}

    for scope in string.gmatch(scopes, '[^,]+') do
        list[#list + 1] = scope
    end

    return list
end


-- nil: what nobody can serve must not stop the others

local function hint_of(text)
    local line, cost, plan, scopes =
        string.match(text or '', '^(%S+) (%d+) (%S*) (%S*)$')

    return line and {line = line, cost = tonumber(cost), plan = plan, text = scopes,
            scopes = split(scopes)}
end


local function slots_take(holder, scopes, lease)
    call('HSET', P .. 'held', holder, scopes)
    call('ZADD', P .. 'lease', NOW + lease * 1000, holder)

    for _, scope in ipairs(split(scopes)) do
        local n = call('SADD', P .. 's:' .. scope, holder)

        if gates[scope] then
            gates[scope].taken = gates[scope].taken + n
        end
    end
end


-- T5: the line waits at the scope

local function park(scope, at, plan, line, pass)
    local queue, class, tenant, user =
        string.match(line, '^([^/]*)/([^/]*)/([^/]*)/(.*)$')
    local bay = scope .. '|' .. queue .. '/' .. class
    local bayq = P .. 'bayq:' .. scope

    call('HSET', P .. 'line:' .. queue,
         class .. '/' .. tenant .. '/' .. user, scope)
    call('RPUSH', P .. 'bayu:' .. bay .. '/' .. tenant, user)
    call('ZADD', P .. 'bay:' .. bay, 'NX', pass, tenant)
    call('HSET', P .. 'bays', scope, plan)
    any = true

    if not call('ZSCORE', bayq, queue) then
        local first = call('ZRANGE', bayq, 0, 0, 'WITHSCORES')
        call('ZADD', bayq, first[2] or 0, queue)
    end

    if at then
        call('ZADD', P .. 'opens', 'LT', at, scope)
    end
end


local function unpark(scope, queue, class, tenant, user)
    local bay = scope .. '|' .. queue .. '/' .. class
    local users = P .. 'bayu:' .. bay .. '/' .. tenant

    call('LREM', users, 1, user)

    if call('EXISTS', users) == 1 then
        -- its next one is a turn later
        call('ZINCRBY', P .. 'bay:' .. bay, step_of(queue, tenant), tenant)
        return
    end

    call('ZREM', P .. 'bay:' .. bay, tenant)

    local stem = P .. 'bay:' .. scope .. '|' .. queue .. '/'

    if call('EXISTS', stem .. 0, stem .. 1, stem .. 2) > 0 then
        return
    end

    call('ZREM', P .. 'bayq:' .. scope, queue)

    if call('EXISTS', P .. 'bayq:' .. scope) == 0 then
        call('HDEL', P .. 'bays', scope)
        call('ZREM', P .. 'opens', scope)
    end
end


-- the line has come, or is too late: gives the scope that had woken it

local function wake_over(line)
    local scope = any and call('HGET', P .. 'woken', line)

    if scope then
        call('HDEL', P .. 'woken', line)
        call('ZREM', P .. 'wakes', line)
        call('SREM', P .. 'awake:' .. scope, line)
    end

    return scope
end


-- T6: queue and class of who is next among those parked at a scope

local function wake_pick(scope, g, awake)
    for _, queue in ipairs(call('ZRANGE', P .. 'bayq:' .. scope, 0, -1)) do
        local t, best = turns_of(queue), nil

        for class = 0, 2 do
            if has_room(g, class, awake)
               and (not best or t.class[class] < t.class[best])
               and call('EXISTS', P .. 'bay:' .. scope .. '|' .. queue .. '/'
                                  .. class) == 1
            then
                best = class
            end
        end

        if best then
            return queue, best
        end
    end
end


local function wake_one(scope, plan)
    local g = gate_of(scope, plan)
    local awake = call('SCARD', P .. 'awake:' .. scope)

    if g.shut > NOW then
        call('ZADD', P .. 'opens', g.shut, scope)
        return false
    end

    if not g.slots and awake > 0 then
        return false            -- one after the other
    end

    local queue, class = wake_pick(scope, g, awake)

    if not queue then
        return false
    end

    local bay = scope .. '|' .. queue .. '/' .. class
    local tenant = call('ZRANGE', P .. 'bay:' .. bay, 0, 0)[1]
    local user = call('LINDEX', P .. 'bayu:' .. bay .. '/' .. tenant, 0)
    local field = class .. '/' .. tenant .. '/' .. user
    local line = queue .. '/' .. field

    if g.rate > 0 then
        local id = call('LINDEX', P .. 'u:' .. line, 0)
        local hint = id and hint_of(call('HGET', P .. 'ids:' .. queue, id))
        local wait = hint and rate_wait(g, hint.cost) or 0

        if wait > 0 then
            call('ZADD', P .. 'opens', NOW + wait, scope)
            return false
        end
    end

    call('ZINCRBY', P .. 'bayq:' .. scope, 1, queue)
    unpark(scope, queue, class, tenant, user)

    call('HSET', P .. 'line:' .. queue, field, '')
    call('LPUSH', P .. 't:' .. queue .. '/' .. class .. '/' .. tenant, user)
    call('HSET', P .. 'woken', line, scope)
    call('ZADD', P .. 'wakes', NOW + WAKE, line)
    call('SADD', P .. 'awake:' .. scope, line)

    come(queue, class, tenant, true)
    turns_of(queue).came = true

    return true
end


-- as many as there is room for; gives how many

local function wake(scope)
    local n, plan = 0, any and call('HGET', P .. 'bays', scope)

    while plan and wake_one(scope, plan) do
        n = n + 1
        plan = call('HGET', P .. 'bays', scope)
    end

    return n
end


-- gives back what a holder has: all of it first, then those who wait

local function slots_free(holder)
    local scopes = call('HGET', P .. 'held', holder)

    if not scopes then
        return 0
    end

    local freed = split(scopes)

    call('HDEL', P .. 'held', holder)
    call('ZREM', P .. 'lease', holder)

    for _, scope in ipairs(freed) do
        local n = call('SREM', P .. 's:' .. scope, holder)

        if gates[scope] then
            gates[scope].taken = gates[scope].taken - n
        end
    end

    for _, scope in ipairs(freed) do
        wake(scope)
    end

    return 1
end


-- (job id, token, fence) triples from ARGV[at] on: claims that are over.  With
-- its fence a claim owns what was built from its row, of no other claim of the
-- job anything (G4); it has none if no row was claimed.

local function release(at)
    local freed = 0

    for i = at, #ARGV - 2, 3 do
        freed = freed + slots_free(ARGV[i] .. ':' .. ARGV[i + 1])
                + slots_free(ARGV[i] .. ':#' .. ARGV[i + 2])
    end

    return freed
end


-- what time has decided: leases, gates that open, wakes that nobody followed

local function sweep(most)
    local holders = call('ZRANGEBYSCORE', P .. 'lease', '-inf', NOW,
                         'LIMIT', 0, most)
    local scopes = any and call('ZRANGEBYSCORE', P .. 'opens', '-inf', NOW,
                                'LIMIT', 0, most) or {}
    local lines = any and call('ZRANGEBYSCORE', P .. 'wakes', '-inf', NOW,
                               'LIMIT', 0, most) or {}

    for _, holder in ipairs(holders) do
        slots_free(holder)
    end

    for _, scope in ipairs(scopes) do
        call('ZREM', P .. 'opens', scope)

        if tonumber(call('HGET', P .. 'shut', scope) or 0) <= NOW then
            call('HDEL', P .. 'shut', scope)
        end

        wake(scope)
    end

    for _, line in ipairs(lines) do
        wake(wake_over(line) or '')
    end

    return #holders
end


-- nobody waits in the queue: nothing of it is kept, but its slots

local function put_away(queue)
    local lines = call('HGETALL', P .. 'line:' .. queue)
    local woken = {}

    for i = 1, #lines, 2 do
        local class, tenant, user =
            string.match(lines[i], '^([^/]*)/([^/]*)/(.*)$')

        call('DEL', P .. 'u:' .. queue .. '/' .. lines[i],
             P .. 't:' .. queue .. '/' .. class .. '/' .. tenant)

        if lines[i + 1] ~= '' then
            unpark(lines[i + 1], queue, class, tenant, user)
        end

        woken[#woken + 1] = wake_over(queue .. '/' .. lines[i]) or nil
    end

    call('DEL', P .. 'line:' .. queue, P .. 'turns:' .. queue,
         P .. 'pass:' .. queue, P .. 'w:' .. queue,
         P .. 'a:' .. queue .. '/0', P .. 'a:' .. queue .. '/1',
         P .. 'a:' .. queue .. '/2')
    queues[queue] = nil

    for _, scope in ipairs(woken) do
        wake(scope)
    end
end

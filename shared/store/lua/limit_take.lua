-- limit_take: may it pass?  All limits of a request: they are charged together,
-- or none is.
--
-- KEYS  1 prefix, "podi:{l}:" (the keys stand in limit.lua)
-- ARGV  seven for each limit: kind, hash, "1" when it is dry, then
--       g  span of the burst, step of the cost, step of a chunk, chunks
--       q  units, period, cost, how much its day begins before UTC's
--       c  places, id of who asks, lease in milliseconds, ""
-- gives {1 when it passed, now, then for each limit: retry after, reset after,
--       what is special}, in microseconds; special is for
--       g  how many chunks were taken; 0: the cost, or nothing
--       q  units left      c  places left
--
-- A dry limit that would refuse is told so and is not charged; it stands in
-- nobody's way.  Chunks are for who spends them elsewhere: as many as there is
-- room for, and when there is none for a single one, the cost alone.

local SOON = 1000000

local look, charge = {}, {}


function look.g(l, span, step, chunk, chunks)
    l.span, l.step = tonumber(span), tonumber(step)
    l.chunk, l.chunks = tonumber(chunk), tonumber(chunks)
    l.from = filled(l.key)
    l.reset = l.from - NOW
    l.retry = math.max(l.reset + l.step - l.span, 0)
end


function charge.g(l)
    local step = l.step

    if l.chunks > 0 then
        l.special = math.min(l.chunks,
                             math.floor((l.span - l.reset) / l.chunk))
        step = l.special > 0 and l.special * l.chunk or step
    end

    l.reset = l.reset + step

    if step > 0 then
        fill(l.key, l.from + step)
    end
end


function look.q(l, units, period, cost, offset)
    local stored, used = string.match(call('GET', l.key) or '', '(%d+) (%d+)')

    period = tonumber(period)
    l.over, l.cost = window_end(period, NOW + offset) - offset, tonumber(cost)
    stored = tonumber(stored)

    -- a clock that was set back over the end goes on in the newer window

    if stored and stored > l.over
       and stored == window_end(period, l.over + offset) - offset
    then
        l.over = stored
    end

    l.used = stored == l.over and tonumber(used) or 0
    l.special = math.max(units - l.used, 0)
    l.reset = l.over - NOW
    l.retry = l.cost > l.special and l.reset or 0
end


function charge.q(l)
    l.special = l.special - l.cost
    put(l.key, string.format('%.0f %.0f', l.over, l.used + l.cost), l.reset)
end


function look.c(l, places, id, lease)
    local held = call('ZCOUNT', l.key, string.format('(%.0f', NOW), '+inf')

    l.id, l.lease = id, tonumber(lease)
    l.special = math.max(places - held, 0)
    l.reset = 0
    l.retry = l.special > 0 and 0 or SOON
end


function charge.c(l)
    call('ZREMRANGEBYSCORE', l.key, '-inf', NOW)
    call('ZADD', l.key, NOW + l.lease * 1000, l.id)
    call('PEXPIRE', l.key, l.lease)
    l.special = l.special - 1
end


local limits, passed = {}, 1

for i = 1, #ARGV, 7 do
    local kind = ARGV[i]
    local l = {kind = kind, key = P .. kind .. ARGV[i + 1], special = 0}

    look[kind](l, ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6])

    if l.retry > 0 and ARGV[i + 2] ~= '1' then
        passed = 0
    end

    limits[#limits + 1] = l
end

local answer = {passed, NOW}

for _, l in ipairs(limits) do
    if passed == 1 and l.retry == 0 then
        charge[l.kind](l)
    end

    local n = #answer

    answer[n + 1], answer[n + 2], answer[n + 3] = l.retry, l.reset, l.special
end

return answer

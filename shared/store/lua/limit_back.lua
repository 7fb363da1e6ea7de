-- limit_back: what was taken and is not used, or not needed any more.
--
-- KEYS  1 prefix, "podi:{l}:" (the keys stand in limit.lua)
-- ARGV  four for each: kind, hash, then
--       g  step of the units, ""
--       q  cost, the end of the window in which it was charged
--       c  id of who asked, ""
-- gives how many of them changed something
--
-- A bucket is never fuller than full: units that come back late are lost.  A
-- quota of another window takes nothing back.

local back, changed = {}, 0


function back.g(key, step)
    local tat = filled(key) - step

    if tat > NOW then
        fill(key, tat)
        return 1
    end

    return call('DEL', key)
end


function back.q(key, cost, over)
    local stored, used = string.match(call('GET', key) or '', '(%d+) (%d+)')

    if stored ~= over or tonumber(over) <= NOW then
        return 0
    end

    put(key, string.format('%s %.0f', over, math.max(used - cost, 0)),
        over - NOW)

    return 1
end


function back.c(key, id)
    return call('ZREM', key, id)
end


for i = 1, #ARGV, 4 do
    changed = changed + back[ARGV[i]](P .. ARGV[i] .. ARGV[i + 1], ARGV[i + 2],
                                      ARGV[i + 3])
end

return changed

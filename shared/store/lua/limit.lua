-- limit: what the scripts limit_*.lua share; this is put in front of each of
-- them.
--
-- All keys share the prefix KEYS[1], "podi:{l}:": the limits of one request are
-- decided together, so they live in one slot.  Times are microseconds of
-- Redis's own clock.  Every number is whole and below 2^53, so a double holds
-- it exactly; what could be larger (a product of rates and costs) is worked out
-- by who calls.
--
--   g<hash>   string  "tat at": the theoretical arrival time (podi_gcra), and when
--                     it was written
--   q<hash>   string  "end used": the newest window's end, and what was used up
--                     in it (podi_quota)
--   c<hash>   zset    who holds a place, by the time at which he loses it

local P, call = KEYS[1], redis.call
local DAY = 86400000000

local clock = call('TIME')
local NOW = clock[1] * 1000000 + clock[2]


-- days from 1970 to the first of a month, in months since January 1970; years
-- that begin in March have their leap day last

local function month_days(month)
    local m = month + 1970 * 12 - 2
    local y = math.floor(m / 12)

    return y * 365 + math.floor(y / 4) - math.floor(y / 100)
           + math.floor(y / 400) + math.floor((m % 12 * 153 + 2) / 5) - 719468
end


-- the end of the window that `at` is in; a period of -1 is the month

local function window_end(period, at)
    if period > 0 then
        return at - at % period + period
    end

    local days = math.floor(at / DAY)
    local month = math.floor(days * 4800 / 146097)

    while month_days(month + 1) <= days do
        month = month + 1
    end

    while month_days(month) > days do
        month = month - 1
    end

    return month_days(month + 1) * DAY
end


-- a text of Redis that is there for so many microseconds

local function put(key, text, lasts)
    call('SET', key, text, 'PX', math.max(math.ceil(lasts / 1000), 1))
end


local function fill(key, tat)
    put(key, string.format('%.0f %.0f', tat, NOW), tat - NOW)
end


-- Until when a bucket is in debt.  Rules that share it have spans of
-- their own, so none of them may cut it; but what was written later than now is
-- of another clock, and is worth what it was worth to that.

local function filled(key)
    local tat, at = string.match(call('GET', key) or '', '(%d+) ?(%d*)')

    tat, at = tonumber(tat) or 0, tonumber(at) or 0

    if at > NOW then
        tat = tat - at + NOW
        fill(key, tat)
    end

    return math.max(tat, NOW)
end

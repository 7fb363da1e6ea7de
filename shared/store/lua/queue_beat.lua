-- queue_beat: keep the slots of jobs that run.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  the slots' lease in milliseconds, then (job id, token) pairs
-- gives how many have slots; queue_check gives some to the others

local until_when, kept = NOW + ARGV[1] * 1000, 0


-- slots that were rebuilt become those of the claim that runs the job

local function adopt(from, to)
    local scopes = call('HGET', P .. 'held', from)

    if not scopes or from == to then
        return scopes
    end

    call('HDEL', P .. 'held', from)
    call('ZREM', P .. 'lease', from)
    call('HSET', P .. 'held', to, scopes)

    for _, scope in ipairs(split(scopes)) do
        call('SREM', P .. 's:' .. scope, from)
        call('SADD', P .. 's:' .. scope, to)
    end

    return scopes
end


for i = 2, #ARGV - 1, 2 do
    local holder = ARGV[i] .. ':' .. ARGV[i + 1]

    if call('HEXISTS', P .. 'held', holder) == 1
       or adopt(ARGV[i] .. ':', holder)
    then
        call('ZADD', P .. 'lease', until_when, holder)
        kept = kept + 1
    end
end

return kept

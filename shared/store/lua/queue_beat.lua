-- queue_beat: keep the slots of jobs that run.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  the slots' lease in milliseconds; a worker who says that this is all he
--       has, or ""; then (job id, token, fence) triples
-- gives how many have slots; queue_check gives some to the others
--
-- All that a worker has: the answer to a claim of his was lost, and nobody else
-- knows that he does not run what it said.

local until_when, kept, his = NOW + ARGV[1] * 1000, 0, {}


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


for i = 3, #ARGV - 2, 3 do
    local rows = ARGV[i] .. ':#' .. ARGV[i + 2]
    local holder = ARGV[i + 1] ~= '' and ARGV[i] .. ':' .. ARGV[i + 1] or rows

    if call('HEXISTS', P .. 'held', holder) == 1 or adopt(rows, holder) then
        call('ZADD', P .. 'lease', until_when, holder)
        kept = kept + 1
        his[holder] = true
    end
end

if ARGV[2] ~= '' then
    local tail = '@' .. ARGV[2]

    for _, holder in ipairs(call('HKEYS', P .. 'held')) do
        if not his[holder] and string.sub(holder, -#tail) == tail then
            slots_free(holder)
        end
    end

    finish()
end

return kept

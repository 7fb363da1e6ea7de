-- queue_push: remember jobs that wait in PostgreSQL.
--
-- KEYS  1 prefix, "podi:{q}:"; every key used is built from it (queue.lua)
-- ARGV  any number of (job id, tenant id, queue, class, weight, cost, plan,
--       scopes) groups, none included; scopes are parted by commas
-- gives {jobs that were new, generation}
--
-- A hint that cannot be read again is left out: it would stop its line.
-- Idempotent: an id that is already here is not queued twice.  The generation
-- is made when there is none: a new one says that Redis had lost the hints.

local gen, added = generation(), 0

for i = 1, #ARGV - 7, 8 do
    local id, tenant, queue, class = ARGV[i], ARGV[i + 1], ARGV[i + 2],
                                     tonumber(ARGV[i + 3])
    local weight, scopes = tonumber(ARGV[i + 4]), ARGV[i + 7]
    local user = string.match(',' .. scopes, ',user:([^,]+)') or ''
    local field = class .. '/' .. tenant .. '/' .. user
    local line = queue .. '/' .. field
    local hint = line .. ' ' .. ARGV[i + 5] .. ' ' .. ARGV[i + 6] .. ' '
                 .. scopes

    if hint_of(hint) and call('HSETNX', P .. 'ids:' .. queue, id, hint) == 1
    then
        added = added + 1

        if weight > 0 then
            call('HSET', P .. 'w:' .. queue, tenant, weight)
        end

        call('RPUSH', P .. 'u:' .. line, id)

        if call('HSETNX', P .. 'line:' .. queue, field, '') == 1 then
            call('RPUSH', P .. 't:' .. queue .. '/' .. class .. '/' .. tenant,
                 user)
            come(queue, class, tenant, false)
        end
    end
end

finish()

return {added, gen}

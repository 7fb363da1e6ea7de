-- queue_release: give back the slots of claims that are over.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  any number of (job id, token) pairs
-- gives how many had slots
--
-- Slots without a token, rebuilt from what runs, are the holder's too; those
-- of another claim of the same job stay (G4).

local freed = 0

for i = 1, #ARGV - 1, 2 do
    freed = freed + slots_free(ARGV[i] .. ':' .. ARGV[i + 1])

    if ARGV[i + 1] ~= '' then
        freed = freed + slots_free(ARGV[i] .. ':')
    end
end

finish()

return freed

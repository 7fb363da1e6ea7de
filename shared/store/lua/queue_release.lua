-- queue_release: give back the slots of claims that are over.
--
-- KEYS  1 prefix, "podi:{q}:" (the keys stand in queue.lua)
-- ARGV  any number of (job id, token, fence) triples
-- gives how many had slots

local freed = release(1)

finish()

return freed

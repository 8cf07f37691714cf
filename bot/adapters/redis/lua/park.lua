-- Let go of a run, unless facts arrived that the owner has not read (0); -1 when the epoch is stale.
-- KEYS: run, due   ARGV: run id, epoch, length, due in ms or ''
local head = redis.call('HMGET', KEYS[1], 'ep', 'n', 'st')
if head[1] ~= ARGV[2] or head[3] == 'finished' then return -1 end
if head[2] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'st', 'parked')
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1]) end
return 1

-- Let go of a run, unless facts arrived that the owner has not read (0); -1 when the epoch is stale.
-- KEYS: run, due, active, idle   ARGV: run id, epoch, length, due in ms or ''
local head = redis.call('HMGET', KEYS[1], 'ep', 'n', 'st')
if head[1] ~= ARGV[2] or head[3] == 'finished' then return -1 end
if head[2] ~= ARGV[3] then return 0 end
if head[3] == 'ready' then return 1 end -- parked by this very call, whose answer was lost, and woken since
redis.call('HSET', KEYS[1], 'st', 'parked')
redis.call('SREM', KEYS[3], ARGV[1])
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('ZADD', KEYS[4], redis.call('TIME')[1] * 1000, ARGV[1])
return 1

-- Make a parked run ready; 0 when it is not parked.
-- KEYS: run, urgent queue, normal queue, due, active   ARGV: run id
local head = redis.call('HMGET', KEYS[1], 'st', 'lane')
if head[1] ~= 'parked' then return 0 end
redis.call('HSET', KEYS[1], 'st', 'ready')
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('XADD', head[2] == 'urgent' and KEYS[2] or KEYS[3], '*', 'run', ARGV[1])
return 1

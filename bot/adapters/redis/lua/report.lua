-- Keep an alert's latest state; a resolved one does not fire again, and nothing new is nothing (0).
-- KEYS: alert, dirty   ARGV: alert, status, topic, seconds to keep
local kept = redis.call('HMGET', KEYS[1], 'status', 'alert')
if kept[1] == 'resolved' or kept[2] == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'alert', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[4])
local t = redis.call('TIME')
redis.call('ZADD', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[3])
return 1

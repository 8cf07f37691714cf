-- Keep an alert's latest state; a resolved one does not fire again, and nothing new is nothing (0).
-- KEYS: alert, dirty, firing, silence, fired
-- ARGV: alert, status, topic, seconds to keep, id, began in ms, ended in ms or +inf
local kept = redis.call('HMGET', KEYS[1], 'status', 'alert')
if kept[1] == 'resolved' or kept[2] == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'alert', ARGV[1])
if ARGV[2] == 'firing' then
  redis.call('ZADD', KEYS[3], ARGV[6], ARGV[5])
  redis.call('EXPIRE', KEYS[3], ARGV[4])
else
  redis.call('ZREM', KEYS[3], ARGV[5])
  if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('HSET', KEYS[1], 'ended_silenced', '1') end
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
-- Nothing that ended so long before an alert that is news now is kept any more.
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', math.min(now, ARGV[6]) - ARGV[4] * 1000)
redis.call('ZADD', KEYS[5], ARGV[7], ARGV[5])
redis.call('EXPIRE', KEYS[5], ARGV[4])
redis.call('ZADD', KEYS[2], now, ARGV[3])
return 1

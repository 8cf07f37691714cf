-- Keep an alert's latest state, unless it is not the one expected any more (0).
-- KEYS: alert, dirty, firing, silence, fired, newest
-- ARGV: the alert before ('' for none), alert, status, topic, seconds to keep, id, began in ms, ended in ms or +inf
if (redis.call('HGET', KEYS[1], 'alert') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'alert', ARGV[2])
if ARGV[3] == 'firing' then
  redis.call('ZADD', KEYS[3], ARGV[7], ARGV[6])
  redis.call('EXPIRE', KEYS[3], ARGV[5])
  redis.call('HDEL', KEYS[1], 'ended_silenced')
else
  redis.call('ZREM', KEYS[3], ARGV[6])
  if redis.call('EXISTS', KEYS[4]) == 1 then redis.call('HSET', KEYS[1], 'ended_silenced', '1') end
end
redis.call('EXPIRE', KEYS[1], ARGV[5])
-- The end of an id is the second in which its episode began.
local newest = redis.call('GET', KEYS[6])
if not newest or tonumber(string.match(newest, '%-(%-?%d+)$')) <= tonumber(string.match(ARGV[6], '%-(%-?%d+)$')) then
  redis.call('SET', KEYS[6], ARGV[6], 'EX', ARGV[5])
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
-- Nothing that ended so long before an alert that is news now is kept any more.
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', math.min(now, ARGV[7]) - ARGV[5] * 1000)
redis.call('ZADD', KEYS[5], ARGV[8], ARGV[6])
redis.call('EXPIRE', KEYS[5], ARGV[5])
redis.call('ZADD', KEYS[2], now, ARGV[4])
return 1

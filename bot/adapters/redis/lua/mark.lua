-- Say that a topic changed.
-- KEYS: dirty   ARGV: topic
local t = redis.call('TIME')
return redis.call('ZADD', KEYS[1], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])

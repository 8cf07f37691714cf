-- Begin a run, once: journal, wake-up, index and the wish to be shown, in one step.
-- KEYS: run, queue, dirty, index   ARGV: run id, first event, lane
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'st', 'ready', 'ep', 0, 'n', 1, 'lane', ARGV[3], 'e:0', ARGV[2])
redis.call('XADD', KEYS[2], '*', 'run', ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[3], now, 'run:' .. ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[1])
return 1

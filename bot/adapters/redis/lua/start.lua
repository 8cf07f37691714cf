-- Begin a run, once: journal, wake-up, index and the wish to be shown, in one step.
-- Its runbook is kept once for all runs of it; -1 when it is not known here and was not handed over.
-- KEYS: run, queue, dirty, index, books, active   ARGV: run id, first fact as JSON array, lane, runbook's digest, runbook or ''
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if ARGV[5] ~= '' then
  redis.call('HSETNX', KEYS[5], ARGV[4], ARGV[5])
elseif redis.call('HEXISTS', KEYS[5], ARGV[4]) == 0 then
  return -1
end
redis.call('HSET', KEYS[1], 'st', 'ready', 'ep', 0, 'n', 1, 'lane', ARGV[3], 'bk', ARGV[4], 'e:0', ARGV[2])
redis.call('XADD', KEYS[2], '*', 'run', ARGV[1])
redis.call('SADD', KEYS[6], ARGV[1])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[3], now, 'run:' .. ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[1])
return 1

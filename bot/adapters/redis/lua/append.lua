-- Write facts as the owner; refused (-1) when the epoch is not the run's; the same write again changes nothing.
-- KEYS: run, dirty, due, active, idle
-- ARGV: run id, epoch, number of this write, 'finish' or '', retention seconds, facts as JSON array, how many
local head = redis.call('HMGET', KEYS[1], 'ep', 'n', 'st', 'sq')
if head[1] ~= ARGV[2] then return -1 end
local n = tonumber(head[2])
if head[4] == ARGV[3] then return n end
if head[3] == 'finished' then return -1 end
local added = tonumber(ARGV[7])
if added > 0 then redis.call('HSET', KEYS[1], 'e:' .. n, ARGV[6]) end
n = n + added
redis.call('HSET', KEYS[1], 'n', n, 'sq', ARGV[3])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[4] == 'finish' then
  redis.call('HSET', KEYS[1], 'st', 'finished')
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('SREM', KEYS[4], ARGV[1])
  redis.call('ZADD', KEYS[5], now, ARGV[1])
end
redis.call('ZADD', KEYS[2], now, 'run:' .. ARGV[1])
return n

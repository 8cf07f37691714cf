-- Write facts from outside if the journal is as long as the writer believes; wake the run if it waits.
-- KEYS: run, queue of its lane, dirty, due   ARGV: run id, length, 'wake' or '', events...
local head = redis.call('HMGET', KEYS[1], 'n', 'st')
if head[1] ~= ARGV[2] or head[2] == 'finished' then return 0 end
local n = tonumber(head[1])
for i = 4, #ARGV do
  redis.call('HSET', KEYS[1], 'e:' .. n, ARGV[i])
  n = n + 1
end
redis.call('HSET', KEYS[1], 'n', n)
if ARGV[3] == 'wake' and head[2] == 'parked' then
  redis.call('HSET', KEYS[1], 'st', 'ready')
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('XADD', KEYS[2], '*', 'run', ARGV[1])
end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[3], t[1] * 1000 + math.floor(t[2] / 1000), 'run:' .. ARGV[1])
return 1

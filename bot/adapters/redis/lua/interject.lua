-- Write facts from outside if the journal is as long as the writer believes; wake the run if it waits.
-- KEYS: run, urgent queue, normal queue, dirty, due, active   ARGV: run id, length, 'wake' or '', facts as JSON array, how many
local head = redis.call('HMGET', KEYS[1], 'n', 'st', 'lane')
if head[1] ~= ARGV[2] or head[2] == 'finished' then return 0 end
local n = tonumber(head[1])
redis.call('HSET', KEYS[1], 'e:' .. n, ARGV[4], 'n', n + ARGV[5])
if ARGV[3] == 'wake' and head[2] == 'parked' then
  redis.call('HSET', KEYS[1], 'st', 'ready')
  redis.call('ZREM', KEYS[5], ARGV[1])
  redis.call('SADD', KEYS[6], ARGV[1])
  redis.call('XADD', head[3] == 'urgent' and KEYS[2] or KEYS[3], '*', 'run', ARGV[1])
end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[4], t[1] * 1000 + math.floor(t[2] / 1000), 'run:' .. ARGV[1])
return 1

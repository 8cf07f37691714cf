-- Write facts as the owner; refused (-1) when the epoch is not the run's.
-- KEYS: run, dirty, due   ARGV: run id, epoch, 'finish' or '', retention seconds, events...
local head = redis.call('HMGET', KEYS[1], 'ep', 'n', 'st')
if head[1] ~= ARGV[2] or head[3] == 'finished' then return -1 end
local n = tonumber(head[2])
local fields = {}
for i = 5, #ARGV do
  fields[#fields + 1] = 'e:' .. n
  fields[#fields + 1] = ARGV[i]
  n = n + 1
end
redis.call('HSET', KEYS[1], 'n', n, unpack(fields))
if ARGV[3] == 'finish' then
  redis.call('HSET', KEYS[1], 'st', 'finished')
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  redis.call('ZREM', KEYS[3], ARGV[1])
end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000), 'run:' .. ARGV[1])
return n

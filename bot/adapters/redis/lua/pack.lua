-- Replace a finished run's facts by one packed text; 0 when it is not finished, or was packed by somebody else.
-- KEYS: run, finished   ARGV: run id, length that was packed, packed text
local head = redis.call('HMGET', KEYS[1], 'st', 'n', 'z')
redis.call('ZREM', KEYS[2], ARGV[1])
if head[1] ~= 'finished' or head[2] ~= ARGV[2] or head[3] then return 0 end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == 'e:' then redis.call('HDEL', KEYS[1], name) end
end
redis.call('HSET', KEYS[1], 'z', ARGV[3])
return 1

-- Replace the facts of a run that nobody works on by one packed text; 0 when it has moved on since it was read.
-- KEYS: run, idle   ARGV: run id, length that was packed, packed text or '' when there is nothing to pack
local head = redis.call('HMGET', KEYS[1], 'st', 'n')
if head[1] == 'ready' or head[1] == 'running' then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
if head[2] ~= ARGV[2] or ARGV[3] == '' then return 0 end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(name, 1, 2) == 'e:' then redis.call('HDEL', KEYS[1], name) end
end
redis.call('HSET', KEYS[1], 'z', ARGV[3])
return 1

-- Take topics that want another look and that nobody holds.
-- KEYS: dirty   ARGV: prefix of hold keys (same slot), most, lease in ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local free = {}
for _, topic in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2] * 4)) do
  local mark = string.format('%d', now + ARGV[3])
  if #free < tonumber(ARGV[2]) and redis.call('SET', ARGV[1] .. topic, mark, 'NX', 'PX', ARGV[3]) then
    redis.call('ZADD', KEYS[1], mark, topic)
    free[#free + 1] = topic
    free[#free + 1] = mark
  end
end
return free

-- Give a topic back; it stays marked when it changed since it was claimed.
-- KEYS: dirty, hold   ARGV: topic, mark of the claim, 'again in' ms or ''
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and string.format('%d', tonumber(score)) == ARGV[2] then
  if ARGV[3] == '' then
    redis.call('ZREM', KEYS[1], ARGV[1])
  else
    local t = redis.call('TIME')
    redis.call('ZADD', KEYS[1], t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3], ARGV[1])
  end
end
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return 1

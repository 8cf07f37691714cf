-- List the alerts that fired at or after a moment, the last to end first, and forget those that are not kept any more.
-- KEYS: fired   ARGV: prefix of alert keys (same slot), moment in ms, most
local found = {}
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', ARGV[2], 'LIMIT', 0, ARGV[3])) do
  local alert = redis.call('HGET', ARGV[1] .. id, 'alert')
  if alert then
    found[#found + 1] = alert
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return found

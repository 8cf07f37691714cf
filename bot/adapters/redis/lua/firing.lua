-- List the alerts that fire, newest first, and forget those that are not kept any more.
-- KEYS: firing   ARGV: prefix of alert keys (same slot), most
local found = {}
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  if #found == tonumber(ARGV[2]) then break end
  if redis.call('EXISTS', ARGV[1] .. id) == 1 then
    found[#found + 1] = id
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return found

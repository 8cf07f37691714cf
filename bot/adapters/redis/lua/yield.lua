-- Take a person's lock off, or put another one in its place; gives the one that was there, none if not theirs.
-- KEYS: lock, and to have it told: changes of this lock, dirty
-- ARGV: person's id, another lock or nothing, until in ms,
--       and to have it told: key of the change, change, seconds to keep, topic
local kept = redis.call('GET', KEYS[1])
if not kept or cjson.decode(kept).by.id ~= ARGV[1] then return false end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
if KEYS[2] then
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  local t = redis.call('TIME')
  redis.call('ZADD', KEYS[3], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[7])
end
return kept

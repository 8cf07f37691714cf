-- Lock a service for a person, unless somebody else has; gives the lock that holds now, and has the change told.
-- KEYS: lock, and to have it told: changes of this lock, dirty
-- ARGV: person's id, lock, until in ms, and to have it told: key of the change, change, seconds to keep, topic
local kept = redis.call('GET', KEYS[1])
if kept and cjson.decode(kept).by.id ~= ARGV[1] then return kept end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
if KEYS[2] then
  redis.call('HSET', KEYS[2], ARGV[4], ARGV[5])
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  local t = redis.call('TIME')
  redis.call('ZADD', KEYS[3], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[7])
end
return ARGV[2]

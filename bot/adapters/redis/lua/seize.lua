-- Lock a service for a person, unless somebody else has; gives the lock that holds now.
-- KEYS: lock   ARGV: person's id, lock, until in ms
local kept = redis.call('GET', KEYS[1])
if kept and cjson.decode(kept).by.id ~= ARGV[1] then return kept end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return ARGV[2]

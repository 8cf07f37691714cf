-- Take a person's lock off, or put another one in its place; gives the one that was there, none if not theirs.
-- KEYS: lock   ARGV: person's id, and for another one: lock, until in ms
local kept = redis.call('GET', KEYS[1])
if not kept or cjson.decode(kept).by.id ~= ARGV[1] then return false end
if ARGV[2] then
  redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return kept

-- Keep a person's word on an item of a checklist; 0 when a later one of theirs is there.
-- KEYS: the version's hash   ARGV: item and person, when in ms, word, seconds to keep
if (tonumber(redis.call('HGET', KEYS[1], 'at:' .. ARGV[1])) or 0) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'at:' .. ARGV[1], ARGV[2], 'mark:' .. ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1

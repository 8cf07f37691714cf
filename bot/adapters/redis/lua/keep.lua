-- Keep what a look at a monitor has shown; 0 when a newer slot was kept before.
-- KEYS: kept slots, states   ARGV: monitor, slot in ms, state
if (tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1

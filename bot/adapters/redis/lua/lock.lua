-- Take a place at something of which so many may be held; nobody overtakes who does not go ahead.  Empty when it is held now,
-- else the runs before this one: those that hold it, then those that have waited longer.
-- KEYS: held, waiting, names of this run   ARGV: run id, how many may hold it, its name, 1 to go ahead of those who do not
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return {} end
redis.call('SADD', KEYS[3], ARGV[3])
local t = redis.call('TIME')
local asked = t[1] * 1000000 + t[2]
-- Before any time that was ever asked at, and small enough for a double to hold; among those ahead, by time.
if ARGV[4] == '1' then redis.call('ZADD', KEYS[2], 'LT', asked - 4e15, ARGV[1]) end
local first = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
if redis.call('SCARD', KEYS[1]) < tonumber(ARGV[2]) and (not first or first == ARGV[1]) then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('SADD', KEYS[1], ARGV[1])
  return {}
end
redis.call('ZADD', KEYS[2], 'NX', asked, ARGV[1])
local before = redis.call('SMEMBERS', KEYS[1])
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, redis.call('ZRANK', KEYS[2], ARGV[1]))) do
  if id ~= ARGV[1] then before[#before + 1] = id end
end
return before

-- Own a run at the next epoch; its whole journal comes back with it.
-- KEYS: run, due, active   ARGV: run id
local st = redis.call('HGET', KEYS[1], 'st')
if not st or st == 'finished' then return nil end
local epoch = redis.call('HINCRBY', KEYS[1], 'ep', 1)
redis.call('HSET', KEYS[1], 'st', 'running', 'sq', 0)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
return {epoch, redis.call('HGETALL', KEYS[1])}

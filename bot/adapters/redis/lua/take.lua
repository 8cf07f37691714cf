-- Own a run at the next epoch; its whole journal comes back with it.
-- KEYS: run, due   ARGV: run id
local st = redis.call('HGET', KEYS[1], 'st')
if not st or st == 'finished' then return nil end
redis.call('HSET', KEYS[1], 'st', 'running')
redis.call('ZREM', KEYS[2], ARGV[1])
local epoch = redis.call('HINCRBY', KEYS[1], 'ep', 1)
return {epoch, redis.call('HGETALL', KEYS[1])}

-- Keep the record of a deployment and have it announced; 0 when a finished one is there and this one is not.
-- KEYS: record, records of its service, all records, dirty
-- ARGV: id, record, 1 if it is finished, requested at in ms, seconds to keep, topic
if ARGV[3] == '0' and redis.call('HGET', KEYS[1], 'done') == '1' then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'done', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[5])
for _, key in ipairs({KEYS[2], KEYS[3]}) do
  redis.call('ZADD', key, ARGV[4], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', tonumber(ARGV[4]) - 1000 * tonumber(ARGV[5]))
  redis.call('EXPIRE', key, ARGV[5])
end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[4], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[6])
return 1

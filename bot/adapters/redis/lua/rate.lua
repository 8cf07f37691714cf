-- Keep a person's word on a diagnosis; 0 when a later one of theirs is there.
-- KEYS: the diagnosis's hash, index   ARGV: person, when in ms, word, diagnosis, run, diagnosed in ms, s to keep
if (tonumber(redis.call('HGET', KEYS[1], 'at:' .. ARGV[1])) or 0) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'at:' .. ARGV[1], ARGV[2], 'word:' .. ARGV[1], ARGV[3], 'said', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('ZADD', KEYS[2], ARGV[6], ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[2]) - 1000 * tonumber(ARGV[7]))
return 1

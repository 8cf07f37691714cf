-- Keep one change in a service's ledger, and no more of them than may be kept.
-- KEYS: changes   ARGV: change, when in seconds, most, seconds to keep
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[3] - 1)
return redis.call('EXPIRE', KEYS[1], ARGV[4])

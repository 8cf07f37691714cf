-- Write down what is posted about a topic.
-- KEYS: messages   ARGV: slot, what is posted, seconds to keep
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return redis.call('EXPIRE', KEYS[1], ARGV[3])

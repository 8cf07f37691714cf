-- Write down what is posted about a topic; 0 when somebody else holds the topic by now, or nobody does.
-- KEYS: messages, hold   ARGV: slot, what is posted, seconds to keep, mark of the claim
if redis.call('GET', KEYS[2]) ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1

-- Write an intent down, once for each key.
-- KEYS: seen marker, inbox stream   ARGV: intent, seconds to remember the key
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[2]) then return 0 end
redis.call('XADD', KEYS[2], '*', 'intent', ARGV[1])
return 1

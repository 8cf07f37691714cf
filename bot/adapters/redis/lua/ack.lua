-- Take a message off its stream: what it asked for is done.
-- KEYS: stream   ARGV: group, message id
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])

-- Hand a message over: it is queued anew for whoever reads next, once.
-- KEYS: stream   ARGV: group, message id, its fields...
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
return 1

-- Keep work that failed too often where a person can look at it; a run among it is not queued again by itself.
-- KEYS: dead, active   ARGV: stream it came from, the work as JSON, run id or '', most to keep
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', 'from', ARGV[1], 'work', ARGV[2])
if ARGV[3] ~= '' then redis.call('SREM', KEYS[2], ARGV[3]) end
return 1

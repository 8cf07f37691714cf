-- Write an intent down, once for each key; -1 when too much is waiting already for one that may be refused.
-- KEYS: seen marker, inbox stream, normal queue   ARGV: intent, seconds to remember the key, most to wait or ''
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if ARGV[3] ~= '' and redis.call('XLEN', KEYS[2]) + redis.call('XLEN', KEYS[3]) >= tonumber(ARGV[3]) then return -1 end
redis.call('SET', KEYS[1], '1', 'EX', ARGV[2])
redis.call('XADD', KEYS[2], '*', 'intent', ARGV[1])
return 1

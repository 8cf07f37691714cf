-- A job reports.  KEYS: its hash.  ARGV: the report, its status, its time, seconds to keep it.
redis.call('HSET', KEYS[1], 'last', ARGV[1])
if ARGV[2] == 'ok' then
  redis.call('HSET', KEYS[1], 'ok_at', ARGV[3], 'failures', 0)
else
  redis.call('HINCRBY', KEYS[1], 'failures', 1)
end
redis.call('EXPIRE', KEYS[1], ARGV[4])

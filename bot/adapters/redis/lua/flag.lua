-- Set a flag under a run's fencing token.  KEYS: the service's flags, the run's fence.
-- ARGV: the flag's key, the flag, the epoch, seconds to keep the fence.  Gives 'stale' or 'set'.
if tonumber(redis.call('GET', KEYS[2]) or 0) > tonumber(ARGV[3]) then
  return 'stale'
end
redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 'set'

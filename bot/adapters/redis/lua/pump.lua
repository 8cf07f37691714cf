-- Make ready every parked run whose time has come.
-- KEYS: due, urgent queue, normal queue, active   ARGV: now in ms, most, prefix of run keys (same slot)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local woken = 0
for _, id in ipairs(ids) do
  local run = ARGV[3] .. id
  redis.call('ZREM', KEYS[1], id)
  if redis.call('HGET', run, 'st') == 'parked' then
    redis.call('HSET', run, 'st', 'ready')
    redis.call('SADD', KEYS[4], id)
    local queue = redis.call('HGET', run, 'lane') == 'urgent' and KEYS[2] or KEYS[3]
    redis.call('XADD', queue, '*', 'run', id)
    woken = woken + 1
  end
end
return woken

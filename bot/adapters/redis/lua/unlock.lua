-- Give back all that a run holds or waits for; each place goes to whoever waited longest.  Gives those.
-- KEYS: names of this run   ARGV: run id, prefix of held keys, prefix of waiting keys (same slot)
local heirs = {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local held, waiting = ARGV[2] .. name, ARGV[3] .. name
  redis.call('ZREM', waiting, ARGV[1])
  if redis.call('SREM', held, ARGV[1]) == 1 then
    local heir = redis.call('ZPOPMIN', waiting)[1]
    if heir then
      redis.call('SADD', held, heir)
      heirs[#heirs + 1] = heir
    end
  end
end
redis.call('DEL', KEYS[1])
return heirs

-- Claim a name for a run, unless another has it; gives who has it, and 1 if that is for good.
-- KEYS: the name.  ARGV: who claims it, a holder that has ended (or empty), ms until the claim lapses (0: never)
local known = redis.call('GET', KEYS[1])
if not known or (known == ARGV[2] and known ~= ARGV[1]) then
  if ARGV[3] == '0' then
    redis.call('SET', KEYS[1], ARGV[1])
  else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  end
  known = ARGV[1]
end
return {known, redis.call('PTTL', KEYS[1]) == -1 and 1 or 0}

-- A dead-man switch.  KEYS: its key.  ARGV: ask, take, keep or drop; the holder's token; milliseconds to lapse.
-- Kept by its holder, or by whoever had it when it lapsed and nobody has taken it since; gives 1 for yes.
local holder = redis.call('GET', KEYS[1])
local mine = holder == ARGV[2]
if ARGV[1] == 'ask' then
  return holder and 1 or 0
elseif ARGV[1] == 'drop' then
  return mine and redis.call('DEL', KEYS[1]) or 0
elseif ARGV[1] == 'take' or mine or not holder then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return 0

-- Tell who holds something and who waits for it, in the order of their turns.
-- KEYS: held, waiting, held, waiting ...
local lines = {}
for at = 1, #KEYS, 2 do
  lines[#lines + 1] = {redis.call('SMEMBERS', KEYS[at]), redis.call('ZRANGE', KEYS[at + 1], 0, -1)}
end
return lines

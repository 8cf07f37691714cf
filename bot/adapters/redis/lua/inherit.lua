-- Take over what a consumer left unfinished; each message comes with how often it was delivered before.
-- KEYS: stream   ARGV: group, consumer that left it, heir, most
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[4], ARGV[2])
if #pending == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) -- with messages it would take them along
  return {}
end
local taken = {}
for _, entry in ipairs(pending) do
  local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, entry[1])
  if #claimed > 0 then taken[#taken + 1] = {entry[1], claimed[1][2], entry[4]} end
end
return taken

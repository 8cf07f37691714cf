-- Claim slots of a monitor and have them looked at; only those later than every slot claimed before.
-- KEYS: slots, checks stream   ARGV: monitor, most checks to keep, slots in ms, oldest first...
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1])) or 0
local fired = 0
for i = 3, #ARGV do
  local slot = tonumber(ARGV[i])
  if slot > last then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'check', ARGV[1], 'slot', string.format('%.3f', slot / 1000))
    last = slot
    fired = fired + 1
  end
end
if fired > 0 then redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', last)) end
return fired

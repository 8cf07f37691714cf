-- Take over what a dead consumer left unfinished; what comes back is handled again.
-- KEYS: stream   ARGV: group, dead consumer, heir, most
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[4], ARGV[2])
local ids = {}
for _, entry in ipairs(pending) do ids[#ids + 1] = entry[1] end
if #ids == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
  return {}
end
return redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, unpack(ids))

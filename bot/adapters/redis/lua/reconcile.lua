-- Queue again every run that is ready or running and that no message stands for; nothing else is touched.
-- KEYS: active, urgent queue, normal queue   ARGV: prefix of run keys (same slot), most messages to look through
local most = tonumber(ARGV[2])
local told = {}
for q = 2, 3 do
  if redis.call('XLEN', KEYS[q]) > most then return 0 end -- a backlog this long is worked off first
  for _, entry in ipairs(redis.call('XRANGE', KEYS[q], '-', '+')) do told[entry[2][2]] = true end
end
local mended = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if not told[id] then
    local head = redis.call('HMGET', ARGV[1] .. id, 'st', 'lane')
    if head[1] == 'ready' or head[1] == 'running' then
      redis.call('XADD', head[2] == 'urgent' and KEYS[2] or KEYS[3], '*', 'run', id)
      mended = mended + 1
    else
      redis.call('SREM', KEYS[1], id)
    end
  end
end
return mended

-- List runs of the index that have not ended, newest first, each with its runbook's digest; first of all how many were looked at.
-- KEYS: index   ARGV: prefix of run keys (same slot), how many to leave out, how many to look at
local ids = redis.call('ZREVRANGE', KEYS[1], ARGV[2], ARGV[2] + ARGV[3] - 1)
local found = {#ids}
for _, id in ipairs(ids) do
  local head = redis.call('HMGET', ARGV[1] .. id, 'st', 'bk')
  if head[1] and head[1] ~= 'finished' then
    found[#found + 1] = id
    found[#found + 1] = head[2] or ''
  end
end
return found

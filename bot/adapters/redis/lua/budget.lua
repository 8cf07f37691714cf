-- A token bucket: 0 when one was taken, else the milliseconds after which to ask again.
-- KEYS: bucket   ARGV: burst, per second
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, now - (tonumber(kept[2]) or now)) * rate)
local granted = tokens >= 1
if granted then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 1000)
if granted then return 0 end
return math.ceil((1 - tokens) / rate)

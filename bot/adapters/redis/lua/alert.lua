-- Read an alert with what people decided, at one moment; what is not there is ''.
-- KEYS: alert, acknowledgement, silence
local kept = redis.call('HMGET', KEYS[1], 'alert', 'ended_silenced')
return {kept[1] or '', kept[2] or '', redis.call('GET', KEYS[2]) or '', redis.call('GET', KEYS[3]) or ''}

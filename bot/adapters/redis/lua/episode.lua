-- Read what is known of an alert's episode, and which episode of its fingerprint is the newest; '' for nothing.
-- KEYS: alert, newest
return {redis.call('HGET', KEYS[1], 'alert') or '', redis.call('GET', KEYS[2]) or ''}

-- Keep a claim for good if its holder still has it; gives 1 for yes.  KEYS: the name.  ARGV: the holder
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PERSIST', KEYS[1])
return 1

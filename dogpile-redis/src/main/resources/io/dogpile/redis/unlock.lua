-- UNLOCK: give a lease back, and no other holder's.
-- KEYS 1 lock
-- ARGV 1 nonce
-- gives 1 given back | 0 was not the caller's
if string.match(redis.call('GET',KEYS[1]) or '','^(%S+) ')~=ARGV[1] then return 0 end
return redis.call('DEL',KEYS[1])

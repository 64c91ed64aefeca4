-- EXTEND: make a lease last for a time from now.
-- KEYS 1 lock
-- ARGV 1 nonce  2 lease ms
-- gives 1 extended | 0 lost
local ln,lf=string.match(redis.call('GET',KEYS[1]) or '','^(%S+) (%d+) ')
if ln~=ARGV[1] then return 0 end
local time=redis.call('TIME')
local ms=math.floor((time[1]*1000000+time[2])/1000)
local d=tonumber(ARGV[2])
redis.call('SET',KEYS[1],ln..' '..lf..string.format(' %.0f %.0f',ms+d,d),'PX',ARGV[2])
return 1

-- RENEW: make a lease last for its whole length from now.
-- KEYS 1 record  2 generation of the region; left out where it may live on another node
-- ARGV 1 nonce  2 lease ms  3 linger ms  4 hard  5 soft: the generations that the caller knows
-- gives {1 renewed | 0 lost, now ms}
local record=KEYS[1]
local hard,soft=tonumber(ARGV[4]),tonumber(ARGV[5])
local both=KEYS[2] and redis.call('GET',KEYS[2])
if both then
  local h,s=string.match(both,'^(%d+) (%d+)$')
  if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 then hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s)) end
end
local time=redis.call('TIME')
local ms=math.floor((time[1]*1000000+time[2])/1000)
local ln,lf,lg=string.match(redis.call('HGET',record,'l') or '','^(%S+) (%d+) (%d+) ')
if ln~=ARGV[1] or tonumber(lg)<math.max(hard,soft) then return {0,ms} end
local d=tonumber(ARGV[2])
redis.call('HSET',record,'l',ln..' '..lf..' '..lg..string.format(' %.0f %.0f',ms+d,d))
local least=d+tonumber(ARGV[3])
local left=redis.call('PTTL',record)
if left>=0 and left<least then redis.call('PEXPIRE',record,string.format('%.0f',least)) end
return {1,ms}

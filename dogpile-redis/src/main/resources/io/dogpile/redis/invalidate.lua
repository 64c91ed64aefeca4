-- INVALIDATE: declare a value expired or stale. The right to create goes with it, so that what is created now is not stored.
-- KEYS 1 record
-- ARGV 1 HARD | SOFT  2 prefix of inboxes  3 channel of near caches, '' if none  4 what to say there
-- gives {1, now ms}
local record=KEYS[1]
local time=redis.call('TIME')
local ms=math.floor((time[1]*1000000+time[2])/1000)
local r=redis.call('HMGET',record,'w','m')
local f,g,h,c=string.match(r[2] or '','^(%d+) (%d+) %d+ (%d+) (%d+ %d+ %d+)$')
if ARGV[1]=='HARD' or not f then
  redis.call('DEL',record)
else
  redis.call('HDEL',record,'l','w','e') -- allowed when out of memory, and so is what follows it
  redis.call('HSET',record,'m',f..' '..g..' 1 '..h..' '..c) -- stale since the first millisecond of time
  if tonumber(h)>0 then redis.call('PEXPIREAT',record,string.format('%.0f',h+1)) else redis.call('PERSIST',record) end
end
if ARGV[3]~='' then redis.call('PUBLISH',ARGV[3],ARGV[4]) end
for id in string.gmatch(r[1] or '','%S+') do redis.call('PUBLISH',ARGV[2]..id,'I '..#record..' '..record) end
return {1,ms}

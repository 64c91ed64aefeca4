-- PUBLISH: store what was created and wake who waits, if the right is still the caller's.
-- KEYS 1 record  2 generation of the region; left out where it may live on another node
-- ARGV 1 nonce  2 fence  3 envelope  4 soft life ms, 0 never  5 hard life ms, 0 never  6 cost ms
--      7 1 keep it | 0 hand it to who waits and store nothing   8 hard  9 soft: the generations that the caller knows
--     10 longest envelope to push  11 prefix of inboxes  12 channel of near caches, '' if none  13 what to say there
-- gives {1 stored | 2 stored by an earlier try | 0 refused, now ms, m or nil, v or nil}; when refused, of a value newer than the right
local record=KEYS[1]
local hard,soft=tonumber(ARGV[8]),tonumber(ARGV[9])
local both=KEYS[2] and redis.call('GET',KEYS[2])
if both then
  local h,s=string.match(both,'^(%d+) (%d+)$')
  if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 then hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s)) end
end
local time=redis.call('TIME')
local ms=math.floor((time[1]*1000000+time[2])/1000)
local r=redis.call('HMGET',record,'m','l','w')
local m,l,w=r[1],r[2],r[3]
local ln,lf,lg=string.match(l or '','^(%S+) (%d+) (%d+) ')
if ln~=ARGV[1] or lf~=ARGV[2] then -- with another fence: a claim that came twice, the second time after the right had ended
  local f,g=string.match(m or '','^(%d+) (%d+) ')
  if f==ARGV[2] then return {2,ms,m,false} end -- it did arrive the first time
  if f and tonumber(f)>tonumber(ARGV[2]) and tonumber(g)>=hard then return {0,ms,m,redis.call('HGET',record,'v')} end
  return {0,ms,false,false}
end
if tonumber(lg)<math.max(hard,soft) then -- the region was invalidated since: who waits looks again
  redis.call('HDEL',record,'l','w')
  for id in string.gmatch(w or '','%S+') do redis.call('PUBLISH',ARGV[11]..id,'I '..#record..' '..record) end
  return {0,ms,false,false}
end
local s,h=tonumber(ARGV[4]),tonumber(ARGV[5])
local nm=string.format('%s %s %.0f %.0f %s %.0f %.0f',lf,lg,s>0 and ms+s or 0,h>0 and ms+h or 0,ARGV[6],s,ms)
if ARGV[7]=='1' then
  redis.call('HSET',record,'v',ARGV[3],'m',nm) -- the first write: refused here when out of memory, with nothing done
  redis.call('HDEL',record,'l','w','e')
  if h>0 then redis.call('PEXPIREAT',record,string.format('%.0f',ms+h+1)) else redis.call('PERSIST',record) end
  if ARGV[12]~='' then redis.call('PUBLISH',ARGV[12],ARGV[13]) end
else
  redis.call('HDEL',record,'l','w','e')
end
if w then
  local message='P '..#record..' '..record..nm
  if #ARGV[3]<=tonumber(ARGV[10]) then message=message..'\n'..ARGV[3] end
  for id in string.gmatch(w,'%S+') do redis.call('PUBLISH',ARGV[11]..id,message) end
end
return {1,ms,nm,false}

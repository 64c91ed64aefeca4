-- PUT: store a value whoever creates it now; a right that was granted before publishes nothing any more.
-- KEYS 1 record  2 generation of the region; left out where it may live on another node
-- ARGV 1 envelope  2 soft life ms, 0 never  3 hard life ms, 0 never  4 cost ms  5 hard  6 soft: the generations that the caller knows
--      7 longest envelope to push  8 prefix of inboxes  9 channel of near caches, '' if none  10 what to say there
-- gives {1, now ms, m}
local record=KEYS[1]
local hard,soft=tonumber(ARGV[5]),tonumber(ARGV[6])
if KEYS[2] then
  local h,s=string.match(redis.call('GET',KEYS[2]) or '','^(%d+) (%d+)$')
  if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 then hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s)) end
end
local time=redis.call('TIME')
local us=time[1]*1000000+time[2]
local ms=math.floor(us/1000)
local r=redis.call('HMGET',record,'m','l','w')
local m,l,w=r[1],r[2],r[3]
if m and string.find(m,string.rep('%d',17)) then m=false end -- damaged: such a number is not exact
if l and string.find(l,' '..string.rep('%d',17)) then l=false end
local nf=us
local f=tonumber(string.match(m or '','^(%d+) '))
local lf=tonumber(string.match(l or '','^%S+ (%d+) '))
if f and nf<=f then nf=f+1 end
if lf and nf<=lf then nf=lf+1 end
local s,h=tonumber(ARGV[2]),tonumber(ARGV[3])
local nm=string.format('%.0f %.0f %.0f %.0f ',nf,math.max(hard,soft),s>0 and ms+s or 0,h>0 and ms+h or 0)..ARGV[4]..string.format(' %.0f %.0f',s,ms)
redis.call('HSET',record,'v',ARGV[1],'m',nm)
redis.call('HDEL',record,'l','w','e')
if h>0 then redis.call('PEXPIREAT',record,string.format('%.0f',ms+h+1)) else redis.call('PERSIST',record) end
if ARGV[9]~='' then redis.call('PUBLISH',ARGV[9],ARGV[10]) end
if w then
  local message='P '..#record..' '..record..nm
  if #ARGV[1]<=tonumber(ARGV[7]) then message=message..'\n'..ARGV[1] end
  for id in string.gmatch(w,'%S+') do redis.call('PUBLISH',ARGV[8]..id,message) end
end
return {1,ms,nm}

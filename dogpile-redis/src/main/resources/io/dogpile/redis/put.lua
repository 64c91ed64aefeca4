-- PUT: store a value whoever creates it now; a right that was granted before publishes nothing any more.
-- KEYS 1 record  2 generation of the region; left out where it may live on another node
-- ARGV 1 envelope  2 soft life ms, 0 never  3 hard life ms, 0 never  4 cost ms  5 hard  6 soft: the generations that the caller knows
--      7 longest envelope to push  8 prefix of inboxes  9 channel of near caches, '' if none  10 what to say there
-- gives {1, now ms, m}
local record=KEYS[1]
local hard,soft=tonumber(ARGV[5]),tonumber(ARGV[6])
local both=KEYS[2] and redis.call('GET',KEYS[2])
if both then
  local h,s=string.match(both,'^(%d+) (%d+)$')
  if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 then hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s)) end
end
local time=redis.call('TIME')
local nf=time[1]*1000000+time[2]
local ms=math.floor(nf/1000)
local r=redis.call('HMGET',record,'m','l','w','e')
local m,l,w=r[1],r[2],r[3]
local f=m and string.match(m,'^(%d+) ')
if f and #f<17 and nf<=tonumber(f) then nf=tonumber(f)+1 end -- a longer one is damaged: it is not exact
local lf=l and string.match(l,'^%S+ (%d+) ')
if lf and #lf<17 and nf<=tonumber(lf) then nf=tonumber(lf)+1 end
local s,h=tonumber(ARGV[2]),tonumber(ARGV[3])
local nm=string.format('%.0f %.0f %.0f %.0f %s %.0f %.0f',nf,math.max(hard,soft),s>0 and ms+s or 0,h>0 and ms+h or 0,ARGV[4],s,ms)
redis.call('HSET',record,'v',ARGV[1],'m',nm)
if l or w or r[4] then redis.call('HDEL',record,'l','w','e') end
if h>0 then redis.call('PEXPIREAT',record,string.format('%.0f',ms+h+1)) else redis.call('PERSIST',record) end
if ARGV[9]~='' then redis.call('PUBLISH',ARGV[9],ARGV[10]) end
if w then
  local message='P '..#record..' '..record..nm
  if #ARGV[1]<=tonumber(ARGV[7]) then message=message..'\n'..ARGV[1] end
  for id in string.gmatch(w,'%S+') do redis.call('PUBLISH',ARGV[8]..id,message) end
end
return {1,ms,nm}

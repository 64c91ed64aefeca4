-- CLAIM: look again, and grant the right to create unless there is a value that will do or somebody else has the right.
-- KEYS 1 record  2 generation of the region; left out where it may live on another node
-- ARGV 1 nonce of this attempt, the same on a retry   2 lease ms   3 linger ms: how long after its lease a right may publish
--      4 inbox to wake; '' if the caller will not wait   5 hard  6 soft: the generations that the caller knows
--      7 fence of the value that the caller has; '' if none
--      8 N needed | E early: newer than what the caller has | R refresh: the same, and whatever failed before
--      9 a lease 'nonce expiry' that the caller saw unchanged for its whole length by its own clock; '' if none
--     10 the caller's own limit of age in ms; '' if none
-- gives {code, now ms, m or nil, v or '' for "as the caller has it" or nil, ms left, fence | 'nonce expiry' | text, generations or nil}
--      code 0 fresh  1 held, stale value  2 granted over a stale value  3 granted  4 held  6 backing off, stale value  7 backing off
local record=KEYS[1]
local time=redis.call('TIME')
local us=time[1]*1000000+time[2]
local ms=math.floor(us/1000)
local hard,soft=tonumber(ARGV[5]),tonumber(ARGV[6])
local news=false
local both=KEYS[2] and redis.call('GET',KEYS[2])
if both then
  local h,s=string.match(both,'^(%d+) (%d+)$')
  if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 and (tonumber(h)>hard or tonumber(s)>soft) then
    hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s))
    news=string.format('%.0f %.0f',hard,soft)
  end
end
local generation=math.max(hard,soft)
local r=redis.call('HMGET',record,'m','l','e')
local m,l,e=r[1],r[2],r[3]
local has,fresh,fence,hardAt=false,false,0,0
-- What does not parse is no value: a damaged field must not make the key fail for ever. Nor may a number that is not exact.
if m and string.find(m,string.rep('%d',17)) then m=false end
if l and string.find(l,' '..string.rep('%d',17)) then l=false end
local f,g,s,h,c,sl,at=string.match(m or '','^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
if f then
  fence,hardAt=tonumber(f),tonumber(h)
  if (hardAt==0 or hardAt>=ms) and tonumber(g)>=hard then
    has=true
    s=tonumber(s)
    fresh=tonumber(g)>=soft
      and (ARGV[8]=='N' or ARGV[7]~=f)
      and (ARGV[10]=='' or ms-tonumber(at)<=tonumber(ARGV[10]))
      and (s==0 or (s>=ms and s-ms<=tonumber(sl)+5000)) -- more left than it was given: the clock was set back
  end
end
local function value()
  if not has then return false end
  if ARGV[7]==f then return '' end
  return redis.call('HGET',record,'v')
end
if fresh then return {0,ms,m,value(),0,false,news} end
local nonce=ARGV[1]
local ln,lf,lg,lx,ld=string.match(l or '','^(%S+) (%d+) (%d+) (%d+) (%d+)$')
local left=0
if ln then
  left=tonumber(lx)-ms
  -- Dead before its time: seen to stand still, left over from before the clock was set back, or of an older generation.
  if ARGV[9]==ln..' '..lx or left>2*tonumber(ld)+1000 or tonumber(lg)<generation then left=0 end
end
if ln==nonce and tonumber(lg)>=generation then -- a retry whose first reply was lost: the same right again
  return {has and 2 or 3,ms,has and m,value(),left,lf,news}
end
if left>0 then
  local inbox=ARGV[4]
  if inbox~='' then
    local w=redis.call('HGET',record,'w') or ''
    if w~='* ' and not string.find(' '..w,' '..inbox..' ',1,true) then
      if #w>1200 then w='* ' else w=w..inbox..' ' end -- too many to name: one broadcast
      redis.pcall('HSET',record,'w',w) -- refused when out of memory; who waits polls, too
    end
  end
  return {has and 1 or 4,ms,has and m,value(),left,ln..' '..lx,news}
end
local ec,eu,el,et=string.match(e or '','^(%d+) (%d+) (%d+) (.*)$')
if eu then
  local wait=tonumber(eu)-ms
  -- No longer than what ABANDON notes; more than twice what was noted is left over from before the clock was set back.
  if wait>0 and wait<=math.min(2*tonumber(el),3600000) and ARGV[8]~='R' then
    return {has and 6 or 7,ms,has and m,value(),wait,string.sub(et,1,1300),news} -- longer than any that was noted
  end
end
local nf=us -- a hybrid logical clock: the time, but always more than the last
if nf<=fence then nf=fence+1 end
if lf and nf<=tonumber(lf) then nf=tonumber(lf)+1 end
nf=string.format('%.0f',nf)
local d=tonumber(ARGV[2])
local until_=ms+d+tonumber(ARGV[3])
if has and (hardAt==0 or hardAt>until_) then until_=hardAt end
redis.call('HSET',record,'l',nonce..' '..nf..string.format(' %.0f %.0f %.0f',generation,ms+d,d))
if until_>0 then redis.call('PEXPIREAT',record,string.format('%.0f',until_+1)) end
return {has and 2 or 3,ms,has and m,value(),d,nf,news}

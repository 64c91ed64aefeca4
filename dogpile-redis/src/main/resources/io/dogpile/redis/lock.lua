-- LOCK: a lease and nothing else.
-- KEYS 1 lock, a text 'nonce fence expiry length'
-- ARGV 1 nonce of this attempt, the same on a retry  2 lease ms
-- gives {1 granted | 0 held, fence}
local text=redis.call('GET',KEYS[1]) or ''
if string.find(text,' '..string.rep('%d',17)) then text='' end -- damaged: such a number is not exact
local ln,lf,lx,ld=string.match(text,'^(%S+) (%d+) (%d+) (%d+)$')
if ln==ARGV[1] then return {1,lf} end
local time=redis.call('TIME')
local us=time[1]*1000000+time[2]
local ms=math.floor(us/1000)
if ln then
  local left=tonumber(lx)-ms
  if left>0 and left<=2*tonumber(ld)+1000 then return {0,'0'} end -- more left than it was given: the clock was set back
  if us<=tonumber(lf) then us=tonumber(lf)+1 end
end
local fence=string.format('%.0f',us)
local d=tonumber(ARGV[2])
redis.call('SET',KEYS[1],ARGV[1]..' '..fence..string.format(' %.0f %.0f',ms+d,d),'PX',ARGV[2])
return {1,fence}

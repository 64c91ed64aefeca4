-- ABANDON: give a right back without a value, note that the creation failed, and wake who waits.
-- KEYS 1 record
-- ARGV 1 nonce  2 F it failed | N no creator ran, or it was interrupted  3 failures in a row from which on the key backs off
--      4 first back-off ms  5 longest ms, an hour at most: CLAIM takes more for a clock
--      that was set back  6 text of the failure  7 prefix of inboxes
-- gives {1 given back | 0 was not the caller's, now ms}
local record=KEYS[1]
local time=redis.call('TIME')
local ms=math.floor((time[1]*1000000+time[2])/1000)
local r=redis.call('HMGET',record,'l','w','e','m')
local l,w,e,m=r[1],r[2],r[3],r[4]
if string.match(l or '','^(%S+) ')~=ARGV[1] then return {0,ms} end
local backoff=0
redis.call('HDEL',record,'l','w') -- allowed when out of memory
if ARGV[2]=='F' then
  local n=(tonumber(string.match(e or '','^(%d+) ')) or 0)+1
  local free,longest=tonumber(ARGV[3]),math.min(tonumber(ARGV[5]),3600000)
  if n>=free then backoff=math.min(tonumber(ARGV[4])*2^math.min(n-free,30),longest) end
  local noted=redis.pcall('HSET',record,'e',n..string.format(' %.0f %.0f ',ms+backoff,backoff)..ARGV[6])
  -- As long as the longest back-off without a try, and the failures are forgotten. Not before, though the value ends.
  if not (type(noted)=='table' and noted.err) then
    local least,left=backoff+longest,redis.call('PTTL',record)
    if not m or left>=0 and left<least then redis.call('PEXPIRE',record,string.format('%.0f',least)) end
  end
end
for id in string.gmatch(w or '','%S+') do
  redis.call('PUBLISH',ARGV[7]..id,'A '..#record..' '..record)
end
return {1,ms}

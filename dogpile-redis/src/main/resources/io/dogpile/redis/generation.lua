-- GENERATION: begin a new generation of a region; or read it, and restore what a node knows and the server has lost.
-- What is stored beyond 9e15 is damaged, here and in each script: what comes after it is not exact, and no value could bear it.
-- KEYS 1 generation
-- ARGV 1 HARD | SOFT | KEEP  2 hard  3 soft: the generations that the caller knows  4 channel of all nodes  5 what to say there
-- gives {now ms, 'hard soft'}
local hard,soft=tonumber(ARGV[2]),tonumber(ARGV[3])
local stored=redis.call('GET',KEYS[1]) or ''
local h,s=string.match(stored,'^(%d+) (%d+)$')
if h and tonumber(h)<=9e15 and tonumber(s)<=9e15 then hard,soft=math.max(hard,tonumber(h)),math.max(soft,tonumber(s)) end
local time=redis.call('TIME')
local us=time[1]*1000000+time[2]
local next=us
if next<=hard then next=hard+1 end
if next<=soft then next=soft+1 end
if ARGV[1]=='HARD' then hard=next elseif ARGV[1]=='SOFT' then soft=next end
local both=string.format('%.0f %.0f',hard,soft)
if both~=stored and (hard>0 or soft>0) then
  redis.call('SET',KEYS[1],both)
  redis.call('PUBLISH',ARGV[4],ARGV[5]..both)
end
return {math.floor(us/1000),both}

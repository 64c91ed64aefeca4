package io.dogpile.redis;

/**
 * Stops the clock of a server: scripts, {@linkplain #edit edited}, take the time from a key that a test writes, and note
 * when keys end in keys of their own instead of telling the server. So nothing depends on how long a test takes.
 *
 * <p>A key is gone for an edited script once its noted end has passed. Commands sent without a script still see it.
 */
final class StoppedClock {
    /** The time in microseconds. */
    static final String KEY = "~clock";

    private static final String ENDS = "~end:";

    private static final String PROLOGUE = """
            local function clock() return tonumber(redis.call('GET','%1$s')) end
            local function millis() return math.floor(clock()/1000) end
            local function forget(k) redis.call('DEL',k,'%2$s'..k) end
            local function endAt(k,at)
              if redis.call('EXISTS',k)==0 then return 0 end
              if at<=millis() then forget(k) else redis.call('SET','%2$s'..k,string.format('%%.0f',at)) end
              return 1
            end
            local function ending(k) return tonumber(redis.call('GET','%2$s'..k) or nil) end
            local commands={
              TIME=function() local us=clock()
                return {string.format('%%.0f',math.floor(us/1000000)),string.format('%%.0f',us%%1000000)} end,
              PEXPIREAT=function(k,at) return endAt(k,tonumber(at)) end,
              PEXPIRE=function(k,left) return endAt(k,millis()+tonumber(left)) end,
              PTTL=function(k) local at=ending(k)
                if redis.call('EXISTS',k)==0 then return -2 elseif not at then return -1 else return at-millis() end end,
              PERSIST=function(k) return redis.call('DEL','%2$s'..k) end,
              DEL=function(k) redis.call('DEL','%2$s'..k) return redis.call('DEL',k) end,
              HDEL=function(k,...) local n=redis.call('HDEL',k,...)
                if redis.call('EXISTS',k)==0 then forget(k) end return n end,
              SET=function(k,v,px,left) redis.call('SET',k,v)
                if px=='PX' then endAt(k,millis()+tonumber(left)) else redis.call('DEL','%2$s'..k) end end}
            local function call(name,...)
              if commands[name] then return commands[name](...) end
              return redis.call(name,...)
            end
            for _,k in ipairs(KEYS) do local at=ending(k) if at and millis()>at then forget(k) end end
            """.formatted(KEY, ENDS);

    /** For each key: what is there, and the noted end. */
    static final String LOOK = PROLOGUE + """
              local seen={}
              for _,k in ipairs(KEYS) do
                local type=redis.call('TYPE',k).ok
                seen[#seen+1]=type
                seen[#seen+1]=type=='hash' and redis.call('HGETALL',k) or type=='string' and redis.call('GET',k) or ''
                seen[#seen+1]=redis.call('GET','%s'..k) or ''
              end
              return seen
              """.formatted(ENDS);

    private StoppedClock() {}

    /** The script by the stopped clock. */
    static String edit(String script) {
        return PROLOGUE + script.replace("redis.call(", "call(");
    }
}

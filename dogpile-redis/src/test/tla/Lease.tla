------------------------------- MODULE Lease -------------------------------
(***************************************************************************)
(* How JVMs that share one Redis agree on who creates a value.             *)
(*                                                                         *)
(* Each step of the server is one script, and says which lines of it it    *)
(* stands for.  A script is one step, as on the server.  Time is not       *)
(* counted: a lease lasts or is over, a value is fresh, stale or expired,  *)
(* and the clock is a number that only fences are made of.                 *)
(*                                                                         *)
(* Whatever goes wrong is a fault: it is named in Faults, and counted, so  *)
(* that "at most MaxFaults" is the one bound of the model.  README.md      *)
(* tells what is left out.                                                 *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS
    Procs,        \* the JVMs; each has one call at a time
    Keys,         \* the keys, all of one region
    None,         \* nothing
    Faults,       \* what may go wrong, see AllFaults
    MaxFaults,    \* how often it may, all kinds together
    Mutation,     \* what is broken in the protocol, see AllMutations; "none" if nothing is
    Timer,        \* whether who waits has a timer
    ClockRuns,    \* whether leases end by the server's clock; FALSE: it was set back, and they do not
    SharedNode    \* whether scripts see the generation of the region; FALSE in a cluster

AllFaults == {
    "age",        \* a fresh value turns stale
    "expire",     \* a value expires
    "pause",      \* a lease ends though its creator runs: paused, or cut off
    "fast",       \* a waiter takes such a lease for standing still
    "crash",      \* a JVM is gone, and does not come back
    "throw",      \* a creator fails
    "reply",      \* a reply is lost
    "late",       \* a publication stays on the wire while its caller goes on
    "push",       \* a message to who waits is lost
    "put",        \* a value is put
    "invalidate", \* a key is invalidated, hard
    "soften",     \* a key is invalidated, soft
    "region",     \* the region is invalidated, hard
    "regionSoft", \* the region is invalidated, soft
    "evict",      \* one record is lost
    "flush",      \* all records and the generation are lost
    "failover",   \* an older state comes back
    "clock" }     \* the server's clock is set back

AllMutations == {
    \* of the list of the design
    "publishUnchecked",  \* a publication does not compare the nonce
    "countedNonce",      \* the nonce is a counter that is kept in the record, and lost with it
    "leaseKept",         \* an invalidation leaves the lease
    "registerLate",      \* who waits listens only after the reply
    "notRegistered",     \* the server does not note who waits
    "noWake",            \* giving a right back wakes nobody
    "expiredRefused",    \* a publication is refused merely because the lease is over: no fault, only wasteful
    \* broken twins, each for one invariant
    "publishAgain",      \* a publication leaves the lease
    "clockFence",        \* a fence is the time, and nothing else
    "grantAnyway",       \* a claim does not look at the lease
    "stealRenewed",      \* a lease is taken for dead by its nonce alone
    "noSteal",           \* a lease that stands still is not taken over
    "staleWaits",        \* who would take the stale value waits
    "anyPush" }          \* a message counts that was on its way before the call began

ASSUME Faults \subseteq AllFaults /\ Mutation \in AllMutations \cup {"none"}

VARIABLES
    \* the server
    rec,      \* Keys -> the record (RedisRecord.java): m the stamps, l the lease, w who is to be woken
    gen,      \* the generation of the region, hard and soft
    now,      \* how often something was numbered: the source of nonces, and the time while the clock is right
    setBack,  \* whether the server's clock was set back, to before all that was numbered
    snap,     \* an older state of the server, as a replica has it; None if nothing is to come of it
    \* the network
    push,     \* Procs -> the messages on their way to its inbox
    late,     \* rights whose publication is on the wire, while nobody waits for its reply
    \* the JVMs
    pc,       \* Procs -> idle | again | unsure | told | waiting | creating | crashed
    at,       \* Procs -> the key of its call; None if idle
    right,    \* Procs -> the right that it has, or does not know whether it has
    obs,      \* Procs -> what it knows of the lease it waits for: seen, as it still is | still, for its whole length | moved since
    known,    \* Procs -> the generation it knows
    \* what only the invariants ask for
    inv,      \* how many hard invalidations there were
    floor,    \* Keys -> of the last of them, on this timeline
    faults,   \* how many faults there were
    broken    \* the invariants that a step has broken

time   == <<now, setBack>>
wire   == <<push, late>>
calls  == <<pc, at, right>>
ghosts == <<inv, floor, broken>>
vars   == <<rec, gen, time, snap, wire, calls, obs, known, ghosts, faults>>

Max(a, b) == IF a > b THEN a ELSE b
Least(S)  == CHOOSE i \in S : \A j \in S : i <= j
Newer(g, h) == [hard |-> Max(g.hard, h.hard), soft |-> Max(g.soft, h.soft)]

NoGen == [hard |-> 0, soft |-> 0]
Empty == [m |-> None, l |-> None, w |-> {}]

Init ==
    /\ rec = [k \in Keys |-> Empty]
    /\ gen = NoGen
    /\ now = 0
    /\ setBack = FALSE
    /\ snap = None
    /\ push = [p \in Procs |-> {}]
    /\ late = {}
    /\ pc = [p \in Procs |-> "idle"]
    /\ at = [p \in Procs |-> None]
    /\ right = [p \in Procs |-> None]
    /\ obs = [p \in Procs |-> None]
    /\ known = [p \in Procs |-> NoGen]
    /\ inv = 0
    /\ floor = [k \in Keys |-> 0]
    /\ faults = 0
    /\ broken = {}

Fault(kind) == kind \in Faults /\ faults < MaxFaults /\ faults' = faults + 1
NoFault == UNCHANGED faults
Break(which, if) == broken' = broken \cup (IF if THEN {which} ELSE {})

----------------------------------------------------------------------------
(* What scripts share *)

\* claim.lua 15-24, publish.lua 8-12, renew.lua 6-10, put.lua 7-11
Sees(p) == IF SharedNode THEN Newer(known[p], gen) ELSE known[p]
Generation(p) == Max(Sees(p).hard, Sees(p).soft)

\* claim.lua 75-77, put.lua 19-23: the time, but always more than the last
StoredFence(c) == Max(IF c.m = None THEN 0 ELSE c.m.fence, IF c.l = None THEN 0 ELSE c.l.fence)
Clock == IF setBack THEN 0 ELSE now + 1
Fence(c) == IF Mutation = "clockFence" THEN Clock ELSE Max(Clock, StoredFence(c) + 1)
Number == now' = now + 1 /\ UNCHANGED setBack

\* A message for each of w, all in the same step as the write: publish.lua 39-43, put.lua 30-34, abandon.lua 26-28, invalidate.lua 18
Tell(w, message) == push' = [p \in Procs |-> push[p] \cup (IF p \in w /\ pc[p] # "crashed" THEN {message} ELSE {})]
Look(k) == [key |-> k, value |-> FALSE, gen |-> 0, born |-> 0, early |-> FALSE]      \* "look again"
Value(k, m) == [key |-> k, value |-> TRUE, gen |-> m.gen, born |-> m.born, early |-> FALSE]

\* The lease is another now, or none: whoever saw it sees that it moved.
Moved(k) == obs' = [p \in Procs |-> IF at[p] = k /\ obs[p] # None THEN "moved" ELSE obs[p]]

\* Lease and inboxes go (HDEL l w), and who is noted is told in the same step.
GiveBack(k, message, tell) ==
    /\ rec' = [rec EXCEPT ![k].l = None, ![k].w = {}]
    /\ Tell(IF tell THEN rec[k].w ELSE {}, message)

Store(k, m) ==
    /\ rec' = [rec EXCEPT ![k] = [m |-> m, l |-> IF Mutation = "publishAgain" THEN @.l ELSE None, w |-> {}]]
    /\ Tell(rec[k].w, Value(k, m))

----------------------------------------------------------------------------
(* CLAIM, and what a call does with its answer (RedisClaims.java, Election.java) *)

\* claim.lua 34: within its hard life, and of no older generation
Has(p, k) == LET m == rec[k].m IN m # None /\ m.age # "expired" /\ m.gen >= Sees(p).hard
\* claim.lua 37-40
Fresh(p, k) == Has(p, k) /\ rec[k].m.age = "fresh" /\ rec[k].m.gen >= Sees(p).soft

\* claim.lua 53-56: the lease has time left, is of no older generation, and was not seen to stand still (ARGV 9).
StoodStill(p) == obs[p] = "still"
Lasts(p, k) == LET l == rec[k].l IN
    /\ l # None /\ l.live /\ l.gen >= Generation(p)
    /\ StoodStill(p) \/ obs[p] = "fooled" => Mutation = "noSteal"
    /\ Mutation # "grantAnyway"

\* claim.lua 57: a retry whose first reply was lost
OwnAlready(p, k) == LET l == rec[k].l IN
    pc[p] = "unsure" /\ l # None /\ l.nonce = right[p].nonce /\ l.gen >= Generation(p)

\* The call of p is over. Its watch is closed, and with it goes what was observed (Inbox.Place).
End(p) ==
    /\ pc' = [pc EXCEPT ![p] = "idle"]
    /\ at' = [at EXCEPT ![p] = None]
    /\ right' = [right EXCEPT ![p] = None]

\* A call that begins registers its watch before it claims. What is on its way by then was stored before, and counts as a
\* hint only (Inbox.Place.takes). I3 asks what would be if it counted.
Registered(p, k) ==
    IF pc[p] # "idle" THEN push
    ELSE [push EXCEPT ![p] = {
        IF x.key # k THEN x
        ELSE IF Mutation = "anyPush" THEN [x EXCEPT !.early = x.born < floor[k]]
        ELSE Look(k) : x \in @}]

\* claim.lua 48: there is a value that will do.
ClaimFresh(p, k) ==
    /\ Fresh(p, k)
    /\ End(p)
    /\ obs' = [obs EXCEPT ![p] = None]
    /\ NoFault
    /\ UNCHANGED <<rec, gen, time, snap, wire, known, ghosts>>

\* claim.lua 57-59: the same right again.
ClaimRetried(p, k) ==
    /\ ~Fresh(p, k) /\ OwnAlready(p, k)
    /\ pc' = [pc EXCEPT ![p] = "creating"]
    /\ right' = [right EXCEPT ![p].fence = rec[k].l.fence]
    /\ NoFault
    /\ UNCHANGED <<rec, gen, time, snap, wire, at, obs, known, ghosts>>

\* claim.lua 60-70: somebody else has the right. Who takes a stale value returns with it; who waits is noted.
ClaimHeld(p, k, takesStale) ==
    LET serve == Has(p, k) /\ takesStale /\ Mutation # "staleWaits" IN
    /\ ~Fresh(p, k) /\ ~OwnAlready(p, k) /\ Lasts(p, k)
    /\ IF serve
       THEN End(p) /\ obs' = [obs EXCEPT ![p] = None] /\ UNCHANGED <<rec, push>>
       ELSE /\ pc' = [pc EXCEPT ![p] = "told"]
            /\ at' = [at EXCEPT ![p] = k]
            /\ right' = [right EXCEPT ![p] = None]
            /\ obs' = [obs EXCEPT ![p] = IF @ = "still" THEN @ ELSE "seen"]
            /\ rec' = IF Mutation = "notRegistered" THEN rec ELSE [rec EXCEPT ![k].w = @ \cup {p}]
            /\ push' = Registered(p, k)
    /\ broken' = broken
            \cup (IF ~serve /\ Has(p, k) /\ takesStale THEN {"I7"} ELSE {})
            \cup (IF StoodStill(p) THEN {"I5"} ELSE {})
    /\ NoFault
    /\ UNCHANGED <<gen, time, snap, late, known, inv, floor>>

\* claim.lua 75-84: granted. The reply may be lost, and then the caller does not know.
ClaimGranted(p, k) ==
    LET c == rec[k]
        nonce == IF Mutation = "countedNonce" THEN StoredFence(c) + 1
                 ELSE IF pc[p] = "unsure" THEN right[p].nonce
                 ELSE now + 1
        fence == IF Mutation = "countedNonce" THEN nonce ELSE Fence(c)
    IN  /\ ~Fresh(p, k) /\ ~OwnAlready(p, k) /\ ~Lasts(p, k)
        /\ rec' = [rec EXCEPT ![k].l = [nonce |-> nonce, fence |-> fence, gen |-> Generation(p), live |-> TRUE]]
        /\ right' = [right EXCEPT ![p] = [key |-> k, nonce |-> nonce, fence |-> fence, born |-> inv, stored |-> FALSE]]
        /\ at' = [at EXCEPT ![p] = k]
        /\ obs' = [q \in Procs |-> IF q = p \/ obs[q] = None THEN None ELSE IF at[q] = k THEN "moved" ELSE obs[q]]
        /\ push' = Registered(p, k)
        /\ \/ pc' = [pc EXCEPT ![p] = "creating"] /\ NoFault
           \/ pc' = [pc EXCEPT ![p] = "unsure"] /\ Fault("reply")
        /\ Number
        /\ Break("I4", c.l # None /\ c.l.live /\ c.l.gen >= Generation(p) /\ obs[p] # "still")
        /\ UNCHANGED <<gen, snap, late, known, inv, floor>>

Claim(p, k) ==
    \/ ClaimFresh(p, k)
    \/ ClaimRetried(p, k)
    \/ \E takesStale \in BOOLEAN : ClaimHeld(p, k, takesStale)
    \/ ClaimGranted(p, k)

\* A call begins, or looks again. It reads before it claims; the claim decides anew, so the read is left out.
Ask(p) ==
    \/ pc[p] = "idle" /\ \E k \in Keys : Claim(p, k)
    \/ pc[p] \in {"again", "unsure"} /\ Claim(p, at[p])

\* The reply "held" has come.
Park(p) ==
    /\ pc[p] = "told"
    /\ pc' = [pc EXCEPT ![p] = "waiting"]
    /\ NoFault
    /\ UNCHANGED <<rec, gen, time, snap, wire, at, right, obs, known, ghosts>>

\* The safety poll, or the end of the lease, whichever is first (Election.nextPoll).
TimerRings(p) ==
    /\ Timer /\ pc[p] = "waiting"
    /\ pc' = [pc EXCEPT ![p] = "again"]
    /\ NoFault
    /\ UNCHANGED <<rec, gen, time, snap, wire, at, right, obs, known, ghosts>>

\* Somebody runs under this lease, and renews it at a third of its length.
Kept(k) == LET l == rec[k].l IN \E p \in Procs : pc[p] = "creating" /\ at[p] = k /\ l # None /\ right[p].nonce = l.nonce

\* The lease was seen unchanged for 1.1 of its length by this JVM's own clock (RedisClaims.stoodStill). To think so of a
\* lease that is kept is a fault.
StandsStill(p) ==
    /\ pc[p] \in {"told", "waiting", "again"} /\ obs[p] = "seen"
    /\ obs' = [obs EXCEPT ![p] = "still"]
    /\ IF Kept(at[p]) THEN Fault("fast") ELSE NoFault
    /\ UNCHANGED <<rec, gen, time, snap, wire, calls, known, ghosts>>

\* A message comes in (Inbox.got, RedisPartition.pushed): a value ends the call, a hint has it look again. One that comes
\* before the reply "held" is heard as well, since the watch is older than the claim.
Receive(p) == \E x \in push[p] :
    LET open == pc[p] \in {"told", "waiting", "again"} /\ at[p] = x.key /\ ~(Mutation = "registerLate" /\ pc[p] = "told")
        takes == x.value /\ x.gen >= Max(known[p].hard, known[p].soft)
    IN  /\ push' = [push EXCEPT ![p] = @ \ {x}]
        /\ IF open /\ takes
           THEN End(p) /\ obs' = [obs EXCEPT ![p] = None] /\ Break("I3", x.early)
           ELSE /\ pc' = IF open THEN [pc EXCEPT ![p] = "again"] ELSE pc
                /\ UNCHANGED <<at, right, obs, broken>>
        /\ NoFault
        /\ UNCHANGED <<rec, gen, time, snap, late, known, inv, floor>>

----------------------------------------------------------------------------
(* The creator *)

\* renew.lua 13-20, at a third of the lease. Whether it is lost changes nothing: the creator runs on, and is refused.
Renew(p) ==
    LET k == at[p]
        l == rec[k].l
    IN  /\ pc[p] = "creating"
        /\ l # None /\ l.nonce = right[p].nonce /\ l.gen >= Generation(p)
        /\ rec' = [rec EXCEPT ![k].l.live = TRUE]
        /\ IF Mutation = "stealRenewed"
           THEN obs' = [q \in Procs |-> IF at[q] = k /\ obs[q] = "still" THEN "fooled" ELSE obs[q]]
           ELSE Moved(k)
        /\ NoFault
        /\ UNCHANGED <<gen, time, snap, wire, calls, known, ghosts>>

\* publish.lua, under the right r, with the generations that p knows.
DoPublish(p, r) ==
    LET k == r.key
        l == rec[k].l
        mine == l # None /\ l.nonce = r.nonce
        m == [fence |-> IF mine THEN l.fence ELSE r.fence, gen |-> IF l = None THEN Generation(p) ELSE l.gen,
              age |-> "fresh", born |-> r.born]
    IN  IF IF mine THEN Mutation = "expiredRefused" /\ ~l.live ELSE Mutation # "publishUnchecked"
        THEN UNCHANGED <<rec, push, obs, broken>>                \* 18-23: refused, or stored by an earlier try
        ELSE IF m.gen < Generation(p)
        THEN GiveBack(k, Look(k), TRUE) /\ Moved(k) /\ UNCHANGED broken    \* 24-28
        ELSE /\ Store(k, m)                                      \* 29-43
             /\ Moved(k)
             /\ broken' = broken
                    \cup (IF r.stored THEN {"I1"} ELSE {})
                    \cup (IF rec[k].m # None /\ rec[k].m.fence >= m.fence THEN {"I2"} ELSE {})

\* The creator has made its value. If the reply is lost, it publishes again.
Publish(p) ==
    LET l == rec[at[p]].l IN
    /\ pc[p] = "creating"
    /\ DoPublish(p, right[p])
    /\ \/ End(p) /\ NoFault
       \/ /\ Fault("reply")
          /\ right' = [right EXCEPT ![p].stored = @ \/ (l # None /\ l.nonce = right[p].nonce)]
          /\ UNCHANGED <<pc, at>>
    /\ UNCHANGED <<gen, time, snap, late, known, inv, floor>>

\* abandon.lua 12, 14, 26-28. What is noted of a failure (15-25), and the back-off (claim.lua 71-74), are left out.
DoAbandon(r) ==
    LET l == rec[r.key].l IN
    IF l # None /\ l.nonce = r.nonce
    THEN GiveBack(r.key, Look(r.key), Mutation # "noWake") /\ Moved(r.key)
    ELSE UNCHANGED <<rec, push, obs>>

\* The creator fails.
Throw(p) ==
    /\ pc[p] = "creating"
    /\ Fault("throw")
    /\ DoAbandon(right[p])
    /\ End(p)
    /\ UNCHANGED <<gen, time, snap, late, known, ghosts>>

\* The caller does not know whether it has a right, and gives it back behind (RedisPartition.giveBackLater), which may fail.
GiveUp(p) ==
    /\ pc[p] = "unsure"
    /\ DoAbandon(right[p]) \/ UNCHANGED <<rec, push, obs>>
    /\ End(p)
    /\ NoFault
    /\ UNCHANGED <<gen, time, snap, late, known, ghosts>>

\* The publication is on the wire, its caller has gone on; the right is given back behind, or that is lost, too.
LeaveLate(p) ==
    /\ pc[p] = "creating"
    /\ Fault("late")
    /\ late' = late \cup {right[p]}
    /\ DoAbandon(right[p]) \/ UNCHANGED <<rec, push, obs>>
    /\ End(p)
    /\ UNCHANGED <<gen, time, snap, known, ghosts>>

\* It arrives; whose generations go with it does not matter.
PublishLate == \E r \in late, p \in Procs :
    /\ DoPublish(p, r)
    /\ late' = late \ {r}
    /\ NoFault
    /\ UNCHANGED <<gen, time, snap, calls, known, inv, floor>>

----------------------------------------------------------------------------
(* Time *)

\* A lease is over. While it is kept, that is a fault.
LeaseEnds(k) ==
    /\ ClockRuns /\ rec[k].l # None /\ rec[k].l.live
    /\ rec' = [rec EXCEPT ![k].l.live = FALSE]
    /\ IF Kept(k) THEN Fault("pause") ELSE NoFault
    /\ UNCHANGED <<gen, time, snap, wire, calls, obs, known, ghosts>>

\* The record's own end: after the linger of the lease and the hard life of the value (claim.lua 80-83, publish.lua 34).
RecordEnds(k) ==
    LET c == rec[k] IN
    /\ ClockRuns /\ c # Empty
    /\ c.m # None => c.m.age = "expired"
    /\ c.l # None => ~c.l.live
    /\ rec' = [rec EXCEPT ![k] = Empty]
    /\ Moved(k)
    /\ NoFault
    /\ UNCHANGED <<gen, time, snap, wire, calls, known, ghosts>>

Age(k) ==
    /\ rec[k].m # None
    /\ \/ rec[k].m.age = "fresh" /\ Fault("age") /\ rec' = [rec EXCEPT ![k].m.age = "stale"]
       \/ rec[k].m.age # "expired" /\ Fault("expire") /\ rec' = [rec EXCEPT ![k].m.age = "expired"]
    /\ UNCHANGED <<gen, time, snap, wire, calls, obs, known, ghosts>>

----------------------------------------------------------------------------
(* What others do, and what goes wrong *)

\* put.lua 15-34
Put(p, k) ==
    LET m == [fence |-> Fence(rec[k]), gen |-> Generation(p), age |-> "fresh", born |-> inv] IN
    /\ pc[p] # "crashed"
    /\ Fault("put")
    /\ Store(k, m)
    /\ Moved(k)
    /\ Number
    /\ Break("I2", rec[k].m # None /\ rec[k].m.fence >= m.fence)
    /\ UNCHANGED <<gen, snap, late, calls, known, inv, floor>>

\* invalidate.lua 8-18
Invalidate(k) ==
    LET c == rec[k] IN
    /\ \/ /\ Fault("invalidate")                       \* 10-11
          /\ rec' = [rec EXCEPT ![k] = IF Mutation = "leaseKept" THEN [@ EXCEPT !.m = None, !.w = {}] ELSE Empty]
          /\ inv' = inv + 1
          /\ floor' = [floor EXCEPT ![k] = inv + 1]
       \/ /\ Fault("soften")                           \* 12-16; without a value as above
          /\ rec' = [rec EXCEPT ![k] =
                IF c.m = None THEN Empty
                ELSE [m |-> IF c.m.age = "fresh" THEN [c.m EXCEPT !.age = "stale"] ELSE c.m, l |-> None, w |-> {}]]
          /\ UNCHANGED <<inv, floor>>
    /\ Moved(k)
    /\ Tell(c.w, Look(k))
    /\ UNCHANGED <<gen, time, snap, late, calls, known, broken>>

\* generation.lua 5-20 with HARD or SOFT; the JVM that does it knows at once.
InvalidateRegion(p) ==
    LET g == Newer(known[p], gen)
        next == Max(Clock, Max(g.hard, g.soft) + 1)
    IN  /\ pc[p] # "crashed"
        /\ \/ /\ Fault("region")
              /\ gen' = [g EXCEPT !.hard = next]
              /\ inv' = inv + 1
              /\ floor' = [k \in Keys |-> inv + 1]
           \/ /\ Fault("regionSoft")
              /\ gen' = [g EXCEPT !.soft = next]
              /\ UNCHANGED <<inv, floor>>
        /\ known' = [known EXCEPT ![p] = gen']
        /\ Number
        /\ UNCHANGED <<rec, snap, wire, calls, obs, broken>>

\* generation.lua with KEEP, each second, or a message of another: what one side has lost, the other tells it.
Learn(p) ==
    LET g == Newer(known[p], gen) IN
    /\ pc[p] # "crashed"
    /\ known' = [known EXCEPT ![p] = g]
    /\ gen' = g
    /\ NoFault
    /\ UNCHANGED <<rec, time, snap, wire, calls, obs, ghosts>>

Crash(p) ==
    /\ pc[p] # "crashed"
    /\ Fault("crash")
    /\ pc' = [pc EXCEPT ![p] = "crashed"]
    /\ at' = [at EXCEPT ![p] = None]
    /\ right' = [right EXCEPT ![p] = None]
    /\ obs' = [obs EXCEPT ![p] = None]
    /\ known' = [known EXCEPT ![p] = NoGen]
    /\ push' = [push EXCEPT ![p] = {}]
    /\ UNCHANGED <<rec, gen, time, snap, late, ghosts>>

PushLost(p) == \E x \in push[p] :
    /\ Fault("push")
    /\ push' = [push EXCEPT ![p] = @ \ {x}]
    /\ UNCHANGED <<rec, gen, time, snap, late, calls, obs, known, ghosts>>

Evict(k) ==
    /\ rec[k] # Empty
    /\ Fault("evict")
    /\ rec' = [rec EXCEPT ![k] = Empty]
    /\ Moved(k)
    /\ UNCHANGED <<gen, time, snap, wire, calls, known, ghosts>>

AllMoved == obs' = [p \in Procs |-> IF obs[p] = None THEN None ELSE "moved"]

Flush ==
    /\ Fault("flush")
    /\ rec' = [k \in Keys |-> Empty]
    /\ gen' = NoGen
    /\ AllMoved
    /\ UNCHANGED <<time, snap, wire, calls, known, ghosts>>

\* A replica has this state, and gets no further before the master is gone.
Snapshot ==
    /\ "failover" \in Faults /\ faults < MaxFaults /\ snap = None
    /\ snap' = [rec |-> rec, gen |-> gen, floor |-> floor]
    /\ NoFault
    /\ UNCHANGED <<rec, gen, time, wire, calls, obs, known, ghosts>>

\* What the master alone had is lost, invalidations too, and the messages on their way. A publication that is lost was none.
Failover ==
    /\ snap # None
    /\ Fault("failover")
    /\ rec' = snap.rec /\ gen' = snap.gen /\ floor' = snap.floor
    /\ snap' = None
    /\ push' = [p \in Procs |-> {}]
    /\ AllMoved
    /\ right' = [p \in Procs |->
            IF right[p] = None THEN None
            ELSE LET l == snap.rec[right[p].key].l
                 IN  IF l # None /\ l.nonce = right[p].nonce THEN [right[p] EXCEPT !.stored = FALSE] ELSE right[p]]
    /\ UNCHANGED <<time, late, pc, at, known, inv, broken>>

ClockBack ==
    /\ ~setBack
    /\ Fault("clock")
    /\ setBack' = TRUE
    /\ UNCHANGED <<rec, gen, now, snap, wire, calls, obs, known, ghosts>>

----------------------------------------------------------------------------

Run(p) == Ask(p) \/ Park(p) \/ TimerRings(p) \/ Receive(p) \/ Publish(p) \/ GiveUp(p)

Next ==
    \/ \E p \in Procs :
        \/ Run(p) \/ Renew(p) \/ StandsStill(p) \/ Learn(p)
        \/ Throw(p) \/ LeaveLate(p) \/ Crash(p) \/ PushLost(p)
        \/ InvalidateRegion(p)
        \/ \E k \in Keys : Put(p, k)
    \/ \E k \in Keys : LeaseEnds(k) \/ RecordEnds(k) \/ Age(k) \/ Invalidate(k) \/ Evict(k)
    \/ PublishLate \/ Flush \/ Snapshot \/ Failover \/ ClockBack

Spec == Init /\ [][Next]_vars

\* Nothing that is not a fault is put off for ever.
Fair ==
    /\ \A p \in Procs :
        /\ WF_vars(Run(p) /\ NoFault)
        /\ WF_vars(StandsStill(p) /\ NoFault)
        /\ WF_vars(Learn(p))
    /\ \A k \in Keys : WF_vars(LeaseEnds(k) /\ NoFault)

FairSpec == Spec /\ Fair

Same == Permutations(Procs) \cup Permutations(Keys)

----------------------------------------------------------------------------
(* The invariants. A step that breaks one of I1, I2, I4, I5, I7 says so; the others are seen in the state. *)

\* Accepted publications have different nonces: none is stored twice, and each was granted on this timeline.
I1 == "I1" \notin broken

\* Fences of the values that are stored one after the other in a record grow.
I2 == "I2" \notin broken

\* No value whose creation began before the last hard invalidation of its key can be read after it, nor is it pushed to who asked after it.
I3 ==
    /\ "I3" \notin broken
    /\ \A k \in Keys : LET m == rec[k].m IN
        m # None /\ m.age # "expired" /\ m.gen >= gen.hard => m.born >= floor[k]

\* A right is granted only where no other lasts: one lease with time left for each record and timeline.
I4 == "I4" \notin broken

\* Untimed form of "a wait is over one lease after the last sign of life": who waits observes the lease it waits for,
\* and who saw it stand still is never told again that it is held.
I5 ==
    /\ "I5" \notin broken
    /\ \A p \in Procs : pc[p] = "waiting" => obs[p] # None

\* Nobody is parked with neither a timer, nor a lease that lasts, nor a message on its way.
I6 == \A p \in Procs : pc[p] = "waiting" =>
    \/ Timer
    \/ rec[at[p]].l # None /\ rec[at[p]].l.live
    \/ \E x \in push[p] : x.key = at[p]

\* Untimed form of "a read that takes a stale value returns within one round trip": it is never parked while there is one.
I7 == "I7" \notin broken

\* Faults end, since they are counted; then each key has one fresh value, no lease and nobody to wake.
Settled(k) == LET c == rec[k] IN
    /\ c.m # None /\ c.m.age = "fresh" /\ c.m.gen >= Max(gen.hard, gen.soft)
    /\ c.l = None /\ c.w = {}
I9 == <>[](\A k \in Keys : Settled(k) \/ \A p \in Procs : pc[p] = "crashed")
=============================================================================

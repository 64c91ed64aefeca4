package io.dogpile.core;

/** How races of a simulated schedule may end, and how not. */
enum Outcome {
    FRESH_AT_ONCE(Grade.ACCEPTABLE, "a fresh value was there"),
    CREATED(Grade.ACCEPTABLE, "elected, created, got its own value"),
    STALE_AT_ONCE(Grade.ACCEPTABLE, "stale, and another creates"),

    WAITED_AND_GOT_THE_VALUE(Grade.INTERESTING, "followed a flight that landed with a value"),
    WAITED_AND_WAS_OFFERED_STALE(Grade.INTERESTING, "the leader found a stale value for all"),
    STALE_ON_FAILURE(Grade.INTERESTING, "the creation failed inside the stale window"),
    STALE_AFTER_SOFT_TIMEOUT(Grade.INTERESTING, "handed over, the executor was slower than the soft timeout"),
    VALUE_WITHIN_SOFT_TIMEOUT(Grade.INTERESTING, "handed over, and waited for"),
    FAILURE_SHARED(Grade.INTERESTING, "another caller's creation failed, and this one got the same failure"),
    OWN_FAILURE(Grade.INTERESTING, "the creation of the elected caller failed"),
    BACKED_OFF(Grade.INTERESTING, "failures in a row"),
    HARD_TIMEOUT(Grade.INTERESTING, "nothing to serve within the hard timeout"),
    INTERRUPTED(Grade.INTERESTING, "interrupted while it waited"),
    INTERRUPTED_AND_SERVED(Grade.INTERESTING, "interrupted while it waited, with a value at hand"),
    CREATOR_INTERRUPTED(Grade.INTERESTING, "the creator was told to stop: the others elect anew"),
    CANCELLED_LEADER(Grade.INTERESTING, "a leader was cancelled: the next one leads"),
    CANCELLED_CREATOR(Grade.INTERESTING, "an elected caller was cancelled: its creation goes on"),
    CANCELLED_FOLLOWER(Grade.INTERESTING, "a follower was cancelled"),
    CREATED_WHILE_STORE_DOWN(Grade.INTERESTING, "created without a right, by the policy"),
    FAILED_WHILE_STORE_DOWN(Grade.INTERESTING, "refused, by the policy"),
    SECOND_LOOK_FOUND_A_VALUE(Grade.INTERESTING, "another published between the first look and the right"),
    LEASE_RENEWED(Grade.INTERESTING, "a third of the lease passed while the creator ran"),
    LEASE_LOST(Grade.INTERESTING, "a lease ended while its creator ran"),
    CREATED_BESIDE_A_LOST_LEASE(Grade.INTERESTING, "two creators run, one of them without a lease"),
    LATE_PUBLISH_SUPERSEDED(Grade.INTERESTING, "a successor was stored first"),
    LATE_PUBLISH_VOIDED(Grade.INTERESTING, "invalidated, or the right lost, and nothing stored since"),
    PUBLISH_NOT_KNOWN(Grade.INTERESTING, "the store failed while it wrote"),
    OVERDUE(Grade.INTERESTING, "a creation took longer than it may, and the name went to others"),
    OVERDUE_IN_THE_QUEUE(Grade.INTERESTING, "a refresh waited in the executor's queue until the name went to others"),
    REFRESH_REJECTED(Grade.INTERESTING, "the executor refused: stale is served"),
    EARLY_REFRESH(Grade.INTERESTING, "drawn before its time"),
    OLD_VALUE_TO_AN_EARLIER_CALLER(Grade.INTERESTING, "invalidated while this caller waited for it"),
    OLD_VALUE_ACROSS_JVMS(Grade.INTERESTING, "invalidated in another JVM, whose news had not come"),
    PUSHED(Grade.INTERESTING, "the store pushed the value that was waited for"),
    PUSH_LOST(Grade.INTERESTING, "a push was lost, the poll stands behind it"),
    HANDED_ON_AND_NOT_KEPT(Grade.INTERESTING, "a value that is not to be stored reached those who waited"),
    DRAFT_FAILED(Grade.INTERESTING, "the user's drafting threw"),

    TWO_UNDER_ONE_LEASE(Grade.FORBIDDEN, "two creations under one live lease or one right"),
    TWO_AT_ONCE_IN_A_JVM(Grade.FORBIDDEN, "two creations of a name in one JVM without a reason"),
    CREATED_OVER_A_FRESH_VALUE(Grade.FORBIDDEN, "created although a fresh value was there when the right was granted"),
    CREATED_WITHOUT_A_RIGHT(Grade.FORBIDDEN, "created without a right although the store answered"),
    CREATED_FOR_A_DEADLINE(Grade.FORBIDDEN, "a waiter whose time was up did anything but end"),
    NOT_WOKEN(Grade.FORBIDDEN, "asleep, though there is something for it"),
    NOBODY_LEADS(Grade.FORBIDDEN, "asleep in a flight in which nobody leads or creates"),
    NO_TIMER(Grade.FORBIDDEN, "asleep beyond its time"),
    NEVER_ENDS(Grade.FORBIDDEN, "callers are left with nothing that could wake them, or for ever busy"),
    LEFT_IN_THE_QUEUE(Grade.FORBIDDEN, "ended, and still in the queue of a flight"),
    STALE_CALLER_WAITS(Grade.FORBIDDEN, "waits although it was shown a value that will do"),
    FAILURE_NOT_SHARED(Grade.FORBIDDEN, "those who waited did not get the failure of the creation"),
    RIGHT_RELEASED_WHILE_IN_USE(Grade.FORBIDDEN, "given back while its creator ran in time"),
    RIGHT_RELEASED_TWICE(Grade.FORBIDDEN, "given back more than once"),
    RIGHT_NEVER_RELEASED(Grade.FORBIDDEN, "neither published nor given back"),
    RETURNED_BUT_NEVER_CREATED(Grade.FORBIDDEN, "a value that no creator had returned"),
    OLD_VALUE_AFTER_INVALIDATION(Grade.FORBIDDEN, "began after an invalidation, got a value begun before it"),
    TOO_OLD(Grade.FORBIDDEN, "got a value that was not good enough at any time of its call"),
    LATE_WRITE(Grade.FORBIDDEN, "a late publish overwrote a successor, or undid an invalidation"),
    UNKNOWN_FAILURE(Grade.FORBIDDEN, "ended with a failure that nothing explains"),
    LEFT_BEHIND(Grade.FORBIDDEN, "a flight, an alarm or a watch outlived all callers"),
    NAME_STUCK(Grade.FORBIDDEN, "a caller who came alone afterwards got no value");

    /** What to make of it. */
    enum Grade {
        ACCEPTABLE,
        /** Acceptable, and rare enough that a test which never saw it has not looked. */
        INTERESTING,
        FORBIDDEN
    }

    final Grade grade;
    final String why;

    Outcome(Grade grade, String why) {
        this.grade = grade;
        this.why = why;
    }
}

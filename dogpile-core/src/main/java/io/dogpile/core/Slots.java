package io.dogpile.core;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The slots of many names, for stores that can do several in one round trip. Each verb has a default that asks one slot
 * after the other.
 *
 * <p>Thread-safe. What {@link Slot} says of its verbs holds here: none waits for a creation, and one that throws says
 * "not known", of all names that it was asked for.
 *
 * @param <N> the type of the names
 * @param <V> the type of the values
 */
public interface Slots<N, V> {
    /**
     * The slot of one name.
     *
     * @param name the name
     * @return its slot
     */
    Slot<V> slot(N name);

    /**
     * Reads several values.
     *
     * @param names the names, each once
     * @return what is there, for each name
     * @throws Exception if it is not known what is there
     */
    default Map<N, Slot.Seen<V>> readAll(Collection<N> names) throws Exception {
        Map<N, Slot.Seen<V>> seen = new LinkedHashMap<>();
        for (N name : names) {
            seen.put(name, slot(name).read());
        }
        return seen;
    }

    /**
     * Claims the right to create several values, each on what was seen of it.
     *
     * @param asked what is asked, for each name
     * @return the answer, for each name
     * @throws Exception if it is not known what was granted; what is known to be has been given back then
     */
    default Map<N, Slot.Claim<V>> claimAll(Map<N, Asked<V>> asked) throws Exception {
        Map<N, Slot.Claim<V>> claims = new LinkedHashMap<>();
        try {
            for (Map.Entry<N, Asked<V>> each : asked.entrySet()) {
                claims.put(
                        each.getKey(),
                        each.getValue().seen().claim(each.getValue().wish()));
            }
        } catch (Throwable notKnown) {
            giveBack(claims, notKnown);
            throw notKnown;
        }
        return claims;
    }

    private static <N, V> void giveBack(Map<N, Slot.Claim<V>> claims, Throwable why) {
        Map<N, Slot.Grant<V>> granted = new LinkedHashMap<>();
        claims.forEach((name, claim) -> {
            if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                granted.put(name, claim.grant());
            }
        });
        try {
            new EachGrant<>(granted).abandonAll(null);
        } catch (Exception notGivenBack) {
            if (notGivenBack != why) {
                why.addSuppressed(notGivenBack);
            }
        }
    }

    /**
     * The rights of one batch, to be kept, used and given back together.
     *
     * @param grants the rights, as {@link #claimAll} granted them
     * @return the same rights
     */
    default Grants<N, V> together(Map<N, Slot.Grant<V>> grants) {
        return new EachGrant<>(grants);
    }

    /**
     * One name's part of {@link #claimAll}.
     *
     * @param <V> the type of the value
     * @param seen what was seen
     * @param wish what the caller wants
     */
    record Asked<V>(Slot.Seen<V> seen, Slot.Wish wish) {}

    /**
     * The rights of one batch. Thread-safe; ended by {@link #publishAll} or {@link #abandonAll}.
     *
     * @param <N> the type of the names
     * @param <V> the type of the values
     */
    interface Grants<N, V> {
        /**
         * For how long the rights last unless they are renewed.
         *
         * @return the shortest of their leases; zero if none ends by time
         */
        Duration lease();

        /**
         * Makes all rights last for another lease.
         *
         * @return the names whose right is lost
         * @throws Exception if it is not known which were renewed
         */
        Set<N> renewAll() throws Exception;

        /**
         * Stores the values and ends the rights; the right to a name without a draft is given back.
         *
         * @param drafts the values
         * @return what became of each draft; a store that failed for one name answers
         *     {@link Slot.Published.Outcome#UNKNOWN} for it, with the trouble
         * @throws Exception if the store failed for all
         */
        Map<N, Slot.Published<V>> publishAll(Map<N, Slot.Draft<V>> drafts) throws Exception;

        /**
         * Gives all rights back without values.
         *
         * @param cause what the creator threw, or null if no creator ran
         * @throws Exception if it is not known whether all were given back
         */
        void abandonAll(@Nullable Throwable cause) throws Exception;
    }

    /**
     * Makes the values of several names in one call.
     *
     * @param <N> the type of the names
     * @param <V> the type of the values
     */
    @FunctionalInterface
    interface Creator<N, V> {
        /**
         * Creates the values.
         *
         * @param names the names to create, each once, in the order in which the caller asked; unmodifiable
         * @return the values by name. A name that is left out has no value and is not cached; a null is a value; other
         *     names are ignored
         * @throws Exception if no value could be made
         */
        Map<N, ? extends V> create(Set<N> names) throws Exception;
    }
}

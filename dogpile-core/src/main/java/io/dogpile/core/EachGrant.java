package io.dogpile.core;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rights of a batch, one after the other. What fails for one name does not keep the others from their turn. */
final class EachGrant<N, V> implements Slots.Grants<N, V> {
    private final Map<N, Slot.Grant<V>> grants;

    EachGrant(Map<N, Slot.Grant<V>> grants) {
        this.grants = new LinkedHashMap<>(grants);
    }

    @Override
    public Duration lease() {
        return grants.values().stream()
                .map(Slot.Grant::lease)
                .filter(lease -> !lease.isZero())
                .min(Duration::compareTo)
                .orElse(Duration.ZERO);
    }

    @Override
    public Set<N> renewAll() throws Exception {
        Set<N> lost = new LinkedHashSet<>();
        Exception notKnown = null;
        for (Map.Entry<N, Slot.Grant<V>> each : grants.entrySet()) {
            try {
                if (!each.getValue().renew()) {
                    lost.add(each.getKey());
                }
            } catch (Exception e) {
                notKnown = firstOf(notKnown, e);
            }
        }
        if (notKnown != null && lost.isEmpty()) {
            throw notKnown;
        }
        return lost;
    }

    @Override
    public Map<N, Slot.Published<V>> publishAll(Map<N, Slot.Draft<V>> drafts) {
        Map<N, Slot.Published<V>> published = new LinkedHashMap<>();
        grants.forEach((name, grant) -> {
            Slot.Draft<V> draft = drafts.get(name);
            try {
                if (draft != null) {
                    published.put(name, grant.publish(draft));
                } else {
                    grant.abandon(null);
                }
            } catch (Exception e) {
                published.put(name, new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, e));
            }
        });
        return published;
    }

    @Override
    public void abandonAll(@Nullable Throwable cause) throws Exception {
        Exception notGivenBack = null;
        for (Slot.Grant<V> grant : grants.values()) {
            try {
                grant.abandon(cause);
            } catch (Exception e) {
                notGivenBack = firstOf(notGivenBack, e);
            }
        }
        if (notGivenBack != null) {
            throw notGivenBack;
        }
    }

    private static Exception firstOf(@Nullable Exception first, Exception next) {
        if (first == null) {
            return next;
        }
        if (first != next) {
            first.addSuppressed(next);
        }
        return first;
    }
}

package io.dogpile.redis;

import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rights of one batch: each verb is one round trip for each node of the server. */
final class RedisRights<V> implements Slots.Grants<Object, V> {
    private final RedisPartition<V> partition;
    private final Map<Object, RedisRight<V>> rights;

    RedisRights(RedisPartition<V> partition, Map<Object, RedisRight<V>> rights) {
        this.partition = partition;
        this.rights = rights;
    }

    @Override
    public Duration lease() {
        return partition.lease();
    }

    @Override
    public Set<Object> renewAll() {
        List<Server.Answer> answers = partition
                .server()
                .sendAll(rights.values().stream().map(RedisRight::renewing).toList());
        Set<Object> lost = new LinkedHashSet<>();
        int next = 0;
        for (Object key : rights.keySet()) {
            if (!RedisRight.isRenewed(answers.get(next++).list())) {
                lost.add(key);
            }
        }
        return lost;
    }

    @Override
    public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) {
        Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
        Map<Object, RedisRight<V>.Writing> writings = new LinkedHashMap<>();
        List<Server.Command> commands = new ArrayList<>();
        rights.forEach((key, right) -> {
            Slot.Draft<V> draft = drafts.get(key);
            if (draft == null) {
                commands.add(right.abandoning(null));
                return;
            }
            RedisRight<V>.Writing writing = right.writing(draft);
            if (writing.command == null) {
                published.put(key, right.unstored(writing));
            } else {
                writings.put(key, writing);
            }
        });
        int next = commands.size();
        writings.values().forEach(one -> commands.add(Objects.requireNonNull(one.command)));
        long sent = partition.now();
        List<Server.Answer> answers;
        try {
            answers = partition.server().sendAll(commands);
        } catch (RuntimeException notKnown) {
            rights.values().forEach(RedisRight::unanswered);
            throw notKnown;
        }
        for (Map.Entry<Object, RedisRight<V>.Writing> each : writings.entrySet()) {
            RedisRight<V> right = Objects.requireNonNull(rights.get(each.getKey()));
            published.put(each.getKey(), published(right, each.getValue(), answers.get(next++), sent));
        }
        return published;
    }

    private static <V> Slot.Published<V> published(
            RedisRight<V> right, RedisRight<V>.Writing writing, Server.Answer answer, long sent) {
        if (answer.failure() != null) {
            right.unanswered();
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, answer.failure());
        }
        return right.published(writing, answer.list(), sent);
    }

    @Override
    public void abandonAll(@Nullable Throwable cause) {
        List<Server.Command> commands = rights.values().stream()
                .filter(right -> !right.isUnknown())
                .map(right -> right.abandoning(cause))
                .toList();
        partition.server().sendAll(commands).forEach(Server.Answer::orThrow);
    }
}

package io.dogpile.redis;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A right: its nonce decides, its fence numbers it.
 *
 * <pre>
 *   HELD ──published, or refused──► ENDED
 *     └─────no answer─────────────► UNKNOWN
 * </pre>
 */
final class RedisRight<V> implements Slot.Grant<V> {
    /** What is known of it here. */
    enum State {
        HELD,
        ENDED,
        UNKNOWN
    }

    private final RedisPartition<V> partition;
    private final RecordName name;
    private final RedisSight<V> seen;
    private final String nonce;
    private final long fence;
    private volatile State state = State.HELD;

    RedisRight(RedisPartition<V> partition, RedisSight<V> seen, String nonce, long fence) {
        this.partition = partition;
        this.name = seen.name();
        this.seen = seen;
        this.nonce = nonce;
        this.fence = fence;
    }

    @Override
    public long fencingToken() {
        return fence;
    }

    @Override
    public Duration lease() {
        return partition.lease();
    }

    @Override
    public boolean renew() {
        return isRenewed((List<?>) Objects.requireNonNull(partition.server().send(renewing())));
    }

    Server.Command renewing() {
        return partition.commands().renew(name, nonce);
    }

    static boolean isRenewed(List<?> reply) {
        return (Long) reply.get(0) == 1;
    }

    @Override
    public Slot.Published<V> publish(Slot.Draft<V> draft) {
        if (state == State.ENDED) {
            return new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }
        Writing writing = writing(draft);
        Server.Command command = writing.command;
        if (command == null) {
            return unstored(writing);
        }
        long sent = partition.now();
        try {
            return published(
                    writing, (List<?>) Objects.requireNonNull(partition.server().send(command)), sent);
        } catch (RuntimeException notKnown) {
            unanswered();
            throw notKnown;
        }
    }

    /** A draft as it will be sent; without a command if it cannot be written. */
    final class Writing {
        private final boolean keep;
        private final Envelope.Stamps stamps;
        private final @Nullable V value;
        private final @Nullable Exception trouble;
        final Server.@Nullable Command command;

        private Writing(Slot.Draft<V> draft, boolean keep) {
            this.keep = keep;
            this.stamps = partition.stamps(fence, draft);
            this.value = draft.value();
            Server.Command written = null;
            Exception notWritten = null;
            try {
                byte[] envelope = partition.written(name, stamps, value);
                written = partition.commands().publish(name, nonce, fence, stamps, envelope, keep);
            } catch (Exception e) {
                notWritten = e;
            }
            this.command = written;
            this.trouble = notWritten;
        }
    }

    Writing writing(Slot.Draft<V> draft) {
        return new Writing(draft, draft.keep() && !seen.isNewerWriters());
    }

    Slot.Published<V> unstored(Writing writing) {
        partition.giveBackLater(name, nonce);
        return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, writing.trouble);
    }

    /** It is not known what the server did. Given back behind, else who waits would wait for the whole lease. */
    void unanswered() {
        state = State.UNKNOWN;
        partition.giveBackLater(name, nonce);
    }

    Slot.Published<V> published(Writing writing, List<?> reply, long sent) {
        state = State.ENDED;
        partition.answered(name, sent, (Long) reply.get(1));
        RedisRecord.Stamps stamps = RedisRecord.Stamps.parse((byte[]) reply.get(2));
        if ((Long) reply.get(0) == 0) {
            RedisSight<V> successor = partition.sight(name, stamps, (byte[]) reply.get(3), null);
            return successor.present()
                    ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, successor)
                    : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }
        if (!writing.keep || stamps == null) {
            return new Slot.Published<>(Slot.Published.Outcome.STORED, null);
        }
        ValueFormat.Result<V> result = new ValueFormat.Result<>(writing.stamps, writing.value, null);
        return new Slot.Published<>(Slot.Published.Outcome.STORED, partition.sightOf(name, stamps, result));
    }

    boolean isUnknown() {
        return state == State.UNKNOWN;
    }

    Server.Command abandoning(@Nullable Throwable cause) {
        return partition.commands().abandon(name, nonce, cause);
    }

    /** Where the publication was not answered the caller has waited enough, and this was done behind. */
    @Override
    public void abandon(@Nullable Throwable cause) {
        if (!isUnknown()) {
            partition.server().send(abandoning(cause));
        }
    }
}

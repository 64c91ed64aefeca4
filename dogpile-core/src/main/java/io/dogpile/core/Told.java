package io.dogpile.core;

import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a listener and the log. A listener that throws is logged and otherwise ignored; values are never logged. */
final class Told {
    private static final Logger LOG = LoggerFactory.getLogger("io.dogpile.core");

    private final DogpileListener listener;

    Told(DogpileListener listener) {
        this.listener = listener;
    }

    /** Whether there is a listener; saves the clock reads that only an event needs. */
    boolean isHeard() {
        return listener != DogpileListener.NONE;
    }

    void waits(Object name) {
        LOG.debug("'{}': no value yet, waiting for the creation that is under way", name);
    }

    void elected(Object name) {
        LOG.debug("'{}': elected, creating", name);
    }

    void creationElsewhere(Object name) {
        LOG.debug("'{}': a creation is under way elsewhere", name);
    }

    void createdMeanwhile(Object name) {
        LOG.debug("'{}': somebody else created the value meanwhile", name);
    }

    void handedOver(Object name) {
        LOG.debug("'{}': creation handed to the executor", name);
    }

    void released(Object name) {
        LOG.debug("'{}': the right to create was given back", name);
    }

    void created(Object name, long costNanos) {
        LOG.debug("'{}': created in {} ns", name, costNanos);
        tell(to -> to.created(name, Duration.ofNanos(costNanos)));
    }

    void failed(Object name, Throwable failure) {
        LOG.debug("'{}': the creator failed", name, failure);
        tell(to -> to.failed(name, failure));
    }

    void staleServed(Object name) {
        tell(to -> to.staleServed(name));
    }

    void waited(Object name, long nanos, DogpileListener.WaitOutcome outcome) {
        tell(to -> to.waited(name, Duration.ofNanos(nanos), outcome));
    }

    void duplicateCreation(Object name) {
        LOG.warn(
                "'{}': created twice: another value was stored while this one was made; is the lease shorter than"
                        + " the creation?",
                Names.render(name));
        tell(to -> to.duplicateCreation(name));
    }

    void leaseLost(Object name) {
        LOG.warn("'{}': the right to create was lost while the creator runs", Names.render(name));
        tell(to -> to.leaseLost(name));
    }

    void writeRefused(Object name, Slot.Published.Outcome outcome) {
        LOG.debug("'{}': the created value was not stored: {}", name, outcome);
        tell(to -> to.writeRefused(name, outcome));
    }

    void earlyRefresh(Object name) {
        tell(to -> to.earlyRefresh(name));
    }

    void backedOff(Object name, Duration retryAfter) {
        tell(to -> to.backedOff(name, retryAfter));
    }

    void storeDown(Object name, Throwable failure) {
        LOG.debug("'{}': the store or the lock failed", name, failure);
        tell(to -> to.storeDown(name, failure));
    }

    void refreshRejected(Object name, Throwable failure) {
        LOG.debug("'{}': the executor refused the creation", name, failure);
        tell(to -> to.refreshRejected(name, failure));
    }

    void stampFromTheFuture(Object name, Duration ahead) {
        LOG.debug("'{}': the value's stamp is {} ahead of this clock", name, ahead);
    }

    private void tell(Consumer<DogpileListener> event) {
        if (!isHeard()) {
            return;
        }
        try {
            event.accept(listener);
        } catch (Throwable e) {
            LOG.warn("A listener threw; the event is lost to it, nothing else is", e);
        }
    }
}

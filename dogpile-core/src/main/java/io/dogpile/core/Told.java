package io.dogpile.core;

import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells a listener and the log. A listener that throws is logged and otherwise ignored; values are never logged. */
final class Told {
    private final DogpileListener listener;
    private final String label;
    private final Logger log;

    /** Messages begin with the label, which may be empty. */
    Told(DogpileListener listener, String label, String logger) {
        this.listener = listener;
        this.label = label;
        this.log = LoggerFactory.getLogger(logger);
    }

    /** How a name appears in messages. */
    String render(Object name) {
        return label + "'" + Names.render(name) + "'";
    }

    /** Whether there is a listener; saves the clock reads that only an event needs. */
    boolean isHeard() {
        return listener != DogpileListener.NONE;
    }

    void waits(Object name) {
        log.debug("'{}': no value yet, waiting for the creation that is under way", name);
    }

    void elected(Object name) {
        log.debug("'{}': elected, creating", name);
    }

    void creationElsewhere(Object name) {
        log.debug("'{}': a creation is under way elsewhere", name);
    }

    void createdMeanwhile(Object name) {
        log.debug("'{}': somebody else created the value meanwhile", name);
    }

    void handedOver(Object name) {
        log.debug("'{}': creation handed to the executor", name);
    }

    void released(Object name) {
        log.debug("'{}': the right to create was given back", name);
    }

    void created(Object name, long costNanos) {
        log.debug("'{}': created in {} ns", name, costNanos);
        tell(to -> to.created(name, Duration.ofNanos(costNanos)));
    }

    void failed(Object name, Throwable failure) {
        log.debug("'{}': the creator failed", name, failure);
        tell(to -> to.failed(name, failure));
    }

    void hit(Object name) {
        if (isHeard()) {
            tell(to -> to.hit(name));
        }
    }

    void missed(Object name) {
        tell(to -> to.missed(name));
    }

    void staleServed(Object name) {
        tell(to -> to.staleServed(name));
    }

    void waited(Object name, long nanos, DogpileListener.WaitOutcome outcome) {
        tell(to -> to.waited(name, Duration.ofNanos(nanos), outcome));
    }

    void duplicateCreation(Object name) {
        log.warn(
                "'{}': created twice: another value was stored while this one was made; is the lease shorter than"
                        + " the creation?",
                Names.render(name));
        tell(to -> to.duplicateCreation(name));
    }

    void leaseLost(Object name) {
        log.warn("'{}': the right to create was lost while the creator runs", Names.render(name));
        tell(to -> to.leaseLost(name));
    }

    void writeRefused(Object name, Slot.Published.Outcome outcome) {
        log.debug("'{}': the created value was not stored: {}", name, outcome);
        tell(to -> to.writeRefused(name, outcome));
    }

    void earlyRefresh(Object name) {
        tell(to -> to.earlyRefresh(name));
    }

    void backedOff(Object name, Duration retryAfter) {
        tell(to -> to.backedOff(name, retryAfter));
    }

    void storeDown(Object name, Throwable failure) {
        log.debug("'{}': the store or the lock failed", name, failure);
        tell(to -> to.storeDown(name, failure));
    }

    void refreshRejected(Object name, Throwable failure) {
        log.debug("'{}': the executor refused the creation", name, failure);
        tell(to -> to.refreshRejected(name, failure));
    }

    void stampFromTheFuture(Object name, Duration ahead) {
        log.debug("'{}': the value's stamp is {} ahead of this clock", name, ahead);
    }

    private void tell(Consumer<DogpileListener> event) {
        if (!isHeard()) {
            return;
        }
        try {
            event.accept(listener);
        } catch (Throwable e) {
            log.warn("A listener threw; the event is lost to it, nothing else is", e);
        }
    }
}

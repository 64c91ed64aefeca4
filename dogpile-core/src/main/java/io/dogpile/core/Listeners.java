package io.dogpile.core;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Several listeners as one. One that throws is logged; the others hear the event all the same. */
final class Listeners implements DogpileListener {
    private static final Logger LOG = LoggerFactory.getLogger("io.dogpile.core");

    private final UnaryOperator<Object> names;
    private final DogpileListener[] all;

    Listeners(UnaryOperator<Object> names, DogpileListener... all) {
        this.names = names;
        this.all = all.clone();
    }

    private void tell(Consumer<DogpileListener> event) {
        for (DogpileListener one : all) {
            try {
                event.accept(one);
            } catch (Throwable e) {
                LOG.warn("A listener threw; the event is lost to it, nothing else is", e);
            }
        }
    }

    /** Without a lambda: the most frequent event, and nothing is allocated for it. */
    @Override
    public void hit(Object name) {
        Object shown = names.apply(name);
        for (DogpileListener one : all) {
            try {
                one.hit(shown);
            } catch (Throwable e) {
                LOG.warn("A listener threw; the event is lost to it, nothing else is", e);
            }
        }
    }

    @Override
    public void missed(Object name) {
        tell(to -> to.missed(names.apply(name)));
    }

    @Override
    public void created(Object name, Duration cost) {
        tell(to -> to.created(names.apply(name), cost));
    }

    @Override
    public void failed(Object name, Throwable failure) {
        tell(to -> to.failed(names.apply(name), failure));
    }

    @Override
    public void staleServed(Object name) {
        tell(to -> to.staleServed(names.apply(name)));
    }

    @Override
    public void waited(Object name, Duration time, WaitOutcome outcome) {
        tell(to -> to.waited(names.apply(name), time, outcome));
    }

    @Override
    public void duplicateCreation(Object name) {
        tell(to -> to.duplicateCreation(names.apply(name)));
    }

    @Override
    public void leaseLost(Object name) {
        tell(to -> to.leaseLost(names.apply(name)));
    }

    @Override
    public void writeRefused(Object name, Slot.Published.Outcome outcome) {
        tell(to -> to.writeRefused(names.apply(name), outcome));
    }

    @Override
    public void earlyRefresh(Object name) {
        tell(to -> to.earlyRefresh(names.apply(name)));
    }

    @Override
    public void backedOff(Object name, Duration retryAfter) {
        tell(to -> to.backedOff(names.apply(name), retryAfter));
    }

    @Override
    public void storeDown(Object name, Throwable failure) {
        tell(to -> to.storeDown(names.apply(name), failure));
    }

    @Override
    public void refreshRejected(Object name, Throwable failure) {
        tell(to -> to.refreshRejected(names.apply(name), failure));
    }

    @Override
    public void corruptEntry(Object name, String why) {
        tell(to -> to.corruptEntry(names.apply(name), why));
    }
}

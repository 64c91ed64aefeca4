package consumer;

import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.util.Optional;
import java.util.Set;

/** The published suite, extended by a stranger: compiled, not run. */
class OwnLocksTest extends LockProviderContract {
    @Override
    protected LockProvider provider() {
        return (name, leaseTime) -> Optional.empty();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of();
    }
}

package io.dogpile.cache.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which kind of servers the tests take. */
class ServerChoiceTest {
    private final ServerChoice choice = new ServerChoice("some-server", () -> true);

    @Test
    void nothingNamed_theFirstThereIs_inOrder() {
        assertThat(choose(null, ServerKind.values())).isEqualTo(ServerKind.DOCKER);
        assertThat(choose("", ServerKind.LOCAL, ServerKind.EMBEDDED)).isEqualTo(ServerKind.LOCAL);
        assertThat(choose(null, ServerKind.EMBEDDED)).isEqualTo(ServerKind.EMBEDDED);
    }

    @Test
    void nothingNamed_nothingLookedForAfterTheFirst() {
        assertThat(choice.choose(null, kind -> {
                    assertThat(kind).isEqualTo(ServerKind.DOCKER);
                    return true;
                }))
                .isEqualTo(ServerKind.DOCKER);
    }

    @Test
    void nothingThere_isAFailure_thatSaysWhatToInstall() {
        assertThatThrownBy(() -> choose(null))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("install some-server");
    }

    @Test
    void named_isTaken_thoughAnotherWouldComeFirst() {
        assertThat(choose("embedded", ServerKind.values())).isEqualTo(ServerKind.EMBEDDED);
        assertThat(choose("local", ServerKind.values())).isEqualTo(ServerKind.LOCAL);
    }

    @Test
    void named_butNotThere_isAFailure_andNoOtherIsTaken() {
        assertThatThrownBy(() -> choose("docker", ServerKind.LOCAL, ServerKind.EMBEDDED))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("dogpile.servers=docker");
    }

    @Test
    void unknownName_isAFailure_thatNamesTheKnown() {
        assertThatThrownBy(() -> choose("remote", ServerKind.values()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("dogpile.servers=remote is none of docker, local and embedded");
    }

    private ServerKind choose(String named, ServerKind... available) {
        return choice.choose(named, Set.of(available)::contains);
    }
}

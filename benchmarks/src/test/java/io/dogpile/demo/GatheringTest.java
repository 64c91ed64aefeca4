package io.dogpile.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class GatheringTest {
    private final Gathering gathering = new Gathering();

    @Test
    void callsOfSeveralJvms_areInTheOrderOfTheirEnds() {
        gathering.called(new Call(1, 0, "k", 0, 0, 20, Call.Outcome.WAITED));
        gathering.called(new Call(0, 0, "k", 0, 0, 10, Call.Outcome.CREATED));
        Run run = gathering.run("way", "", 5);
        assertThat(run.calls()).extracting(Call::end).containsExactly(10L, 20L);
        assertThat(run.jvms()).containsExactly(0, 1);
        assertThat(run.commands()).isEqualTo(5);
    }

    @Test
    void jvmThatDied_itsCreationAndItsCallsAreBrokenOff_andDoNotCountAsWaits() {
        gathering.begun(0, 1, 3);
        gathering.called(new Call(0, 0, "a", 0, 0, 5, Call.Outcome.FRESH));
        gathering.called(new Call(1, 0, "a", 0, 0, 7, Call.Outcome.WAITED));
        gathering.died(0, List.of("a", "b"));
        Run run = gathering.run("way", "", 0);
        assertThat(run.count(Call.Outcome.DIED)).isEqualTo(1);
        assertThat(run.calls()).extracting(Call::key).contains("b");
        assertThat(run.works()).singleElement().satisfies(work -> {
            assertThat(work.begin()).isEqualTo(3);
            assertThat(run.brokenOff(work)).isTrue();
        });
        assertThat(run.waits().max()).isEqualTo(7);
        assertThat(run.takeover(run.deaths().get(0))).isEmpty();
    }

    @Test
    void creationThatHadEnded_isNotBrokenOff() {
        gathering.begun(0, 1, 3);
        Work work = new Work(0, 1, 3, 4);
        gathering.worked(work);
        gathering.died(0, List.of());
        Run run = gathering.run("way", "", 0);
        assertThat(run.works()).containsExactly(work);
        assertThat(run.brokenOff(work)).isFalse();
    }

    @Test
    void firstCreator_isTheFirst() throws Exception {
        gathering.begun(2, 0, 1);
        gathering.begun(1, 0, 2);
        assertThat(gathering.firstCreator().get()).isEqualTo(2);
    }

    @Test
    void paceShared_allCallsAreDueAsBefore() {
        Load.Pace pace = Load.Pace.perSecond(100, 10);
        List<Load.Pace> shares = List.of(pace.share(0, 3), pace.share(1, 3), pace.share(2, 3));
        assertThat(shares).extracting(Load.Pace::calls).containsExactly(4, 3, 3);
        assertThat(shares).extracting(Load.Pace::first).containsExactly(0L, 10_000_000L, 20_000_000L);
        assertThat(shares).extracting(Load.Pace::pause).containsOnly(30_000_000L);
    }

    @Test
    void counts_surviveTheirLine() {
        Counts counts = new Counts(1, 2, 3, 4, 5, 6, 7);
        assertThat(Counts.parse(List.of(counts.line().split(" ")))).isEqualTo(counts);
        assertThat(counts.plus(counts)).isEqualTo(new Counts(2, 4, 6, 8, 10, 12, 14));
    }
}

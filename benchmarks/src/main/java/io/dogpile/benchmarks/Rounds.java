package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Crowd.Round;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The rounds of one contender, as medians over them. */
final class Rounds {
    final Contender contender;
    private final List<Round> rounds = new ArrayList<>();

    Rounds(Contender contender) {
        this.contender = contender;
    }

    void add(Round round) {
        rounds.add(round);
    }

    String title() {
        return contender.title();
    }

    double lagP50() {
        return median(round -> round.lagMillis(0.5));
    }

    double lagP99() {
        return median(round -> round.lagMillis(0.99));
    }

    /** Of the caller who returned last. */
    double lastLag() {
        return median(Round::lastLagMillis);
    }

    /** When the last caller returned, counted from the moment when all were let go. */
    double lastReturn() {
        return median(Round::lastMillis);
    }

    double creations() {
        return median(Round::creations);
    }

    int mostCreations() {
        return rounds.stream().mapToInt(Round::creations).max().orElse(0);
    }

    private double median(ToDoubleFunction<Round> figure) {
        return Table.median(rounds.stream().mapToDouble(figure).toArray());
    }
}

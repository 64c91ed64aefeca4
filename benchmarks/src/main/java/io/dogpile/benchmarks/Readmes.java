package io.dogpile.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The pages of the repository that show figures. What stands in them between the marks is written by the report alone. */
final class Readmes {
    /** The files of which the pages are made; they are committed with them. */
    static final String KEPT = "benchmarks/results";

    static final String TOP = "README.md";
    static final String OF_BENCHMARKS = "benchmarks/README.md";
    static final MarkedPart SUMMARY = new MarkedPart("summary");
    static final MarkedPart RUN = new MarkedPart("run");

    private Readmes() {}

    /**
     * Writes both pages.
     *
     * @param root of the repository
     * @param all what they show
     * @throws IllegalStateException if a page lacks its marks
     */
    static void write(Path root, List<Measured> all) throws IOException {
        write(root.resolve(TOP), SUMMARY, Summary.of(all));
        write(root.resolve(OF_BENCHMARKS), RUN, RunTables.of(all));
    }

    private static void write(Path page, MarkedPart part, String text) throws IOException {
        Files.writeString(page, part.replacedIn(Files.readString(page), text));
        System.out.println(page.toAbsolutePath());
    }
}

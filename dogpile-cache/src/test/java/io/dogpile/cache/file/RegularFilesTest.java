package io.dogpile.cache.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.core.testing.FakeTime;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegularFilesTest {
    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();
    private final RegularFiles regular = new RegularFiles(time);

    private File file(String name) throws IOException {
        return Files.writeString(directory.resolve(name), "text").toFile();
    }

    @Test
    void whatIsNone_isLookedAtEachTime() throws Exception {
        File later = directory.resolve("later").toFile();
        assertThat(regular.isOne(later)).isFalse();
        assertThat(regular.isOne(directory.toFile())).isFalse();

        file("later");

        assertThat(regular.isOne(later)).isTrue();
    }

    @Test
    void oneThatIsReplaced_isSeenToBe_aSecondLater() throws Exception {
        File file = file("name");
        assertThat(regular.isOne(file)).isTrue();
        Files.delete(file.toPath());
        Files.createDirectory(file.toPath());

        assertThat(regular.isOne(file)).as("not looked at again").isTrue();
        time.advance(Duration.ofSeconds(1));
        assertThat(regular.isOne(file)).isFalse();
    }

    @Test
    void twoNames_areNotTakenForEachOther() throws Exception {
        for (int i = 0; i < 100; i++) {
            assertThat(regular.isOne(file("file" + i))).isTrue();
            assertThat(regular.isOne(directory.resolve("none" + i).toFile())).isFalse();
        }
    }
}

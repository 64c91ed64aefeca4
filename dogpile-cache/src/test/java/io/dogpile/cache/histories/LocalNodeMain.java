package io.dogpile.cache.histories;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.ProxyBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.file.FileBackend;
import io.dogpile.cache.processes.NodeMain;
import io.dogpile.core.Slot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A node on a store without a server.
 *
 * <pre>
 *   memory          its own memory
 *   few:3           its own memory, of so many entries
 *   files:PATH      a directory
 *   broken:PATH     a directory, to which each creation is written whoever has the right
 * </pre>
 */
final class LocalNodeMain implements NodeMain.Store {
    private final Backend backend;
    private final Runnable end;

    private LocalNodeMain(Backend backend, Runnable end) {
        this.backend = backend;
        this.end = end;
    }

    public static void main(String[] arguments) throws IOException {
        NodeMain.run(arguments, LocalNodeMain::open);
    }

    private static LocalNodeMain open(String where) {
        String[] words = where.split(":", 2);
        switch (words[0]) {
            case "memory":
                return new LocalNodeMain(MemoryBackend.create(), () -> {});
            case "few":
                return new LocalNodeMain(MemoryBackend.ofEntries(Long.parseLong(words[1])), () -> {});
            case "files":
                FileBackend files = FileBackend.in(Path.of(words[1]));
                return new LocalNodeMain(files, files::close);
            case "broken":
                FileBackend broken = FileBackend.in(Path.of(words[1]));
                return new LocalNodeMain(new WithoutAnOwner(broken), broken::close);
            default:
                throw new IllegalArgumentException(where);
        }
    }

    /** Publishes without asking whether the right is still there: what it writes first is a put, by another view of the store. */
    private static final class WithoutAnOwner extends ProxyBackend {
        private final Region<String, String> beside;

        WithoutAnOwner(FileBackend files) {
            super(files);
            beside = Region.<String, String>builder(HistoryNode.REGION)
                    .backend(files)
                    .serializer(Serializer.string())
                    .staleAfter(Duration.ofHours(1))
                    .expireAfter(Duration.ofHours(2))
                    .build();
        }

        @Override
        protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
            beside.put(key.toString(), String.valueOf(draft.value()));
            return draft;
        }
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public void close() {
        end.run();
    }
}

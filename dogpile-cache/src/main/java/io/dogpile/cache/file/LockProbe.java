package io.dogpile.cache.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program that tells whether a directory really locks: it has two processes ask for one byte range.
 *
 * <pre>{@code
 * java -cp ... io.dogpile.cache.file.LockProbe /mnt/share/cache
 * }</pre>
 *
 * <p>It says what it sees, and ends with 0 if the directory locks, 1 if it does not, and 2 if that could not be found out. It
 * leaves lock files behind. Both processes run on this machine: to know whether two machines exclude each other, run the program
 * with {@code hold} after the directory on one, and without on the other, which must then say that the range is held.
 *
 * <p>NFS version 3 locks through a service beside it, and a mount with {@code nolock} or {@code local_lock} locks on each machine
 * alone: every probe there passes but the one with two machines. Version 4 locks by leases of some 90 seconds: after a break of
 * the network a lock may be lost, unnoticed, and a value created twice; the fence in its file still refuses the later one.
 */
public final class LockProbe {
    private static final int LOCKS = 0;
    private static final int DOES_NOT_LOCK = 1;
    private static final int NOT_KNOWN = 2;
    private static final int HELD_BY_ANOTHER = 3;
    private static final String NAME = "probe";
    private static final String TRY = "try";
    private static final String HOLD = "hold";
    private static final long PATIENCE_SECONDS = 30;

    private LockProbe() {}

    /**
     * Runs the probe, and ends the JVM.
     *
     * @param args the directory; behind it {@code hold} to hold the range until this process is ended
     * @throws InterruptedException if it is interrupted
     */
    @SuppressWarnings("SystemOut") // it is a program
    public static void main(String[] args) throws InterruptedException {
        if (args.length == 0 || args.length > 2) {
            System.out.println("usage: LockProbe <directory> [hold]");
            System.exit(NOT_KNOWN);
        }
        int result;
        try {
            Path directory = Path.of(args[0]);
            result = args.length == 1 ? probe(directory) : second(directory, args[1]);
        } catch (IOException notKnown) {
            System.out.println("not known: " + notKnown.getMessage());
            result = NOT_KNOWN;
        }
        System.exit(result);
    }

    @SuppressWarnings("SystemOut")
    private static int probe(Path directory) throws IOException, InterruptedException {
        try (LockFiles files = LockFiles.open(directory)) {
            LockPlace place = files.place(LockPlace.Kind.NAME, NAME);
            LockFiles.Held held = files.tryLock(place, LockFiles.Mode.EXCLUSIVE);
            if (held == null) {
                System.out.println("held: another process holds the range, as it must if it runs with 'hold'");
                return LOCKS;
            }
            int whileHeld = ended(started(directory, TRY));
            held.release();
            int whileFree = ended(started(directory, TRY));
            if (whileHeld == HELD_BY_ANOTHER && whileFree == LOCKS) {
                System.out.println(directory + " locks, between processes of this machine");
                return LOCKS;
            }
            boolean bothIn = whileHeld == LOCKS;
            System.out.println(
                    bothIn
                            ? directory + " does NOT lock: two processes held one range"
                            : "not known: the second process ended with " + whileHeld + " and " + whileFree);
            return bothIn ? DOES_NOT_LOCK : NOT_KNOWN;
        }
    }

    @SuppressWarnings("SystemOut")
    private static int second(Path directory, String what) throws IOException, InterruptedException {
        try (LockFiles files = LockFiles.open(directory)) {
            LockFiles.Held held = files.tryLock(files.place(LockPlace.Kind.NAME, NAME), LockFiles.Mode.EXCLUSIVE);
            if (held == null) {
                return HELD_BY_ANOTHER;
            }
            if (what.equals(HOLD)) {
                System.out.println("holds the range until this process is ended");
                Thread.currentThread().join();
            }
            return LOCKS;
        }
    }

    private static Process started(Path directory, String what) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        String modules = System.getProperty("jdk.module.path");
        Class<?> main = LockProbe.class;
        if (modules != null && main.getModule().isNamed()) {
            command.addAll(List.of("-p", modules, "-m", main.getModule().getName() + '/' + main.getName()));
        } else {
            command.add(main.getName());
        }
        command.addAll(List.of(directory.toString(), what));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static int ended(Process second) throws InterruptedException {
        try {
            return second.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) ? second.exitValue() : NOT_KNOWN;
        } finally {
            second.destroyForcibly();
        }
    }
}

package io.dogpile.memcached;

import io.dogpile.cache.servers.Ports;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/**
 * Speaks as much of the binary protocol as it takes to log in by SASL PLAIN, and has nothing: no memcached takes a list of users
 * that a test could write.
 */
final class PlainServer implements AutoCloseable {
    private static final int HEADER = 24;
    private static final byte RESPONSE = (byte) 0x81;
    private static final int MECHANISMS = 0x20;
    private static final int LOG_IN = 0x21;
    private static final int NOOP = 0x0a;
    private static final int NOT_FOUND = 1;
    private static final int DENIED = 0x20;

    private final ServerSocket socket;
    private final String expected;

    PlainServer(String user, String password) throws IOException {
        socket = new ServerSocket(Ports.free(), 1, InetAddress.getLoopbackAddress());
        expected = '\0' + user + '\0' + password;
        var unused = CompletableFuture.runAsync(this::serve, task -> {
            Thread thread = new Thread(task, "plain server");
            thread.setDaemon(true);
            thread.start();
        });
    }

    String address() {
        return "127.0.0.1:" + socket.getLocalPort();
    }

    private void serve() {
        while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
                answer(
                        new DataInputStream(connection.getInputStream()),
                        new DataOutputStream(connection.getOutputStream()));
            } catch (IOException ended) {
                continue;
            }
        }
    }

    private void answer(DataInputStream in, DataOutputStream out) throws IOException {
        boolean known = false;
        while (true) {
            byte[] header = new byte[HEADER];
            in.readFully(header);
            ByteBuffer request = ByteBuffer.wrap(header);
            byte[] body = new byte[request.getInt(8)];
            in.readFully(body);
            int command = request.get(1);
            String text = new String(body, StandardCharsets.UTF_8);
            if (command == LOG_IN) {
                known = text.equals("PLAIN" + expected);
            }
            boolean free = command == MECHANISMS || command == NOOP;
            int status = free || (known && command == LOG_IN) ? 0 : known ? NOT_FOUND : DENIED;
            byte[] said = (command == MECHANISMS
                            ? "CRAM-MD5 PLAIN"
                            : command == NOOP ? "" : known ? "said" : "Auth failure.")
                    .getBytes(StandardCharsets.UTF_8);
            out.write(ByteBuffer.allocate(HEADER + said.length)
                    .put(RESPONSE)
                    .put((byte) command)
                    .putShort((short) 0)
                    .putShort((short) 0)
                    .putShort((short) status)
                    .putInt(said.length)
                    .putInt(request.getInt(12))
                    .putLong(0)
                    .put(said)
                    .array());
            out.flush();
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

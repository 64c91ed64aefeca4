package io.dogpile.memcached;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/** A server as a container in the network of this machine: it binds the loopback address as a process would. */
final class ServerContainer implements ServerRun {
    private static final DockerImageName IMAGE = DockerImageName.parse("memcached:1.6-alpine");
    private static final String FILES = "/tmp/files";
    private static final int READABLE_BY_ALL = 0666;

    private final GenericContainer<?> container;

    private final int port;

    ServerContainer(int port, List<String> arguments, Map<String, String> files) {
        this.port = port;
        List<String> command =
                new ArrayList<>(List.of("memcached", "-l", "127.0.0.1", "-U", "0", "-p", Integer.toString(port)));
        command.addAll(arguments);
        container = new GenericContainer<>(IMAGE)
                .withNetworkMode("host")
                .withEnv("SASL_CONF_PATH", FILES)
                .withCommand(command.toArray(String[]::new));
        files.forEach((name, text) ->
                container.withCopyToContainer(Transferable.of(text, READABLE_BY_ALL), FILES + '/' + name));
    }

    /** Whether an engine answers whose loopback address is that of this process. */
    static boolean engineAnswers() {
        DockerClientFactory factory = DockerClientFactory.instance();
        return System.getProperty("os.name").startsWith("Linux")
                && factory.isDockerAvailable()
                && List.of("localhost", "127.0.0.1").contains(factory.dockerHostIpAddress());
    }

    @Override
    public void start() {
        if (container.getContainerId() == null) {
            container.start();
        } else {
            client().startContainerCmd(id()).exec();
        }
    }

    @Override
    public boolean isAlive() {
        return container.getContainerId() != null && Boolean.TRUE.equals(state().getRunning());
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void kill() {
        if (Boolean.TRUE.equals(state().getPaused())) {
            thaw();
        }
        if (isAlive()) {
            client().killContainerCmd(id()).withSignal("KILL").exec();
            Await.until("the killed container has ended", () -> !isAlive());
        }
    }

    @Override
    public void freeze() {
        client().pauseContainerCmd(id()).exec();
    }

    @Override
    public void thaw() {
        client().unpauseContainerCmd(id()).exec();
    }

    @Override
    public void delete() {
        container.stop();
    }

    @Override
    public String log() {
        return container.getContainerId() == null ? "" : container.getLogs();
    }

    @Override
    public String origin() {
        return IMAGE.asCanonicalNameString();
    }

    private ContainerState state() {
        return client().inspectContainerCmd(id()).exec().getState();
    }

    private String id() {
        return container.getContainerId();
    }

    private static DockerClient client() {
        return DockerClientFactory.instance().client();
    }
}

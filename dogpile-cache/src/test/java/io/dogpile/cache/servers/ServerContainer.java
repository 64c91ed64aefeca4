package io.dogpile.cache.servers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import io.dogpile.cache.processes.Await;
import java.util.List;
import java.util.Map;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/**
 * A server as a container in the network of this machine: it binds the loopback address as a process would, and the
 * nodes of a cluster reach each other there.
 */
public final class ServerContainer implements ServerRun {
    private static final int READABLE_BY_ALL = 0666;

    private final DockerImageName image;
    private final GenericContainer<?> container;

    /**
     * One that is not started.
     *
     * @param image of the server, with its version
     * @param command the binary and its arguments
     * @param folder where the files are
     * @param files by their names; the server may rewrite them
     * @param environment what it has beside the image's
     */
    public ServerContainer(
            String image,
            List<String> command,
            String folder,
            Map<String, String> files,
            Map<String, String> environment) {
        this.image = DockerImageName.parse(image);
        container = new GenericContainer<>(this.image)
                .withNetworkMode("host")
                .withEnv(environment)
                .withCommand(command.toArray(String[]::new));
        files.forEach((name, text) ->
                container.withCopyToContainer(Transferable.of(text, READABLE_BY_ALL), folder + '/' + name));
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
    public long pid() {
        return state().getPidLong();
    }

    @Override
    public long ownPid() {
        return 1;
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
        return image.asCanonicalNameString();
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

package io.dogpile.cache.processes;

import io.dogpile.cache.processes.JvmNode.Creation;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Nodes of one region that the tests of a class share; what one test kills is replaced for the next. For one thread at a time. */
public final class JvmNodes implements AutoCloseable {
    private final List<String> names;
    private final Class<?> main;
    private final String store;
    private final String region;
    private final Map<String, String> settings;
    private List<JvmNode> nodes = List.of();

    /**
     * None yet; see {@link JvmNode#start} for all but the first.
     *
     * @param count how many there are after {@link #replaceMissing}
     */
    public JvmNodes(int count, Class<?> main, String store, String region, Map<String, String> settings) {
        this.names = IntStream.range(0, count).mapToObj(number -> "n" + number).toList();
        this.main = main;
        this.store = store;
        this.region = region;
        this.settings = settings;
    }

    /** Starts those that are not there, or are not alive any more, and returns when their regions are open. */
    public void replaceMissing() {
        List<JvmNode> alive = nodes.stream().filter(JvmNode::isAlive).toList();
        List<String> there = alive.stream().map(JvmNode::name).toList();
        List<String> missing =
                names.stream().filter(Predicate.not(there::contains)).toList();
        List<JvmNode> started = JvmNode.start(main, missing, store, region, settings);
        nodes = Stream.concat(alive.stream(), started.stream()).toList();
    }

    /** One of them; the number is not that of its name once one was replaced. */
    public JvmNode get(int number) {
        return nodes.get(number);
    }

    public List<JvmNode> all() {
        return nodes;
    }

    /** The creators of a key that began so far, on whichever node. */
    public List<Creation> creations(String key) {
        return nodes.stream().flatMap(node -> node.creations(key).stream()).toList();
    }

    @Override
    public void close() {
        nodes.forEach(JvmNode::close);
    }
}

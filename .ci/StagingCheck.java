import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * Whether a directory has all that Maven Central demands of each module that is published, but signatures.
 *
 * <p>{@code java .ci/StagingCheck.java target/staging 0.1.0 [--final]}. Prints what is missing, and ends with 1 if anything is.
 * What only the releaser can fill in, the project's address, is a remark, and with {@code --final} an error.
 */
public final class StagingCheck {
    private static final List<String> MODULES =
            List.of("dogpile-core", "dogpile-cache", "dogpile-memcached", "dogpile-redis");
    private static final String PARENT = "dogpile-parent";
    /** Of a jar's kind, what must be inside, as the beginning and the end of an entry's name. */
    private static final Map<String, List<String>> JARS = Map.of(
            "", List.of("io/dogpile/", ".class"),
            "-tests", List.of("io/dogpile/", ".class"),
            "-sources", List.of("io/dogpile/", ".java"),
            "-javadoc", List.of("index", ".html"));
    private static final List<String> BILLS = List.of("-cyclonedx.json", "-cyclonedx.xml");
    private static final List<String> DEMANDED_OF_A_POM = List.of(
            "groupId",
            "artifactId",
            "version",
            "name",
            "description",
            "url",
            "licenses/license/name",
            "licenses/license/url",
            "developers/developer/name",
            "scm/connection",
            "scm/url");
    private static final String PLACEHOLDER = ".invalid";

    private final Path staging;
    private final String version;
    private final List<String> wrong = new ArrayList<>();
    private final List<String> toFillIn = new ArrayList<>();

    private StagingCheck(Path staging, String version) {
        this.staging = staging;
        this.version = version;
    }

    public static void main(String[] arguments) throws Exception {
        StagingCheck check = new StagingCheck(Path.of(arguments[0]), arguments[1]);
        boolean last = List.of(arguments).contains("--final");
        check.all();
        check.toFillIn.forEach(one -> System.out.println("to fill in before a release: " + one));
        check.wrong.forEach(one -> System.out.println("WRONG: " + one));
        boolean passed = check.wrong.isEmpty() && (check.toFillIn.isEmpty() || !last);
        System.out.println(arguments[0] + (passed ? " has all that is demanded" : " cannot be released"));
        System.exit(passed ? 0 : 1);
    }

    private void all() throws Exception {
        pom(PARENT);
        if (version.endsWith("-SNAPSHOT")) {
            wrong.add("the version is a snapshot: " + version);
        }
        for (String module : MODULES) {
            pom(module);
            for (Map.Entry<String, List<String>> jar : JARS.entrySet()) {
                jar(module, jar.getKey() + ".jar", jar.getValue().get(0), jar.getValue().get(1));
            }
            for (String bill : BILLS) {
                Path file = file(module, bill);
                if (isThere(file) && !Files.readString(file).contains(module)) {
                    wrong.add(file + " does not name the module");
                }
            }
        }
    }

    private Path file(String module, String end) {
        return staging.resolve("io/dogpile").resolve(module).resolve(version).resolve(module + "-" + version + end);
    }

    /** The file and its checksums. */
    private boolean isThere(Path file) throws Exception {
        if (!Files.isRegularFile(file)) {
            wrong.add(file + " is missing");
            return false;
        }
        for (Map.Entry<String, String> sum : Map.of(".md5", "MD5", ".sha1", "SHA-1").entrySet()) {
            Path of = Path.of(file + sum.getKey());
            String is = HexFormat.of().formatHex(MessageDigest.getInstance(sum.getValue()).digest(Files.readAllBytes(file)));
            if (!Files.isRegularFile(of)) {
                wrong.add(of + " is missing");
            } else if (!Files.readString(of).trim().equals(is)) {
                wrong.add(of + " is the sum of something else");
            }
        }
        return true;
    }

    private void jar(String module, String end, String begins, String ends) throws Exception {
        Path file = file(module, end);
        if (isThere(file)) {
            try (ZipFile jar = new ZipFile(file.toFile())) {
                if (jar.stream().noneMatch(entry -> entry.getName().startsWith(begins) && entry.getName().endsWith(ends))) {
                    wrong.add(file + " has no " + begins + "*" + ends);
                }
            }
        }
    }

    private void pom(String module) throws Exception {
        Path file = file(module, ".pom");
        if (!isThere(file)) {
            return;
        }
        String text = Files.readString(file).replaceAll("(?s)<!--.*?-->", "");
        Element pom = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
        for (String demanded : DEMANDED_OF_A_POM) {
            String value = text(pom, demanded);
            if (value.isBlank()) {
                wrong.add(file + " has no " + demanded);
            } else if (value.contains(PLACEHOLDER)) {
                toFillIn.add(demanded + " of " + module + " is " + value);
            }
        }
        if (text.contains("${")) {
            wrong.add(file + " has a property that nobody resolves: "
                    + text.substring(text.indexOf("${"), text.indexOf('}', text.indexOf("${")) + 1));
        }
        for (String forbidden : List.of("parent", "repositories", "pluginRepositories", "modules", "profiles", "build")) {
            if (child(pom, forbidden) != null) {
                wrong.add(file + " has <" + forbidden + ">");
            }
        }
        if (!module.equals(PARENT) && text.contains("<scope>test</scope>")) {
            wrong.add(file + " has dependencies of tests");
        }
        if (module.equals(PARENT)) {
            for (String managed : MODULES) {
                if (!text.contains("<artifactId>" + managed + "</artifactId>")) {
                    wrong.add(file + " is to be imported and does not manage " + managed);
                }
            }
        }
    }

    private static String text(Element pom, String path) {
        Element at = pom;
        for (String name : path.split("/")) {
            at = child(at, name);
            if (at == null) {
                return "";
            }
        }
        return at.getTextContent();
    }

    private static Element child(Element of, String name) {
        for (Node each = of.getFirstChild(); each != null; each = each.getNextSibling()) {
            if (each instanceof Element element && element.getTagName().equals(name)) {
                return element;
            }
        }
        return null;
    }
}

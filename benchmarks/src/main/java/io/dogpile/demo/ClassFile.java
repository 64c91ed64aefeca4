package io.dogpile.demo;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What an index needs of one class file: read front to back, as chapter 4 of the JVM specification lays it out.
 *
 * @param name the binary name, with dots
 * @param access the access flags that the source declares; for a nested class these are not those of the file's head
 * @param methods the methods, constructors included, in the order of the file
 */
record ClassFile(String name, int access, List<Method> methods) {
    static final int PUBLIC = 0x0001;
    static final int SYNTHETIC = 0x1000;

    private static final int MAGIC = 0xCAFEBABE;

    /**
     * One method.
     *
     * @param name its name; that of a constructor begins with {@code <}
     * @param descriptor its parameter and return types, as the class file writes them
     * @param access its access flags
     */
    record Method(String name, String descriptor, int access) {
        boolean isPublicInSource() {
            return (access & (PUBLIC | SYNTHETIC)) == PUBLIC && !name.startsWith("<");
        }
    }

    boolean isPublicInSource() {
        return (access & (PUBLIC | SYNTHETIC)) == PUBLIC;
    }

    static ClassFile parse(byte[] bytes) throws IOException {
        return new Parser(bytes).classFile();
    }

    /** One pass over the bytes. */
    private static final class Parser {
        private final DataInputStream in;
        /** Per index: the text of a Utf8, or the index of the name of a Class; the other kinds are not kept. */
        private String[] texts = {};

        private int[] classNames = {};

        Parser(byte[] bytes) {
            in = new DataInputStream(new ByteArrayInputStream(bytes));
        }

        ClassFile classFile() throws IOException {
            if (in.readInt() != MAGIC) {
                throw new IOException("not a class file");
            }
            in.skipNBytes(4); // minor and major version
            constantPool();
            int access = in.readUnsignedShort();
            String name = className(in.readUnsignedShort());
            in.skipNBytes(2); // superclass
            in.skipNBytes(2L * in.readUnsignedShort()); // interfaces
            members(); // fields
            List<Method> methods = members();
            return new ClassFile(name.replace('/', '.'), declaredAccess(name, access), methods);
        }

        private void constantPool() throws IOException {
            int count = in.readUnsignedShort();
            texts = new String[count];
            classNames = new int[count];
            for (int i = 1; i < count; i++) {
                int tag = in.readUnsignedByte();
                switch (tag) {
                    case 1 -> texts[i] = in.readUTF();
                    case 7 -> classNames[i] = in.readUnsignedShort();
                    case 8, 16, 19, 20 -> in.skipNBytes(2); // String, MethodType, Module, Package
                    case 15 -> in.skipNBytes(3); // MethodHandle
                    case 3, 4, 9, 10, 11, 12, 17, 18 -> in.skipNBytes(4); // numbers, references, dynamic
                    case 5, 6 -> {
                        in.skipNBytes(8); // Long and Double, which take two places
                        i++;
                    }
                    default -> throw new IOException("unknown constant " + tag + " at " + i);
                }
            }
        }

        /** Fields and methods have one layout. */
        private List<Method> members() throws IOException {
            int count = in.readUnsignedShort();
            List<Method> members = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                int access = in.readUnsignedShort();
                String name = texts[in.readUnsignedShort()];
                String descriptor = texts[in.readUnsignedShort()];
                for (int attributes = in.readUnsignedShort(); attributes > 0; attributes--) {
                    in.skipNBytes(2);
                    in.skipNBytes(Integer.toUnsignedLong(in.readInt()));
                }
                members.add(new Method(name, descriptor, access));
            }
            return members;
        }

        /** A protected nested class is public in the file's head; only InnerClasses tells. */
        private int declaredAccess(String name, int access) throws IOException {
            for (int attributes = in.readUnsignedShort(); attributes > 0; attributes--) {
                String attribute = texts[in.readUnsignedShort()];
                long length = Integer.toUnsignedLong(in.readInt());
                if (!attribute.equals("InnerClasses")) {
                    in.skipNBytes(length);
                    continue;
                }
                for (int classes = in.readUnsignedShort(); classes > 0; classes--) {
                    String inner = className(in.readUnsignedShort());
                    in.skipNBytes(4); // outer class and simple name
                    int declared = in.readUnsignedShort();
                    if (inner.equals(name)) {
                        return declared;
                    }
                }
            }
            return access;
        }

        private String className(int index) {
            return texts[classNames[index]];
        }
    }
}

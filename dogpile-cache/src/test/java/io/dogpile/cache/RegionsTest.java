package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Regions by name. */
class RegionsTest {
    private final Region<Long, String> users =
            Region.builder("users", Long.class, String.class).build();
    private final Region<String, Integer> untyped =
            Region.<String, Integer>builder("untyped").build();
    private final Regions regions = Regions.of(users, untyped);

    private void assertRefused(String part, Runnable call) {
        var refused = assertThrows(IllegalArgumentException.class, call::run);
        assertTrue(refused.getMessage().contains(part), refused.getMessage());
    }

    @Test
    void aTypedOne_isFoundByNameAndTypes() {
        assertSame(users, regions.get("users", Long.class, String.class));
        assertSame(untyped, regions.named("untyped"));
        assertEquals(List.of(users, untyped), List.copyOf(regions.all()));
        assertEquals("Regions [users, untyped]", regions.toString());
    }

    @Test
    void otherTypes_areRefused_namingBoth() {
        assertRefused("class java.lang.Long", () -> regions.get("users", Integer.class, String.class));
        assertRefused("class java.lang.Integer", () -> regions.get("users", Integer.class, String.class));
        assertRefused("values of class java.lang.String", () -> regions.get("users", Long.class, Object.class));
    }

    @Test
    void oneWithoutTypes_isRefused_sayingHowToBuildIt() {
        assertRefused(
                "Region.builder(name, keyType, valueType)", () -> regions.get("untyped", String.class, Integer.class));
    }

    @Test
    void anUnknownName_isRefused_namingThoseThatThereAre() {
        assertRefused("'users', 'untyped'", () -> regions.named("user"));
        assertRefused("'user'", () -> regions.get("user", Long.class, String.class));
    }

    @Test
    void twoOfOneName_areRefused() {
        assertRefused("'users'", () -> Regions.of(users, Region.builder("users").build()));
    }

    @Test
    void all_cannotBeChanged_andCloseWithTheCollection() {
        assertThrows(UnsupportedOperationException.class, () -> regions.all().clear());
        regions.close();
        assertThrows(IllegalStateException.class, () -> users.get(1L));
        assertThrows(IllegalStateException.class, () -> untyped.get("a"));
    }
}

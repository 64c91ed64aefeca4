package io.dogpile.cache;

import static io.dogpile.core.Background.collected;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is found by the objects that stand for methods. */
class ByMethodTest {
    interface Some {
        void one();

        void another();

        void unknown();
    }

    private final ByMethod<String> names = new ByMethod<>(Map.of(method("one"), "one", method("another"), "another"));

    /** Another object at each call. */
    private static Method method(String name) {
        try {
            return Some.class.getDeclaredMethod(name);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theSameObject_findsTheSame_eachTime() {
        Method one = method("one");
        Method another = method("another");
        for (int i = 0; i < 3; i++) {
            assertThat(names.get(one)).isEqualTo("one");
            assertThat(names.get(another)).isEqualTo("another");
        }
    }

    @Test
    void anotherObjectOfTheMethod_findsTheSame_howeverManyThereAre() {
        for (int i = 0; i < 10; i++) {
            assertThat(names.get(method("one"))).isEqualTo("one");
            assertThat(names.get(method("another"))).isEqualTo("another");
        }
    }

    @Test
    void anotherMethod_findsNothing() {
        Method unknown = method("unknown");
        assertThat(names.get(unknown)).isNull();
        assertThat(names.get(unknown)).isNull();
    }

    @Test
    void objectsBeyondTheNumberOfMethods_areNotKept() {
        asked("one");
        asked("another");
        collected(asked("one"));
    }

    private WeakReference<Method> asked(String name) {
        Method method = method(name);
        assertThat(names.get(method)).isEqualTo(name);
        return new WeakReference<>(method);
    }
}

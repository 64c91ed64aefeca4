package io.dogpile.cache;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of an interface's method that its values are kept in a region, by its arguments. It holds for objects that
 * {@link CachedProxies#wrap} has wrapped, and for the methods that override it. All else, such as lives, is the
 * region's to say.
 *
 * <pre>{@code
 * interface Users {
 *     @Cached(region = "users")
 *     User find(long id);
 * }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Cached {
    /**
     * The name of the region.
     *
     * @return the name, as {@link Regions} knows it
     */
    String region();

    /**
     * Tells the method's entries from others of the region. Give one where methods are to share entries with each other or
     * with a {@link CachedFunction}, or where they are to outlive a renaming.
     *
     * @return the namespace; by default the interface that is wrapped, the method and its parameters' types
     */
    String namespace() default "";
}

/**
 * What a stampede looks like, and what one caller creating makes of it, on real work in this JVM.
 *
 * <p>A reading order: {@link io.dogpile.demo.Demo} is the program, {@link io.dogpile.demo.Stampedes} has the runs and is
 * the only file that uses the library. {@link io.dogpile.demo.ModuleIndexer} is the expensive call,
 * {@link io.dogpile.demo.Load} makes the callers, {@link io.dogpile.demo.Recorder} writes down what they met, and
 * {@link io.dogpile.demo.HtmlPage} draws it.
 */
@NullMarked
package io.dogpile.demo;

import org.jspecify.annotations.NullMarked;

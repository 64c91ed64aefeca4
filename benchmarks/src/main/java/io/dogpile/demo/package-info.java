/**
 * What a stampede looks like, and what one caller creating makes of it, on real work in this JVM.
 *
 * <p>A reading order: {@link io.dogpile.demo.Demo} is the program, {@link io.dogpile.demo.Stampedes} has the runs and uses
 * the library. {@link io.dogpile.demo.ModuleIndexer} is the expensive call,
 * {@link io.dogpile.demo.Load} makes the callers, {@link io.dogpile.demo.Recorder} writes down what they met, and
 * {@link io.dogpile.demo.HtmlPage} draws it.
 *
 * <p>With several JVMs: {@link io.dogpile.demo.ClusterStampedes} has the runs, {@link io.dogpile.demo.SharedWay} uses the
 * library, in each {@link io.dogpile.demo.Node}. {@link io.dogpile.demo.Cluster} starts these and a Redis server, and puts
 * together what they tell.
 */
@NullMarked
package io.dogpile.demo;

import org.jspecify.annotations.NullMarked;

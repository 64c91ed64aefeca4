/**
 * One caller creates a missing or stale value; the others take the old one or wait for the new one.
 *
 * <p>A reading order: {@link io.dogpile.core.Dogpile} is what most use, {@link io.dogpile.core.DogpileLock} is what it
 * is made of, {@link io.dogpile.core.SyncReaderDogpile} and {@link io.dogpile.core.NameRegistry} stand beside it.
 * {@link io.dogpile.core.Slot} is the port to where values live ({@link io.dogpile.core.Forwarding}: what stands before one), {@link io.dogpile.core.LockProvider} the one to a lock,
 * and {@link io.dogpile.core.LockTable} the least that a store must be to be one.
 *
 * <p>Inside: {@code Election} decides every call, as a pure state machine; {@code Call} with its two drivers does what it
 * decides; {@code Flight} holds those who wait on one name, {@code Flights} what is in flight; {@code CreationRun} runs
 * one creator under one right, {@code Renewal} keeps its lease; {@code Backoff} remembers failures; {@code LeasedSlot}
 * makes a slot of a {@code Store} and a lock; {@code TableLockProvider} makes a lock of a table; {@code Cell} is the store in memory; {@code Clocks} alone reads the time.
 */
@NullMarked
package io.dogpile.core;

import org.jspecify.annotations.NullMarked;

/**
 * Accounting: finished requests of a backend go in, counters, latency histograms and statistics
 * over intervals come out.
 *
 * <p>Every method may be called on any thread. Depends on {@code base} and {@code qapi}, and on the
 * block layer's error type. Start reading at {@link org.tinamou.block.stats.BlockStatistics}.
 */
package org.tinamou.block.stats;

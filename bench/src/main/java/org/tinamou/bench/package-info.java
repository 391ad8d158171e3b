/**
 * Benchmarks of the rooms, run by {@code ./tinamou bench}.
 *
 * <p>Measured calls go down, figures come out; each benchmark runs in a JVM of its own. May depend
 * on every room, and nothing depends on it. Start reading at {@code BenchMain}.
 */
@NullMarked
package org.tinamou.bench;

import org.jspecify.annotations.NullMarked;

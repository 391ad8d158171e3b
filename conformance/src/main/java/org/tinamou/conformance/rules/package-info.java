/**
 * The architecture as tests: which room may know which, which calls are banned where, and which
 * methods may call which by thread.
 *
 * <p>Compiled classes of every room flow in, violations come out; plain JUnit threads. May depend
 * on all rooms. Start reading at {@code ArchitectureTest}.
 */
@NullMarked
package org.tinamou.conformance.rules;

import org.jspecify.annotations.NullMarked;

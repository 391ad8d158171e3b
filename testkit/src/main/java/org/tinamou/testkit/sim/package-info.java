/**
 * A host made of one seed: clocks, pollers, workers and a disk behind the seams of the loops, and a
 * scheduler that decides every interleaving.
 *
 * <p>One thread drives everything in a {@link org.tinamou.testkit.sim.Simulation}. Depends on
 * {@code aio}. Start reading at {@link org.tinamou.testkit.sim.Simulation}.
 */
package org.tinamou.testkit.sim;

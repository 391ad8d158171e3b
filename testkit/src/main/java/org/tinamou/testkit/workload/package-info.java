/**
 * What runs in a simulation: programs of coroutines, callbacks and disk I/O that check themselves.
 *
 * <p>Everything runs on the simulation's thread. Depends on {@code org.tinamou.testkit.sim}. Start
 * reading at {@link org.tinamou.testkit.workload.Workload}.
 */
package org.tinamou.testkit.workload;

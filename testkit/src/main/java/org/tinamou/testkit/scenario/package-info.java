/**
 * Directed scenarios of the block graph, each named by its ids in the catalogue: a few coroutines
 * are brought into the situation that once went wrong, under an order that the seed decides.
 *
 * <p>Everything runs on the simulation's thread. Depends on {@code org.tinamou.testkit.sim}. Start
 * reading at {@link org.tinamou.testkit.scenario.Scenario}.
 */
package org.tinamou.testkit.scenario;

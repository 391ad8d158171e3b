/**
 * Monitors: commands come in as JSON, are looked up in a table and carried out one after another;
 * replies and events go out.
 *
 * <p>Commands are coroutines of the main loop. Depends on {@code aio} and {@code qapi}. Start
 * reading at {@link org.tinamou.monitor.Monitors}.
 */
package org.tinamou.monitor;

/**
 * Simulated sockets: bytes that take their time, come in pieces, and stop coming.
 *
 * <p>Everything runs on the simulation's thread. Depends on {@code aio}. Start reading at {@link
 * org.tinamou.testkit.net.SimNetwork}.
 */
package org.tinamou.testkit.net;

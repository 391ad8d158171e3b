/**
 * A filter whose requests wait until their throttle group lets them go.
 *
 * <p>Requests run in coroutines of any loop; timers live in the node's loop. Depends on {@code
 * block}. Start reading at {@link org.tinamou.drivers.filter.throttle.ThrottleDriver}.
 */
package org.tinamou.drivers.filter.throttle;

/**
 * Limits on bytes and requests per second: requests of members go in and come out when the limits
 * of their group allow it.
 *
 * <p>Members may live on different loops; a request waits as a parked coroutine of its own loop.
 * Depends on {@code aio} and {@code qapi}. Start reading at {@link
 * org.tinamou.block.throttle.ThrottleGroup}.
 */
package org.tinamou.block.throttle;

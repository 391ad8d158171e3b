/**
 * The client's side: a handshake, and then requests whose replies come in any order.
 *
 * <p>Runs in the coroutines of whoever makes the requests, on any loops: there is no coroutine of
 * its own, so nothing has to move with its users. Depends on {@code aio}, {@code base} and {@code
 * nbd.wire}. Start reading at {@link org.tinamou.nbd.client.ClientSession}, then {@link
 * org.tinamou.nbd.client.ClientHandshake}.
 */
package org.tinamou.nbd.client;

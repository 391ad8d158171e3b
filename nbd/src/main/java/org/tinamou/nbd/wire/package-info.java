/**
 * The NBD protocol: what its numbers mean, and its bytes as messages and back.
 *
 * <p>Parsers run wherever they are called; readers and writers of sockets in coroutines of their
 * session. Depends on {@code aio} and {@code base}. Start reading at {@link
 * org.tinamou.nbd.wire.Nbd} and {@link org.tinamou.nbd.wire.Request}.
 */
package org.tinamou.nbd.wire;

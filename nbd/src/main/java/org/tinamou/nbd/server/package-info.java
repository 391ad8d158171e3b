/**
 * The server's side: connections are taken, shake hands and send requests, which become calls of an
 * {@link org.tinamou.nbd.server.NbdExport}.
 *
 * <p>Everything of a server runs in coroutines of one loop. Depends on {@code aio}, {@code base}
 * and {@code nbd.wire}. Start reading at {@link org.tinamou.nbd.server.NbdServer}, then {@code
 * ServerHandshake} and {@code ServerSession}.
 */
package org.tinamou.nbd.server;

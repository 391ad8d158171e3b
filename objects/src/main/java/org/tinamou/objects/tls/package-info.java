/**
 * Encrypted connections: credentials that users define, and streams that carry their bytes in TLS
 * records over another stream.
 *
 * <p>A handshake is computed by the loop's workers, records of data in the coroutine that reads or
 * writes. Depends on {@code aio} and {@code qapi}, the JDK's TLS for certificates, and Bouncy
 * Castle's for keys that both sides know and for anonymous peers. Start reading at {@link
 * org.tinamou.objects.tls.TlsStream}.
 */
package org.tinamou.objects.tls;

package org.tinamou.drivers.protocol.nbd;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.SocketAddress;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.wire.Nbd;

/**
 * How a server is reached and used.
 *
 * @param tls how to encrypt, or null
 * @param export the export's name; may be empty
 * @param dirtyBitmap the context that is asked instead of the data's state, or null
 * @param reconnectNanos how long requests wait for a lost server to come back
 * @param openNanos how long opening waits for a server to appear
 * @param connections how many connections to use, if the server allows several
 */
record NbdSettings(
    SocketAddress address,
    @Nullable ClientTls tls,
    String export,
    @Nullable String dirtyBitmap,
    long reconnectNanos,
    long openNanos,
    int connections) {
  /** What block status is answered from. */
  String statusContext() {
    return dirtyBitmap == null ? Nbd.BASE_ALLOCATION : dirtyBitmap;
  }

  List<String> contexts() {
    return List.of(statusContext());
  }
}

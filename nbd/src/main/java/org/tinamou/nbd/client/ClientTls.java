package org.tinamou.nbd.client;

import org.jspecify.annotations.Nullable;
import org.tinamou.objects.tls.TlsCredentials;

/**
 * How to encrypt what is sent to a server. One that does not want that is of no use.
 *
 * @param credentials of a client
 * @param host the name in the server's certificate; null if none is asked for
 */
public record ClientTls(TlsCredentials credentials, @Nullable String host) {}

package org.tinamou.objects.tls;

import org.jspecify.annotations.Nullable;

/** {@code tls-creds-anon}: encryption between peers that do not know each other. */
final class AnonymousCredentials extends TlsCredentials {
  AnonymousCredentials(CredentialOptions options) {
    super(options);
  }

  @Override
  TlsEngine newEngine(@Nullable String host) throws TlsException {
    return endpoint() == Endpoint.SERVER
        ? BouncyPeers.anonymousServer()
        : BouncyPeers.anonymousClient();
  }
}

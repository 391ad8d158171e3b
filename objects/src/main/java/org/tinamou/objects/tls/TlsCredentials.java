package org.tinamou.objects.tls;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/** What one side of encrypted connections is and knows. Made on the main loop, used anywhere. */
public abstract sealed class TlsCredentials implements UserObject
    permits X509Credentials, SharedKeyCredentials, AnonymousCredentials {
  /** Which side they are for. */
  public enum Endpoint {
    CLIENT("client"),
    SERVER("server");

    private final String word;

    Endpoint(String word) {
      this.word = word;
    }

    /** As in options. */
    @AnyThread
    public String word() {
      return word;
    }
  }

  private final CredentialOptions options;

  TlsCredentials(CredentialOptions options) {
    this.options = options;
  }

  /**
   * The credentials of that id.
   *
   * @param wanted which side they have to be for
   * @throws OptionException if there are none, with a message for the user
   */
  @HomeThread
  public static TlsCredentials find(ObjectRegistry objects, String id, Endpoint wanted)
      throws OptionException {
    UserObject found = objects.find(id);
    if (found == null) {
      throw new OptionException("No TLS credentials with id '" + id + "'");
    }
    if (!(found instanceof TlsCredentials credentials)) {
      throw new OptionException("Object with id '" + id + "' is not TLS credentials");
    }
    if (credentials.endpoint() != wanted) {
      throw new OptionException("Expected TLS credentials for a " + wanted.word() + " endpoint");
    }
    return credentials;
  }

  /** Which side they are for. */
  @AnyThread
  public final Endpoint endpoint() {
    return options.endpoint();
  }

  /** Whether peers have to prove who they are. */
  @AnyThread
  public final boolean verifiesPeer() {
    return options.verifyPeer();
  }

  /** Which versions of TLS may be used. */
  final TlsVersions versions() {
    return options.versions();
  }

  @Override
  public Json.Members properties() {
    Json.Members all = new Json.Members();
    if (options.directory() != null) {
      all.put("dir", options.directory());
    }
    all.put("endpoint", endpoint().word());
    if (options.priority() != null) {
      all.put("priority", options.priority());
    }
    all.put("verify-peer", verifiesPeer());
    return all;
  }

  /**
   * Begins a connection.
   *
   * @param host the name that the peer has to have, or null
   */
  abstract TlsEngine newEngine(@Nullable String host) throws TlsException;
}

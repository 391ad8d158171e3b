package org.tinamou.objects.tls;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.Secret;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code tls-creds-x509}, {@code tls-creds-psk} and {@code tls-creds-anon}. */
public final class TlsCredentialTypes {
  private TlsCredentialTypes() {}

  /** All of them. */
  @AnyThread
  public static List<ObjectType> all() {
    return List.of(
        new Type("tls-creds-anon", properties(), TlsCredentialTypes::anonymous),
        new Type("tls-creds-psk", properties("username=<string>"), TlsCredentialTypes::sharedKey),
        new Type(
            "tls-creds-x509",
            properties("passwordid=<string>", "sanity-check=<bool>"),
            TlsCredentialTypes::certificates));
  }

  private interface Maker {
    TlsCredentials make(OptionReader options, ObjectRegistry others) throws OptionException;
  }

  private record Type(String name, List<String> properties, Maker maker) implements ObjectType {
    @Override
    public UserObject create(String id, OptionReader options, ObjectRegistry others)
        throws OptionException {
      return maker.make(options, others);
    }
  }

  private static List<String> properties(String... own) {
    List<String> all = new ArrayList<>(CredentialOptions.PROPERTIES);
    all.addAll(List.of(own));
    all.sort(null);
    return List.copyOf(all);
  }

  private static TlsCredentials anonymous(OptionReader options, ObjectRegistry others)
      throws OptionException {
    return new AnonymousCredentials(CredentialOptions.read(options));
  }

  private static TlsCredentials sharedKey(OptionReader options, ObjectRegistry others)
      throws OptionException {
    CredentialOptions common = CredentialOptions.read(options);
    return SharedKeyCredentials.load(common, options.stringOrNull("username"));
  }

  private static TlsCredentials certificates(OptionReader options, ObjectRegistry others)
      throws OptionException {
    CredentialOptions common = CredentialOptions.read(options);
    boolean check = options.bool("sanity-check", true);
    return X509Credentials.load(common, password(options, others), check);
  }

  private static byte @Nullable [] password(OptionReader options, ObjectRegistry others)
      throws OptionException {
    String id = options.stringOrNull("passwordid");
    if (id == null) {
      return null;
    }
    if (others.find(id) instanceof Secret secret) {
      return secret.bytes();
    }
    throw new OptionException("No secret with id '" + id + "'");
  }
}

package org.tinamou.daemon.object;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.drivers.filter.throttle.ThrottleGroupType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.SecretType;
import org.tinamou.objects.UserObject;
import org.tinamou.objects.authz.AuthorizationTypes;
import org.tinamou.objects.tls.TlsCredentialTypes;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** All kinds of objects, for programs with one image and for those with a graph. */
public final class ObjectTypes {
  /** The properties of a kind that lists do not show. */
  public static final List<String> HIDDEN = List.of();

  private ObjectTypes() {}

  /** Those that the tools for single images take. */
  public static List<ObjectType> ofTools() {
    List<ObjectType> all = shared();
    all.add(new Type("iothread", HIDDEN, _ -> refuse("invalid object type: iothread")));
    all.add(missing("main-loop", LOOP));
    all.add(missing("thread-context", "cpu-affinity=<int>", "node-affinity=<int>"));
    return List.copyOf(all);
  }

  /**
   * Those of a daemon.
   *
   * @param loops starts the loops of iothreads
   */
  public static List<ObjectType> ofDaemon(Daemon daemon, LoopStarter loops) {
    List<ObjectType> all = shared();
    all.add(new IoThreadType(daemon, loops));
    all.add(new MainLoopType(daemon));
    all.add(missing("thread-context", "cpu-affinity=<int>", "node-affinity=<int>"));
    return List.copyOf(all);
  }

  static final String[] LOOP = {
    "aio-max-batch=<int>", "thread-pool-max=<int>", "thread-pool-min=<int>"
  };

  private static List<ObjectType> shared() {
    List<ObjectType> all = new ArrayList<>(AuthorizationTypes.all());
    all.addAll(TlsCredentialTypes.all());
    all.add(missing("pr-manager-helper", "path=<string>"));
    all.add(new SecretType());
    all.add(
        missing(
            "secret_keyring",
            "format=<QCryptoSecretFormat>",
            "iv=<string>",
            "keyid=<string>",
            "serial=<int32_t>"));
    all.add(new ThrottleGroupType());
    all.add(
        missing(
            "tls-cipher-suites",
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "verify-peer=<bool>"));
    return all;
  }

  @FunctionalInterface
  private interface Maker {
    UserObject make(OptionReader options) throws OptionException;
  }

  private record Type(String name, List<String> properties, Maker maker) implements ObjectType {
    @Override
    public UserObject create(String id, OptionReader options, ObjectRegistry others)
        throws OptionException {
      return maker.make(options);
    }
  }

  private static UserObject refuse(String message) throws OptionException {
    throw new OptionException(message);
  }

  private static ObjectType missing(String name, String... properties) {
    return new Type(
        name,
        List.of(properties),
        _ -> refuse("Objects of type '" + name + "' are not supported by this version of Tinamou"));
  }

  // ----------------------------------------------------------------------------------- inheritance

  private static final Map<String, String> PARENTS = new LinkedHashMap<>();

  static {
    PARENTS.put("authz-simple", "authz");
    PARENTS.put("tls-creds-anon", "tls-creds");
    PARENTS.put("pr-manager-helper", "pr-manager");
    PARENTS.put("iothread", "event-loop-base");
    PARENTS.put("secret", "secret_common");
    PARENTS.put("tls-creds-psk", "tls-creds");
    PARENTS.put("main-loop", "event-loop-base");
    PARENTS.put("authz-list-file", "authz");
    PARENTS.put("authz-list", "authz");
    PARENTS.put("tls-creds-x509", "tls-creds");
    PARENTS.put("tls-cipher-suites", "tls-creds");
    PARENTS.put("thread-context", "object");
    PARENTS.put("secret_keyring", "secret_common");
    PARENTS.put("throttle-group", "object");
  }

  /** The kinds of objects with the name of what each of them is a kind of. */
  public static Map<String, String> parents() {
    return java.util.Collections.unmodifiableMap(PARENTS);
  }
}

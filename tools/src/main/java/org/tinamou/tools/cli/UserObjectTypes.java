package org.tinamou.tools.cli;

import java.util.List;
import org.tinamou.drivers.filter.throttle.ThrottleGroupType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.SecretType;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The kinds of objects that the tools for single images take. */
final class UserObjectTypes {
  static final String IO_THREAD = "iothread";

  private UserObjectTypes() {}

  static List<ObjectType> all() {
    List<String> anonymous =
        List.of(
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "verify-peer=<bool>");
    return List.of(
        missing("authz-list", "policy=<QAuthZListPolicy>", "rules=<QAuthZListRule>"),
        missing("authz-list-file", "filename=<string>", "refresh=<bool>"),
        new Type("authz-simple", List.of("identity=<string>"), UserObjectTypes::identity),
        new Type(IO_THREAD, List.of(), _ -> refuse("invalid object type: iothread")),
        missing(
            "main-loop", "aio-max-batch=<int>", "thread-pool-max=<int>", "thread-pool-min=<int>"),
        missing("pr-manager-helper", "path=<string>"),
        new SecretType(),
        missing(
            "secret_keyring",
            "format=<QCryptoSecretFormat>",
            "iv=<string>",
            "keyid=<string>",
            "serial=<int32_t>"),
        missing("thread-context", "cpu-affinity=<int>", "node-affinity=<int>"),
        new ThrottleGroupType(),
        missing("tls-cipher-suites", anonymous.toArray(String[]::new)),
        missing("tls-creds-anon", anonymous.toArray(String[]::new)),
        missing(
            "tls-creds-psk",
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "username=<string>",
            "verify-peer=<bool>"),
        missing(
            "tls-creds-x509",
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "passwordid=<string>",
            "priority=<string>",
            "sanity-check=<bool>",
            "verify-peer=<bool>"));
  }

  private record Identity(String name) implements UserObject {}

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

  private static UserObject identity(OptionReader options) throws OptionException {
    return new Identity(options.string("identity"));
  }
}

package org.tinamou.tools.cli;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.drivers.filter.throttle.ThrottleGroupType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.SecretType;
import org.tinamou.objects.UserObject;
import org.tinamou.objects.authz.AuthorizationTypes;
import org.tinamou.objects.tls.TlsCredentialTypes;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The kinds of objects that the tools for single images take. */
final class UserObjectTypes {
  static final String IO_THREAD = "iothread";

  private UserObjectTypes() {}

  static List<ObjectType> all() {
    List<ObjectType> all = new ArrayList<>(AuthorizationTypes.all());
    all.addAll(TlsCredentialTypes.all());
    all.add(new Type(IO_THREAD, List.of(), _ -> refuse("invalid object type: iothread")));
    all.add(
        missing(
            "main-loop", "aio-max-batch=<int>", "thread-pool-max=<int>", "thread-pool-min=<int>"));
    all.add(missing("pr-manager-helper", "path=<string>"));
    all.add(new SecretType());
    all.add(
        missing(
            "secret_keyring",
            "format=<QCryptoSecretFormat>",
            "iv=<string>",
            "keyid=<string>",
            "serial=<int32_t>"));
    all.add(missing("thread-context", "cpu-affinity=<int>", "node-affinity=<int>"));
    all.add(new ThrottleGroupType());
    all.add(
        missing(
            "tls-cipher-suites",
            "dir=<string>",
            "endpoint=<QCryptoTLSCredsEndpoint>",
            "priority=<string>",
            "verify-peer=<bool>"));
    return List.copyOf(all);
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
}

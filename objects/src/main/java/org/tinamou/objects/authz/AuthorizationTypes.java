package org.tinamou.objects.authz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Parsed;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.ObjectType;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code authz-simple}, {@code authz-list} and {@code authz-list-file}. */
public final class AuthorizationTypes {
  private AuthorizationTypes() {}

  /** All of them. */
  @AnyThread
  public static List<ObjectType> all() {
    return List.of(
        new Type(
            "authz-list",
            List.of("policy=<QAuthZListPolicy>", "rules=<QAuthZListRule>"),
            options -> new OfRules(Rules.read(options))),
        new Type(
            "authz-list-file",
            List.of("filename=<string>", "refresh=<bool>"),
            AuthorizationTypes::file),
        new Type(
            "authz-simple",
            List.of("identity=<string>"),
            options -> new Single(options.string("identity"))));
  }

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

  private record Single(String identity) implements Authorization {
    @Override
    public boolean allows(String other) {
      return identity.equals(other);
    }

    @Override
    public Json.Members properties() {
      return new Json.Members().put("identity", identity);
    }
  }

  private record OfRules(Rules rules) implements Authorization {
    @Override
    public boolean allows(String identity) {
      return rules.allows(identity);
    }
  }

  /** Rules in a file, which is read again for each question if it may change. */
  private static final class OfFile implements Authorization {
    private final Path file;
    private final boolean refresh;
    private final Rules first;

    OfFile(Path file, boolean refresh) throws OptionException {
      this.file = file;
      this.refresh = refresh;
      this.first = read(file);
    }

    private static Rules read(Path file) throws OptionException {
      String text;
      try {
        text = Files.readString(file);
      } catch (IOException e) {
        throw new OptionException("Unable to read '" + file + "': " + e.getMessage());
      }
      return switch (JsonParser.parse(text)) {
        case Parsed.Value<Json>(Json.Members members) -> {
          OptionReader options = OptionReader.of(members, OptionReader.Style.TYPED);
          Rules rules = Rules.read(options);
          options.finish();
          yield rules;
        }
        case Parsed.Value<Json> _ ->
            throw new OptionException("File '" + file + "' must contain a JSON object");
        case Parsed.Malformed<Json> malformed ->
            throw new OptionException("Unable to parse '" + file + "': " + malformed.message());
      };
    }

    @Override
    public boolean allows(String identity) throws OptionException {
      return (refresh ? read(file) : first).allows(identity);
    }

    @Override
    public Json.Members properties() {
      return new Json.Members().put("filename", file.toString()).put("refresh", refresh);
    }
  }

  private static UserObject file(OptionReader options) throws OptionException {
    String file = options.stringOrNull("filename");
    boolean refresh = options.bool("refresh", true);
    if (file == null) {
      throw new OptionException("filename not provided");
    }
    return new OfFile(Path.of(file), refresh);
  }
}

package org.tinamou.block.open;

import java.util.Collections;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionTree;

/**
 * What a user says to have an image opened: a name, options, or both.
 *
 * @param fileName a path, a protocol's name, or {@code json:} and options; null if there are only
 *     options
 * @param options what was said besides the name; kept as it was written
 * @param style how the options were written
 */
public record ImageAddress(
    @Nullable String fileName, Json.Members options, OptionReader.Style style) {
  private static final String JSON = "json:";

  /** Options that say which data is meant, in place of a name. */
  private static final Set<String> RENAMING =
      Set.of("filename", "file", "file.filename", "file.driver");

  /** Just a name; the format is found out. */
  public static ImageAddress ofName(String fileName) {
    return new ImageAddress(fileName, new Json.Members(), OptionReader.Style.LOOSE);
  }

  /** A name and the driver to use, or null to find it out. */
  public static ImageAddress ofName(String fileName, @Nullable String driver) {
    Json.Members options = new Json.Members();
    if (driver != null) {
      options.put("driver", driver);
    }
    return new ImageAddress(fileName, options, OptionReader.Style.LOOSE);
  }

  /** Options as {@code --image-opts} has them: dotted names, all values text. */
  public static ImageAddress ofOptions(Json.Members options) {
    return new ImageAddress(null, options, OptionReader.Style.LOOSE);
  }

  /** This with one more option, unless it is there already. */
  public ImageAddress withDefault(String name, String value) {
    if (options.members().containsKey(name)) {
      return this;
    }
    Json.Members more = new Json.Members();
    options.members().forEach(more::put);
    more.put(name, value);
    return new ImageAddress(fileName, more, style);
  }

  /**
   * This with options that were given for it from outside, which win; a driver or file given there
   * replaces the name.
   */
  ImageAddress overriddenBy(OptionReader given) {
    Json.Members all = new Json.Members();
    options.members().forEach(all::put);
    given.flat().forEach(all::put);
    boolean renamed = !Collections.disjoint(given.flat().keySet(), RENAMING);
    return new ImageAddress(renamed ? null : fileName, all, OptionReader.Style.LOOSE);
  }

  /** The same with the options inside of a {@code json:} name taken out; those given apart win. */
  ImageAddress unwrapped() throws OptionException {
    String name = fileName;
    if (name == null || !name.startsWith(JSON)) {
      return this;
    }
    Json.Members inside =
        switch (JsonParser.parse(name.substring(JSON.length()))) {
          case Parsed.Value<Json>(Json.Members members) -> members;
          case Parsed.Value<Json> _ -> throw new OptionException("Invalid JSON object given");
          case Parsed.Malformed<Json> malformed ->
              throw new OptionException("Could not parse the JSON options: " + malformed.message());
        };
    Json.Members all = new Json.Members();
    OptionTree.flatten(inside).forEach(all::put);
    OptionTree.flatten(options).forEach(all::put);
    return new ImageAddress(null, all, style);
  }
}

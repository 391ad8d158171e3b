package org.tinamou.tools.system;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionReader;

/**
 * A drive as {@code -drive} describes it.
 *
 * @param id its name, or null for one that says where it is
 * @param unit its place on the bus, or -1 for the next free one
 * @param medium what is in it, or null if it is empty
 * @param limits throttling as written, by option names without their prefix
 */
record DriveOptions(
    @Nullable String id,
    DriveBus bus,
    int busNumber,
    int unit,
    boolean cdrom,
    @Nullable ImageAddress medium,
    boolean readOnly,
    boolean snapshot,
    boolean copyOnRead,
    boolean writeThrough,
    ErrorPolicy readErrors,
    ErrorPolicy writeErrors,
    Map<String, String> limits,
    Accounting accounting) {

  /**
   * What is counted of a drive's requests.
   *
   * @param intervalsSeconds over which statistics are kept besides
   */
  record Accounting(boolean invalid, boolean failed, List<Long> intervalsSeconds) {}

  private static final long MAX_INTERVAL_SECONDS = 0xffff_ffffL;
  private static final Pattern IDENTIFIER = Pattern.compile("[a-zA-Z][a-zA-Z0-9._-]*");
  private static final String IDENTIFIER_HINT =
      "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";

  /** Old names of throttling options, from before they had a prefix. */
  private static final Map<String, String> OLD_LIMITS = oldLimits();

  private static Map<String, String> oldLimits() {
    Map<String, String> names = new LinkedHashMap<>();
    for (String what : new String[] {"iops", "bps"}) {
      for (String[] kind : new String[][] {{"", "-total"}, {"_rd", "-read"}, {"_wr", "-write"}}) {
        names.put(what + kind[0], what + kind[1]);
        names.put(what + kind[0] + "_max", what + kind[1] + "-max");
      }
    }
    names.put("iops_size", "iops-size");
    names.put("group", "group");
    return names;
  }

  /**
   * Reads what stands behind {@code -drive}.
   *
   * @param always whether all drives are snapshots
   * @param warnings told of what is accepted but should not be written
   */
  static DriveOptions parse(String text, boolean always, Consumer<String> warnings)
      throws OptionException {
    return new Parser(written(text, warnings), warnings).read(always);
  }

  /** The options by name; of several the last one counts. */
  static Map<String, String> written(String text, Consumer<String> warnings) {
    Map<String, String> values = new LinkedHashMap<>();
    for (OptionList.Entry entry : OptionList.parse(text)) {
      String value = entry.value();
      String name = entry.key();
      if (value == null) {
        boolean off = name.startsWith("no");
        name = off ? name.substring(2) : name;
        value = off ? "off" : "on";
        warnings.accept(
            "short-form boolean option '%s%s' deprecated\nPlease use %s=%s instead"
                .formatted(off ? "no" : "", name, name, value));
      }
      values.put(name, value);
    }
    return values;
  }

  /** Refuses what cannot be the name of an object or drive. */
  static void checkIdentifier(String name) throws OptionException {
    if (!IDENTIFIER.matcher(name).matches()) {
      throw new OptionException("Parameter 'id' expects an identifier", IDENTIFIER_HINT);
    }
  }

  /** Takes option by option out of what was written; what is left is the medium's. */
  private static final class Parser {
    private final Map<String, String> left;
    private final Consumer<String> warnings;

    Parser(Map<String, String> written, Consumer<String> warnings) {
      this.left = written;
      this.warnings = warnings;
    }

    DriveOptions read(boolean always) throws OptionException {
      String id = left.remove("id");
      if (id != null) {
        checkIdentifier(id);
      }
      Map<String, String> limits = limits();
      cache();
      Accounting accounting = accounting();
      boolean cdrom = isCdrom();
      boolean readOnly = bool("read-only", false) || cdrom;
      boolean copyOnRead = bool("copy-on-read", false);
      if (copyOnRead && readOnly) {
        warnings.accept("disabling copy-on-read on read-only drive");
      }
      DriveBus bus = bus();
      int[] place = place(bus);
      ErrorPolicy writeErrors = policy("werror", "write", bus, ErrorPolicy.ENOSPC);
      ErrorPolicy readErrors = policy("rerror", "read", bus, ErrorPolicy.REPORT);
      boolean snapshot = bool("snapshot", always);
      boolean writeThrough = !bool("cache.writeback", true);
      String aio = left.remove("aio");
      if (aio != null && !aio.matches("threads|native|io_uring")) {
        throw new OptionException("invalid aio option");
      }
      return new DriveOptions(
          id,
          bus,
          place[0],
          place[1],
          cdrom,
          medium(),
          readOnly,
          snapshot,
          copyOnRead && !readOnly,
          writeThrough,
          readErrors,
          writeErrors,
          limits,
          accounting);
    }

    private Accounting accounting() throws OptionException {
      boolean invalid = bool("stats-account-invalid", true);
      boolean failed = bool("stats-account-failed", true);
      List<Long> intervals = new ArrayList<>();
      for (String text; (text = left.remove("stats-intervals." + intervals.size())) != null; ) {
        long seconds = text.matches("[0-9]{1,10}") ? Long.parseLong(text) : 0;
        if (seconds < 1 || seconds > MAX_INTERVAL_SECONDS) {
          throw new OptionException("Invalid interval length: " + text);
        }
        intervals.add(seconds);
      }
      for (String name : left.keySet()) {
        if (name.startsWith("stats-intervals.")) {
          throw new OptionException("Invalid option " + name);
        }
      }
      return new Accounting(invalid, failed, intervals);
    }

    private boolean bool(String name, boolean fallback) throws OptionException {
      String value = left.remove(name);
      if (value == null) {
        return fallback;
      }
      return OptionReader.of(new Json.Members().put(name, value), OptionReader.Style.LOOSE)
          .bool(name, fallback);
    }

    private Map<String, String> limits() throws OptionException {
      for (Map.Entry<String, String> old : OLD_LIMITS.entrySet()) {
        rename(old.getKey(), "throttling." + old.getValue());
      }
      rename("readonly", "read-only");
      Map<String, String> limits = new LinkedHashMap<>();
      for (String name : List.copyOf(left.keySet())) {
        if (name.startsWith("throttling.")) {
          String value = Objects.requireNonNull(left.remove(name));
          if (!name.equals("throttling.group")) {
            number(name, value, 0);
          }
          limits.put(name.substring("throttling.".length()), value);
        }
      }
      return limits;
    }

    private void rename(String from, String to) throws OptionException {
      String value = left.remove(from);
      if (value != null && left.putIfAbsent(to, value) != null) {
        throw new OptionException(
            "'" + to + "' and its alias '" + from + "' can't be used at the same time");
      }
    }

    private void cache() throws OptionException {
      String value = left.remove("cache");
      if (value == null) {
        return;
      }
      CacheMode mode = CacheMode.parse(value);
      if (mode == null) {
        throw new OptionException("invalid cache option");
      }
      left.putIfAbsent("cache.writeback", mode.isWritethrough() ? "off" : "on");
      left.putIfAbsent("cache.direct", mode.isDirect() ? "on" : "off");
      left.putIfAbsent("cache.no-flush", mode.isNoFlush() ? "on" : "off");
    }

    private boolean isCdrom() throws OptionException {
      String media = left.remove("media");
      if (media == null || media.equals("disk")) {
        return false;
      }
      if (!media.equals("cdrom")) {
        throw new OptionException("'" + media + "' invalid media");
      }
      return true;
    }

    private DriveBus bus() throws OptionException {
      String name = left.remove("if");
      DriveBus bus = name == null ? DriveBus.NONE : DriveBus.of(name);
      if (bus == null) {
        throw new OptionException("unsupported bus type '" + name + "'");
      }
      return bus;
    }

    /** The number of the bus, and the unit on it or -1. */
    private int[] place(DriveBus bus) throws OptionException {
      String index = left.remove("index");
      String number = left.remove("bus");
      String unit = left.remove("unit");
      if (index == null) {
        return new int[] {number("bus", number, 0), number("unit", unit, -1)};
      }
      if (number != null || unit != null) {
        throw new OptionException("index cannot be used with bus and unit");
      }
      int place = number("index", index, 0);
      int units = bus.unitsPerBus();
      return units == 0 ? new int[] {0, place} : new int[] {place / units, place % units};
    }

    private static int number(String name, @Nullable String text, int fallback)
        throws OptionException {
      if (text == null) {
        return fallback;
      }
      long number =
          OptionReader.of(new Json.Members().put(name, text), OptionReader.Style.LOOSE)
              .uint64(name, fallback);
      return (int) number;
    }

    private ErrorPolicy policy(String name, String what, DriveBus bus, ErrorPolicy usual)
        throws OptionException {
      String text = left.remove(name);
      if (text == null) {
        return usual;
      }
      if (!bus.hasErrorPolicies()) {
        throw new OptionException(name + " is not supported by this bus type");
      }
      for (ErrorPolicy policy : ErrorPolicy.values()) {
        boolean offered =
            policy != ErrorPolicy.AUTO && (policy != ErrorPolicy.ENOSPC || what.equals("write"));
        if (offered && policy.wireName().equals(text)) {
          return policy;
        }
      }
      throw new OptionException("'" + text + "' invalid " + what + " error action");
    }

    private @Nullable ImageAddress medium() throws OptionException {
      String format = left.remove("format");
      if (format != null) {
        if (left.containsKey("driver")) {
          throw new OptionException("Cannot specify both 'driver' and 'format'");
        }
        left.put("driver", format);
      }
      String file = left.remove("file");
      if ((file == null || file.isEmpty()) && left.isEmpty()) {
        return null;
      }
      Json.Members options = new Json.Members();
      left.forEach(options::put);
      String name = file == null || file.isEmpty() ? null : file;
      return new ImageAddress(name, options, OptionReader.Style.LOOSE);
    }
  }
}

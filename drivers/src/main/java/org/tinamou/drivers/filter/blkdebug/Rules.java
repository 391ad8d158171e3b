package org.tinamou.drivers.filter.blkdebug;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The rules of one node, as its options give them; older ones first. */
final class Rules {
  /**
   * Requests fail once the event has come.
   *
   * @param state the state in which it applies; 0 for any
   * @param errno what they fail with; not positive for no failure
   * @param offsetBytes a byte that the request has to touch; -1 for any request
   * @param once whether only the first one fails
   * @param immediately whether it fails without having waited at all
   */
  record InjectError(
      DebugEvent event,
      long state,
      Set<IoType> types,
      long errno,
      long offsetBytes,
      boolean once,
      boolean immediately) {
    boolean concerns(IoType type, long offset, long length) {
      return types.contains(type)
          && (offsetBytes < 0 || (offsetBytes >= offset && offsetBytes - offset < length));
    }
  }

  /**
   * The state changes when the event comes.
   *
   * @param state the state in which it applies; 0 for any
   */
  record SetState(DebugEvent event, long state, long newState) {}

  /** The sections of a file, the lists among the options. */
  static final String INJECT_ERROR = "inject-error";

  static final String SET_STATE = "set-state";

  private static final int SECTOR_BYTES = 512;

  /** What a rule of a kind can say. */
  static List<String> optionsOf(String kind) {
    return kind.equals(SET_STATE)
        ? List.of("event", "state", "new_state")
        : List.of("event", "state", "iotype", "errno", "sector", "once", "immediately");
  }

  final List<InjectError> errors = new ArrayList<>();
  final List<SetState> changes = new ArrayList<>();

  /** Reads the rules among a node's options. */
  void readOptions(OptionReader options) throws BlockException, OptionException {
    for (String kind : List.of(INJECT_ERROR, SET_STATE)) {
      for (OptionReader rule : options.objects(kind)) {
        read(kind, rule);
        for (String unknown : rule.unread()) {
          throw new OptionException(
              "[" + kind + "] section doesn't support the option '" + unknown + "'");
        }
      }
    }
  }

  /** Reads one rule of a kind. */
  void read(String kind, OptionReader options) throws BlockException, OptionException {
    DebugEvent event = event(options);
    long state = options.int64("state", 0);
    if (kind.equals(SET_STATE)) {
      changes.add(new SetState(event, state, options.int64("new_state", 0)));
      return;
    }
    long errno = options.int64("errno", Errno.EIO.number());
    long sector = options.int64("sector", -1);
    boolean once = options.bool("once", false);
    boolean immediately = options.bool("immediately", false);
    String type = word(options, "iotype", IoType.NAMES);
    Set<IoType> types = type == null ? IoType.USUAL : Set.of(IoType.of(type));
    long offset = sector < 0 ? -1 : sector * SECTOR_BYTES;
    errors.add(new InjectError(event, state, types, errno, offset, once, immediately));
  }

  private static DebugEvent event(OptionReader options) throws BlockException, OptionException {
    String name = word(options, "event", DebugEvent.names());
    DebugEvent event = name == null ? null : DebugEvent.parse(name);
    if (event == null) {
      throw new BlockException(Errno.EINVAL, "Missing event name for rule");
    }
    return event;
  }

  private static @Nullable String word(OptionReader options, String name, List<String> allowed)
      throws BlockException, OptionException {
    if (options.style() != OptionReader.Style.LOOSE) {
      return options.wordOrNull(name, allowed);
    }
    String value = options.stringOrNull(name);
    if (value != null && !allowed.contains(value)) {
      throw new BlockException(Errno.EINVAL, "invalid parameter value: " + value);
    }
    return value;
  }
}

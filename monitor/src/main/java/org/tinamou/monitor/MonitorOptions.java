package org.tinamou.monitor;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionList;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionTree;
import org.tinamou.qapi.OptionValues;

/**
 * How a monitor is written on a command line.
 *
 * @param device the character device it speaks through
 * @param human whether it is for people rather than for programs
 * @param pretty whether its answers have one member a line
 */
public record MonitorOptions(String device, boolean human, boolean pretty) {
  private static final String READLINE = "readline";
  private static final String CONTROL = "control";
  private static final List<String> MODES = List.of(READLINE, CONTROL);

  private static final OptionSchema MACHINE_SCHEMA =
      new OptionSchema(
          List.of(
              Option.string("mode", ""),
              Option.string("chardev", ""),
              Option.bool("pretty", ""),
              Option.string("id", "")));

  /**
   * Reads {@code --monitor} of the storage daemon, which has no monitor for people.
   *
   * @throws OptionException with the message for the user
   */
  public static MonitorOptions parse(String text) throws OptionException {
    OptionReader reader =
        OptionReader.of(OptionTree.parse(text, "chardev").options(), OptionReader.Style.KEY_VALUE);
    String device = reader.string("chardev");
    String mode = reader.wordOrNull("mode", MODES);
    Boolean pretty = reader.boolOrNull("pretty");
    reader.finish();
    if (READLINE.equals(mode)) {
      throw new OptionException("Only QMP is supported");
    }
    return new MonitorOptions(device, false, isTrue(pretty));
  }

  /**
   * Reads {@code -mon} of the machine, where monitors are for people unless said otherwise.
   *
   * @throws OptionException with the message for the user
   */
  public static MonitorOptions parseForMachine(String text) throws OptionException {
    List<OptionList.Entry> entries = OptionList.parse(text);
    boolean implied = !entries.isEmpty() && entries.getFirst().value() == null;
    OptionValues values = MACHINE_SCHEMA.parse(implied ? "chardev=" + text : text);
    String device = values.string("chardev");
    if (device == null) {
      throw new OptionException("Parameter 'chardev' is missing");
    }
    String mode = values.string("mode");
    if (mode != null && !MODES.contains(mode)) {
      throw new OptionException("Parameter 'mode' does not accept value '" + mode + "'");
    }
    boolean human = !CONTROL.equals(mode);
    Boolean pretty = values.has("pretty") ? values.bool("pretty", false) : null;
    if (human && pretty != null) {
      throw new OptionException("'pretty' is not compatible with HMP monitors");
    }
    return new MonitorOptions(device, human, isTrue(pretty));
  }

  private static boolean isTrue(@Nullable Boolean value) {
    return value != null && value;
  }
}

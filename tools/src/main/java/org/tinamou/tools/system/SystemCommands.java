package org.tinamou.tools.system;

import java.util.List;
import org.tinamou.block.BlockException;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.TaskJob;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** The commands for the machine beside those of the daemon. Main loop. */
final class SystemCommands {
  private static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

  private final Daemon daemon;
  private final SystemArguments arguments;
  private final MachineSnapshots snapshots;

  private SystemCommands(Daemon daemon, SystemArguments arguments) {
    this.daemon = daemon;
    this.arguments = arguments;
    this.snapshots = new MachineSnapshots(daemon);
  }

  static void addTo(CommandTable table, Daemon daemon, SystemArguments arguments) {
    SystemCommands commands = new SystemCommands(daemon, arguments);
    table
        .add("query-name", (_, _) -> commands.name())
        .add("query-uuid", (_, _) -> commands.uuid())
        .add("query-kvm", (_, _) -> commands.acceleration())
        .add("query-target", (_, _) -> new Json.Members().put("arch", "x86_64"))
        .add("query-machines", (_, _) -> machines())
        .add("query-current-machine", (_, _) -> wakeUp())
        .add("query-cpus-fast", (_, _) -> new Json.Array())
        .add("query-pr-managers", (_, _) -> new Json.Array())
        .add("snapshot-save", (options, _) -> commands.save(options))
        .add("snapshot-load", (options, _) -> commands.load(options))
        .add("snapshot-delete", (options, _) -> commands.delete(options))
        .add("system_reset", (_, _) -> commands.reset())
        .add("system_powerdown", (_, _) -> commands.powerDown())
        .add("system_wakeup", (_, _) -> refuseWakeUp())
        .add("device_add", (options, _) -> refuseDevice(options))
        .add("device_del", (options, _) -> noDevice(options.string("id")))
        .add("device-list-properties", (options, _) -> noDevice(options.string("typename")));
  }

  private Json name() {
    String name = SystemOptionText.valueOf(arguments.last("name"), "guest");
    Json.Members reply = new Json.Members();
    return name == null ? reply : reply.put("name", name);
  }

  private Json uuid() {
    SystemArguments.Given given = arguments.last("uuid");
    return new Json.Members().put("UUID", given == null ? NO_UUID : given.text());
  }

  private Json acceleration() {
    return new Json.Members().put("enabled", false).put("present", false);
  }

  private static Json machines() {
    return new Json.Array()
        .add(
            new Json.Members()
                .put("name", "none")
                .put("is-default", true)
                .put("cpu-max", 1)
                .put("hotpluggable-cpus", false)
                .put("numa-mem-supported", false)
                .put("deprecated", false));
  }

  private static Json wakeUp() {
    return new Json.Members().put("wakeup-suspend-support", false);
  }

  private Json reset() {
    Json.Members data = new Json.Members().put("guest", false);
    daemon.events().emit("RESET", data.put("reason", "host-qmp-system-reset"));
    return new Json.Members();
  }

  private Json powerDown() {
    daemon.events().emit("POWERDOWN", new Json.Members());
    return new Json.Members();
  }

  private Json save(OptionReader options) throws CommandException, OptionException {
    String tag = options.string("tag");
    String state = options.string("vmstate");
    List<String> devices = options.strings("devices");
    return start(
        options,
        JobType.SNAPSHOT_SAVE,
        () -> snapshots.save(tag, state, snapshots.keepers(devices), false));
  }

  private Json load(OptionReader options) throws CommandException, OptionException {
    String tag = options.string("tag");
    String state = options.string("vmstate");
    List<String> devices = options.strings("devices");
    return start(
        options,
        JobType.SNAPSHOT_LOAD,
        () -> snapshots.load(tag, state, () -> snapshots.keepers(devices)));
  }

  private Json delete(OptionReader options) throws CommandException, OptionException {
    String tag = options.string("tag");
    List<String> devices = options.strings("devices");
    return start(
        options, JobType.SNAPSHOT_DELETE, () -> snapshots.delete(tag, snapshots.keepers(devices)));
  }

  private Json start(OptionReader options, JobType type, TaskJob.Task task)
      throws CommandException, OptionException {
    try {
      TaskJob.start(daemon.jobs(), options.string("job-id"), type, task);
      return new Json.Members();
    } catch (BlockException e) {
      throw new CommandException(e.errorClass(), String.valueOf(e.getMessage()));
    }
  }

  private static Json refuseWakeUp() throws CommandException {
    throw new CommandException("wake-up from suspend is not supported by this guest");
  }

  private static Json refuseDevice(OptionReader options) throws CommandException, OptionException {
    throw new CommandException(
        "'" + options.string("driver") + "' is not a valid device model name");
  }

  private static Json noDevice(String name) throws CommandException {
    throw new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Device '" + name + "' not found");
  }
}

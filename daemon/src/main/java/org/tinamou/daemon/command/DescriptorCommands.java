package org.tinamou.daemon.command;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.daemon.Daemon;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Sets of files that clients have opened and pass on: {@code /dev/fdset/N}. */
final class DescriptorCommands {
  private static final String SET = "fdset-id";

  private final Daemon daemon;

  DescriptorCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.add("getfd", this::name);
    list.add("closefd", this::closeNamed);
    list.add("add-fd", this::add);
    list.add("remove-fd", (arguments, _) -> remove(arguments));
    list.add("query-fdsets", (_, _) -> sets());
  }

  @InCoroutine
  private Json name(OptionReader arguments, CommandContext context)
      throws OptionException, CommandException {
    int fd = context.takeDescriptor();
    if (fd < 0) {
      throw new CommandException("No file descriptor supplied via SCM_RIGHTS");
    }
    String name = arguments.string("fdname");
    if (startsWithDigit(name)) {
      close(fd);
      throw new CommandException("Parameter 'fdname' expects a name not starting with a digit");
    }
    Integer before = daemon.namedDescriptors().put(context.monitor(), name, fd);
    if (before != null) {
      close(before);
    }
    return new Json.Members();
  }

  /** Elsewhere such names would be numbers of descriptors. */
  private static boolean startsWithDigit(String name) {
    return !name.isEmpty() && name.charAt(0) >= '0' && name.charAt(0) <= '9';
  }

  @InCoroutine
  private Json closeNamed(OptionReader arguments, CommandContext context)
      throws OptionException, CommandException {
    String name = arguments.string("fdname");
    Integer fd = daemon.namedDescriptors().take(context.monitor(), name);
    if (fd == null) {
      throw new CommandException("File descriptor named '" + name + "' not found");
    }
    close(fd);
    return new Json.Members();
  }

  @InCoroutine
  private Json add(OptionReader arguments, CommandContext context)
      throws OptionException, CommandException {
    int fd = context.takeDescriptor();
    if (fd < 0) {
      throw new CommandException("No file descriptor supplied via SCM_RIGHTS");
    }
    Long set = arguments.int64OrNull(SET);
    if (set != null && set < 0) {
      close(fd);
      throw new CommandException("Parameter 'fdset-id' expects a non-negative value");
    }
    long id = daemon.descriptors().add(set, fd, arguments.stringOrNull("opaque"));
    return new Json.Members().put(SET, id).put("fd", fd);
  }

  @InCoroutine
  private void close(int fd) {
    close(daemon, fd);
  }

  /** Closes a descriptor that nobody wants after all. */
  @InCoroutine
  static void close(Daemon daemon, int fd) {
    AioContext main = daemon.main();
    main.callBlocking(
        () -> {
          daemon.descriptors().closeUnwanted(main.hostFiles(), fd);
          return true;
        });
  }

  @InCoroutine
  private Json remove(OptionReader arguments) throws OptionException, CommandException {
    long set = arguments.int64("fdset-id", 0);
    Long fd = arguments.int64OrNull("fd");
    AioContext main = daemon.main();
    Integer number = fd == null ? null : Math.clamp(fd, -1, Integer.MAX_VALUE);
    boolean found =
        main.callBlocking(() -> daemon.descriptors().remove(main.hostFiles(), set, number));
    if (!found) {
      throw new CommandException(
          "File descriptor named 'fdset-id:%d%s' not found"
              .formatted(set, fd == null ? "" : ", fd:" + fd));
    }
    return new Json.Members();
  }

  private Json sets() {
    Json.Array all = new Json.Array();
    daemon
        .descriptors()
        .all()
        .forEach(
            (id, members) -> {
              Json.Array fds = new Json.Array();
              members.forEach(
                  member -> {
                    Json.Members told = new Json.Members().put("fd", member.fd());
                    fds.add(member.opaque() == null ? told : told.put("opaque", member.opaque()));
                  });
              all.add(new Json.Members().put(SET, id).put("fds", fds));
            });
    return all;
  }
}

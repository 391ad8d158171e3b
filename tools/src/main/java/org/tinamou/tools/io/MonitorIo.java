package org.tinamou.tools.io;

import java.util.ArrayDeque;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Permission;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.hmp.HumanCommands;
import org.tinamou.monitor.CommandException;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.image.OpenImage;

/**
 * The tool's commands on drives and nodes of a running daemon, one at a time. What they print goes
 * to the standard output of the process, what goes wrong to the monitor. Coroutines of the main
 * loop.
 */
public final class MonitorIo implements HumanCommands.IoTool {
  private final Daemon daemon;
  private final Console console;
  private final ArrayDeque<Coroutine> pending = new ArrayDeque<>();

  public MonitorIo(Daemon daemon, Console console) {
    this.daemon = daemon;
    this.console = console;
  }

  @Override
  @InCoroutine
  public void run(String name, boolean onlyDevice, String command, StringBuilder out)
      throws CommandException {
    if (onlyDevice) {
      // Devices that have ids are not there.
      throw new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Device '" + name + "' not found");
    }
    Console told = console.withErrorsTo(message -> out.append(message).append('\n'));
    try {
      BlockBackend drive = daemon.nodes().backend(name);
      if (drive == null) {
        onNode(daemon.nodes().find(null, name), command, told);
      } else {
        onDrive(drive, command, told);
      }
    } catch (BlockException e) {
      throw new CommandException(e.errorClass(), String.valueOf(e.getMessage()));
    } finally {
      console.out().flush();
    }
  }

  private void onDrive(BlockBackend drive, String command, Console told) {
    BlockNode node = drive.node();
    if (node == null) {
      refuseWithoutMedium(command);
      return;
    }
    // Statistics are a device's: of these commands only those count that behave like one.
    BlockStatistics statistics = command.strip().startsWith("aio_") ? null : drive.statistics();
    if (statistics == null) {
      new IoCommands(session(drive, node, told)).run(command);
      return;
    }
    drive.setStatistics(null);
    try {
      new IoCommands(session(drive, node, told)).run(command);
    } finally {
      drive.setStatistics(statistics);
    }
  }

  private void onNode(BlockNode node, String command, Console told) throws BlockException {
    BlockBackend backend = new BlockBackend(daemon.graph(), "", node.context(), 0, Permission.ALL);
    try {
      backend.setFollowsNode(true);
      backend.insert(node);
      IoSession session = session(backend, node, told);
      new IoCommands(session).run(command);
      session.drainOwn();
    } finally {
      backend.close();
    }
  }

  private IoSession session(BlockBackend backend, BlockNode node, Console told) {
    return new IoSession(daemon.main(), told, OpenImage.over(backend, node), pending);
  }

  private void refuseWithoutMedium(String command) {
    String word = command.strip().split(" ", 2)[0];
    IoCommand known = IoCommand.find(word);
    if (known == null) {
      console.errorLine("command \"" + word + "\" not found");
    } else if (known.needsImage()) {
      console.line(known.name() + " failed: " + Errno.ENOMEDIUM.message());
    }
  }
}

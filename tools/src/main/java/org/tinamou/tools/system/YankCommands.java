package org.tinamou.tools.system;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.RemotePatience;
import org.tinamou.daemon.MonitoredDaemon;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.chardev.CharDevices;
import org.tinamou.qapi.ErrorClass;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * Cuts connections that hang: of nodes that a server shows, which are of no more use then, and of
 * character devices. Out of band, so also while another command waits for the one that hangs.
 */
final class YankCommands {
  private static final String TYPE = "type";
  private static final String NODE = "block-node";
  private static final String NODE_NAME = "node-name";
  private static final String DEVICE = "chardev";
  private static final String ID = "id";

  private final BlockGraph graph;
  private final CharDevices devices;

  private YankCommands(BlockGraph graph, CharDevices devices) {
    this.graph = graph;
    this.devices = devices;
  }

  @HomeThread
  static void addTo(MonitoredDaemon daemon) {
    YankCommands all = new YankCommands(daemon.daemon().graph(), daemon.devices());
    daemon
        .commands()
        .addOutOfBand("yank", (arguments, _) -> all.yank(arguments))
        .addOutOfBand("query-yank", (_, _) -> all.instances());
  }

  /** All of them, or none if one is not there. */
  private Json yank(OptionReader arguments) throws OptionException, CommandException {
    List<Runnable> cuts = new ArrayList<>();
    for (OptionReader instance : arguments.objects("instances")) {
      Runnable cut =
          switch (instance.string(TYPE)) {
            case NODE -> cutOfNode(instance.string(NODE_NAME));
            case DEVICE -> cutOfDevice(instance.string(ID));
            default -> null;
          };
      if (cut == null) {
        throw new CommandException(ErrorClass.DEVICE_NOT_FOUND, "Instance not found");
      }
      cuts.add(cut);
    }
    cuts.forEach(Runnable::run);
    return new Json.Members();
  }

  private @Nullable Runnable cutOfNode(String name) {
    BlockNode node = graph.node(name);
    RemotePatience.Peer peer = node == null ? null : RemotePatience.peerOf(node);
    return peer == null ? null : peer::giveUp;
  }

  private @Nullable Runnable cutOfDevice(String id) {
    CharDevice device = devices.deviceOrNull(id);
    return device == null || !device.canBeCut() ? null : device::cut;
  }

  private Json instances() {
    Json.Array all = new Json.Array();
    for (CharDevice each : devices.all()) {
      if (each.canBeCut()) {
        all.add(new Json.Members().put(TYPE, DEVICE).put(ID, each.id()));
      }
    }
    for (BlockNode each : graph.nodes()) {
      if (RemotePatience.peerOf(each) != null) {
        all.add(new Json.Members().put(TYPE, NODE).put(NODE_NAME, each.name()));
      }
    }
    return all;
  }
}

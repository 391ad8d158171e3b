package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.jobs.JobList;

/**
 * Finds nodes by their names, and keeps those that users have added until they delete them. Main
 * loop.
 */
public final class HeldNodes {
  private final BlockGraph graph;
  private final JobList jobs;
  private final Map<String, BlockNode> held = new LinkedHashMap<>();

  HeldNodes(BlockGraph graph, JobList jobs) {
    this.graph = graph;
    this.jobs = jobs;
  }

  // ------------------------------------------------------------------------------------ lookups

  /** The node of that name. */
  @HomeThread
  public BlockNode get(String name) throws BlockException {
    BlockNode node = graph.node(name);
    if (node == null) {
      throw new BlockException(Errno.ENODEV, "Failed to find node with node-name='" + name + "'");
    }
    return node;
  }

  /**
   * What a backend of that name shows, else the node of that name; null stands for a name that was
   * not given.
   */
  @HomeThread
  public BlockNode find(@Nullable String device, @Nullable String nodeName) throws BlockException {
    BlockBackend backend = device == null ? null : backend(device);
    if (backend != null) {
      BlockNode node = backend.node();
      if (node == null) {
        throw new BlockException(Errno.ENOMEDIUM, "Device '" + device + "' has no medium");
      }
      return node;
    }
    BlockNode node = nodeName == null ? null : graph.node(nodeName);
    if (node == null) {
      throw new BlockException(
          Errno.ENODEV,
          "Cannot find device='%s' nor node-name='%s'"
              .formatted(device == null ? "" : device, nodeName == null ? "" : nodeName));
    }
    return node;
  }

  /** What a backend or else a node of that name is, or null. */
  @HomeThread
  public @Nullable BlockNode findOrNull(String deviceOrNode) {
    BlockBackend backend = backend(deviceOrNode);
    return backend == null ? graph.node(deviceOrNode) : backend.node();
  }

  /** The same where one name may be either. */
  @HomeThread
  public BlockNode find(String deviceOrNode) throws BlockException {
    return find(deviceOrNode, deviceOrNode);
  }

  /** The same, but a node that another node or a job uses is refused. */
  @HomeThread
  public BlockNode findRoot(String deviceOrNode) throws BlockException {
    BlockNode node = find(deviceOrNode);
    if (node.parents().stream().anyMatch(edge -> !(edge.parent() instanceof BlockBackend))) {
      throw new BlockException(Errno.EINVAL, "Need a root block node");
    }
    return node;
  }

  /** The backend of that name, or null. */
  @HomeThread
  public @Nullable BlockBackend backend(String name) {
    if (name.isEmpty()) {
      return null;
    }
    for (BlockBackend each : graph.backends()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    return null;
  }

  // ------------------------------------------------------------------------------------ holding

  /** Keeps a node, whose reference the caller gives up. */
  @HomeThread
  public void keep(BlockNode node) {
    held.put(node.name(), node);
  }

  /** Whether a user has added the node, and not deleted it. */
  @HomeThread
  public boolean holds(BlockNode node) {
    return held.get(node.name()) == node;
  }

  /** Closes a node that a user has added, and nobody uses. */
  @InCoroutine
  public void delete(String name) throws BlockException {
    BlockNode node = get(name);
    if (node.parents().stream().anyMatch(HeldNodes::isUser)) {
      throw new BlockException(Errno.EBUSY, "Node " + name + " is in use");
    }
    refuseBusy(node);
    if (!holds(node)) {
      throw new BlockException(Errno.EPERM, "Node " + name + " is not owned by the monitor");
    }
    if (!node.parents().isEmpty()) {
      throw new BlockException(Errno.EBUSY, "Block device " + name + " is in use");
    }
    held.remove(name);
    graph.release(node);
  }

  /**
   * Whether whoever uses a node does so for himself: a backend, a job that reads or writes it, or a
   * mirror its target.
   */
  private static boolean isUser(Edge edge) {
    if (!(edge.parent() instanceof BlockNode parent)) {
      return edge.parent() instanceof BlockBackend
          || !edge.name().equals("main node") && edge.permissions() != Permission.NONE;
    }
    BlockDriver driver = parent.driverOrNull();
    return edge.name().equals("target")
        && driver != null
        && driver.formatName().equals("mirror_top");
  }

  /** Refuses to touch a node that shows through another one, or that a job works on. */
  @HomeThread
  public void refuseBusy(BlockNode node) throws BlockException {
    jobs.checkNotBlocked(node);
    for (Edge edge : node.parents()) {
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE) && edge.parent() instanceof BlockNode up) {
        throw new BlockException(
            Errno.EBUSY,
            "Node '%s' is busy: node is used as backing hd of '%s'"
                .formatted(node.name(), up.name()));
      }
    }
  }

  /** Lets go of all of them, the last one first. */
  @InCoroutine
  public void close() {
    List<BlockNode> all = new ArrayList<>(held.values());
    held.clear();
    all.reversed().forEach(graph::release);
  }
}

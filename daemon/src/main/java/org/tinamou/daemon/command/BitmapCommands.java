package org.tinamou.daemon.command;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeNames;
import org.tinamou.block.bitmap.BitmapBackup;
import org.tinamou.block.bitmap.BitmapList;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.daemon.Daemon;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.PersistentBitmaps;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionReader.Choice;

/** Dirty bitmaps: each command is the step of a transaction by the same name, alone. */
final class BitmapCommands {
  private static final List<String> STEPS =
      List.of("add", "remove", "clear", "enable", "disable", "merge");

  private final Daemon daemon;

  BitmapCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    for (String each : STEPS) {
      list.action(
          "block-dirty-bitmap-" + each, arguments -> step(each, arguments).prepareAndCommit());
    }
    list.query("x-debug-block-dirty-bitmap-sha256", this::sha256);
  }

  /** The step of a transaction that does what one of the commands does. */
  TransactionStep step(String what, OptionReader arguments) throws OptionException {
    String node = arguments.string("node");
    return switch (what) {
      case "add" -> new Add(node, arguments);
      case "remove" -> new Remove(node, arguments.string("name"));
      case "clear" -> new Clear(node, arguments.string("name"));
      case "enable" -> new Switch(node, arguments.string("name"), true);
      case "disable" -> new Switch(node, arguments.string("name"), false);
      case "merge" -> new Merge(node, arguments.string("target"), sources(arguments));
      default -> throw new IllegalStateException(what.toLowerCase(Locale.ROOT));
    };
  }

  private BlockNode node(String name) throws BlockException {
    BlockNode node = daemon.nodes().findOrNull(name);
    if (node == null) {
      throw new BlockException(Errno.ENODEV, "Node '" + name + "' not found");
    }
    return node;
  }

  private Json sha256(OptionReader arguments) throws OptionException, BlockException {
    DirtyBitmap bitmap = node(arguments.string("node")).bitmaps().get(arguments.string("name"));
    return new Json.Members().put("sha256", bitmap.sha256());
  }

  // --------------------------------------------------------------------------------------- steps

  /** A new bitmap, which goes again if the transaction fails. */
  private final class Add implements TransactionStep {
    private final String nodeName;
    private final String name;
    private final @Nullable Long granularity;
    private final boolean persistent;
    private final boolean disabled;
    private @Nullable BitmapList list;
    private @Nullable DirtyBitmap added;

    Add(String nodeName, OptionReader arguments) throws OptionException {
      this.nodeName = nodeName;
      this.name = arguments.string("name");
      this.granularity = arguments.uint32OrNull("granularity");
      this.persistent = arguments.bool("persistent", false);
      this.disabled = arguments.bool("disabled", false);
    }

    @Override
    public void prepare() throws BlockException {
      BlockNode node = daemon.nodes().find(nodeName);
      if (name.isEmpty()) {
        throw new BlockException(Errno.EINVAL, "Bitmap name cannot be empty");
      }
      long bytes =
          granularity == null
              ? DirtyBitmap.defaultGranularityBytes(clusterBytes(node))
              : granularity;
      new DirtyBitmap(null, 0, bytes); // refuses a granularity that is not allowed
      if (persistent) {
        checkStorable(node, name, bytes);
      }
      list = node.bitmaps();
      DirtyBitmap bitmap = list.create(name, node.lengthBytes(), bytes);
      added = bitmap;
      bitmap.setPersistent(persistent);
      if (disabled) {
        bitmap.disable();
      }
    }

    @Override
    public void abort() {
      if (list != null && added != null) {
        list.remove(added);
      }
    }
  }

  static long clusterBytes(BlockNode node) {
    return node.driverOrNull() instanceof ImageDescription.Source source
        ? source.description().clusterBytes()
        : 0;
  }

  private static void checkStorable(BlockNode node, String name, long granularity)
      throws BlockException {
    if (!(node.driverOrNull() instanceof PersistentBitmaps keeper)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Can't store persistent bitmaps to "
              + NodeNames.deviceOrNode(node)
              + ": Operation not supported");
    }
    if (node.bitmaps().find(name) != null) {
      throw new BlockException(Errno.EEXIST, "Bitmap already exists: " + name);
    }
    if (node.isReadOnly()) {
      throw new BlockException(
          Errno.EACCES,
          "Can't store persistent bitmaps to "
              + NodeNames.deviceOrNode(node)
              + ": Permission denied");
    }
    keeper.checkStorable(name, granularity);
  }

  /**
   * A bitmap that nobody else may use until it is certain that it goes. It is not kept any more if
   * its image becomes read-only in the same transaction.
   */
  private final class Remove implements TransactionStep {
    private final String nodeName;
    private final String name;
    private @Nullable BitmapList list;
    private @Nullable DirtyBitmap leaving;
    private boolean wasKept;

    Remove(String nodeName, String name) {
      this.nodeName = nodeName;
      this.name = name;
    }

    @Override
    public void prepare() throws BlockException {
      list = node(nodeName).bitmaps();
      DirtyBitmap bitmap = list.get(name);
      bitmap.checkUsable(DirtyBitmap.Use.REMOVE);
      bitmap.setBusy(true);
      wasKept = bitmap.isPersistent();
      bitmap.setPersistent(false);
      leaving = bitmap;
    }

    @Override
    public void commit() {
      if (list != null && leaving != null) {
        leaving.setBusy(false);
        list.remove(leaving);
      }
    }

    @Override
    public void abort() {
      if (leaving != null) {
        leaving.setPersistent(wasKept);
        leaving.setBusy(false);
      }
    }
  }

  /** Cleaned at once, and filled again if the transaction fails. */
  private final class Clear implements TransactionStep {
    private final String nodeName;
    private final String name;
    private @Nullable DirtyBitmap bitmap;
    private @Nullable BitmapBackup before;

    Clear(String nodeName, String name) {
      this.nodeName = nodeName;
      this.name = name;
    }

    @Override
    public void prepare() throws BlockException {
      DirtyBitmap found = node(nodeName).bitmaps().get(name);
      found.checkUsable(DirtyBitmap.Use.MODIFY);
      bitmap = found;
      before = found.clear();
    }

    @Override
    public void abort() {
      if (bitmap != null && before != null) {
        bitmap.restore(before);
      }
    }
  }

  /** Recording or not. */
  private final class Switch implements TransactionStep {
    private final String nodeName;
    private final String name;
    private final boolean enabled;
    private @Nullable DirtyBitmap bitmap;
    private boolean before;

    Switch(String nodeName, String name, boolean enabled) {
      this.nodeName = nodeName;
      this.name = name;
      this.enabled = enabled;
    }

    @Override
    public void prepare() throws BlockException {
      DirtyBitmap found = node(nodeName).bitmaps().get(name);
      found.checkUsable(DirtyBitmap.Use.MODIFY);
      before = found.isEnabled();
      bitmap = found;
      set(found, enabled);
    }

    @Override
    public void abort() {
      if (bitmap != null) {
        set(bitmap, before);
      }
    }

    private static void set(DirtyBitmap bitmap, boolean enabled) {
      if (enabled) {
        bitmap.enable();
      } else {
        bitmap.disable();
      }
    }
  }

  /** Where a bitmap is: on the target's node unless a node is named. */
  private record Source(@Nullable String nodeName, String name) {}

  private static List<Source> sources(OptionReader arguments) throws OptionException {
    java.util.ArrayList<Source> all = new java.util.ArrayList<>();
    for (Choice each : arguments.choices("bitmaps", "BlockDirtyBitmapOrStr")) {
      if (each instanceof Choice.Named(String name)) {
        all.add(new Source(null, name));
      } else if (each instanceof Choice.Inline(OptionReader inline)) {
        all.add(new Source(inline.string("node"), inline.string("name")));
      }
    }
    return all;
  }

  /** All sources at once, or none. */
  private final class Merge implements TransactionStep {
    private final String nodeName;
    private final String target;
    private final List<Source> sources;
    private @Nullable DirtyBitmap bitmap;
    private @Nullable BitmapBackup before;

    Merge(String nodeName, String target, List<Source> sources) {
      this.nodeName = nodeName;
      this.target = target;
      this.sources = sources;
    }

    @Override
    public void prepare() throws BlockException {
      BlockNode node = node(nodeName);
      DirtyBitmap into = node.bitmaps().get(target);
      into.checkUsable(DirtyBitmap.Use.MODIFY);
      List<DirtyBitmap> from = new java.util.ArrayList<>();
      for (Source each : sources) {
        BlockNode where = node;
        if (each.nodeName() != null) {
          where = daemon.graph().node(each.nodeName());
          if (where == null) {
            throw new BlockException(Errno.ENOENT, "Node '" + each.nodeName() + "' not found");
          }
        }
        DirtyBitmap source = where.bitmaps().get(each.name());
        into.checkMergeable(source);
        from.add(source);
      }
      bitmap = into;
      before = into.backup();
      for (DirtyBitmap each : from) {
        into.merge(each);
      }
    }

    @Override
    public void abort() {
      if (bitmap != null && before != null) {
        bitmap.restore(before);
      }
    }
  }
}

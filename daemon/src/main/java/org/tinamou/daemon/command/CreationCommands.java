package org.tinamou.daemon.command;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Permission;
import org.tinamou.block.open.FileNames;
import org.tinamou.daemon.Daemon;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.drivers.ImageFilling;
import org.tinamou.drivers.format.qcow2.Qcow2CreationOptions;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.drivers.protocol.file.FileCreator;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.TaskJob;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** Jobs that make images and that change what they were made with. */
final class CreationCommands {
  private static final String DATA_FILE = "data-file";
  private static final String SIZE = "size";
  private static final String QCOW2 = "qcow2";

  /** What the command line does not call by the same name with other dashes. */
  private static final Map<String, String> OTHER_NAMES = Map.of("version", "compat");

  /** Formats that can be made by their own words, but not here. */
  private static final Set<String> NOT_THERE =
      Set.of(
          "gluster", "nfs", "parallels", "qcow", "qed", "rbd", "ssh", "vdi", "vhdx", "vmdk", "vpc");

  private final Daemon daemon;

  CreationCommands(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.action("blockdev-create", this::create);
    list.action("x-blockdev-amend", this::amend);
  }

  /** A task that may find that its options are wrong. */
  @FunctionalInterface
  private interface Work {
    @InCoroutine
    void run() throws BlockException, OptionException;
  }

  private void start(JobType type, OptionReader arguments, Work work)
      throws OptionException, BlockException {
    TaskJob.start(
        daemon.jobs(),
        arguments.string("job-id"),
        type,
        () -> {
          try {
            work.run();
          } catch (OptionException e) {
            throw new BlockException(Errno.EINVAL, e.getMessage());
          }
        });
  }

  // ---------------------------------------------------------------------------------- creating

  private void create(OptionReader arguments) throws OptionException, BlockException {
    Json.Members options = options(arguments);
    String driver = String.valueOf(text(options, "driver"));
    Work work =
        switch (driver) {
          case "file" -> () -> createFile(options);
          case QCOW2 -> () -> createQcow2(options);
          case "luks" -> () -> createLuks(options);
          default ->
              throw new BlockException(
                  Errno.EOPNOTSUPP,
                  NOT_THERE.contains(driver)
                      ? "Block driver '" + driver + "' not found or not supported"
                      : "Driver does not support blockdev-create");
        };
    start(JobType.CREATE, arguments, work);
  }

  private void createFile(Json.Members options) throws BlockException, OptionException {
    String name = String.valueOf(text(options, "filename"));
    FileCreator.createExactly(
        daemon.main(), Path.of(name), name, values(FileCreator.OPTIONS, options));
  }

  private void createQcow2(Json.Members options) throws BlockException, OptionException {
    BlockBackend file = open(options, "file");
    try {
      if (options.members().containsKey(DATA_FILE)) {
        BlockBackend dataFile = open(options, DATA_FILE);
        try {
          fillQcow2(options, nodeOf(file), nodeOf(dataFile));
        } finally {
          dataFile.close();
        }
      } else {
        fillQcow2(options, nodeOf(file), null);
      }
    } finally {
      file.close();
    }
  }

  private void fillQcow2(Json.Members options, BlockNode file, @Nullable BlockNode dataFile)
      throws BlockException, OptionException {
    OptionValues values = values(Qcow2CreationOptions.OPTIONS, options);
    if (dataFile != null) {
      values = values.with("data_file", FileNames.of(dataFile));
    }
    Qcow2Creator.Request request =
        Qcow2CreationOptions.request(values).withSizeBytes(size(options));
    new ImageFilling(daemon.graph(), daemon.objects()).qcow2(file, dataFile, request);
  }

  private void createLuks(Json.Members options) throws BlockException, OptionException {
    BlockBackend file = open(options, "file");
    try {
      OptionValues values = values(ImageCreation.options("luks"), options);
      new ImageFilling(daemon.graph(), daemon.objects()).luks(nodeOf(file), values);
    } finally {
      file.close();
    }
  }

  /** A node that is named, or made for the occasion, by a handle that keeps it. */
  @InCoroutine
  private BlockBackend open(Json.Members options, String key) throws BlockException {
    if (!(options.members().get(key) instanceof Json.Members inline)) {
      return hold(daemon.nodes().find(String.valueOf(text(options, key))));
    }
    BlockNode node = daemon.open(inline);
    try {
      return hold(node);
    } finally {
      daemon.graph().release(node);
    }
  }

  @InCoroutine
  private BlockBackend hold(BlockNode node) throws BlockException {
    BlockBackend backend = new BlockBackend(daemon.graph(), "", node.context(), 0, Permission.ALL);
    boolean done = false;
    try {
      backend.setFollowsNode(true);
      backend.insert(node);
      done = true;
      return backend;
    } finally {
      if (!done) {
        backend.close();
      }
    }
  }

  private static BlockNode nodeOf(BlockBackend holder) {
    return Objects.requireNonNull(holder.node());
  }

  // ---------------------------------------------------------------------------------- amending

  private void amend(OptionReader arguments) throws OptionException, BlockException {
    BlockNode node = daemon.nodes().find(null, arguments.string("node-name"));
    Json.Members options = options(arguments);
    boolean force = arguments.bool("force", false);
    String driver = String.valueOf(text(options, "driver"));
    if (!node.driver().formatName().equals(driver)) {
      throw new BlockException(
          Errno.EINVAL, "x-blockdev-amend doesn't support changing the block driver");
    }
    if (!(node.driver() instanceof AmendableImage)) {
      throw new BlockException(Errno.EOPNOTSUPP, "Driver does not support x-blockdev-amend");
    }
    BlockBackend holder = hold(node);
    boolean started = false;
    try {
      start(
          JobType.AMEND,
          arguments,
          () -> {
            try {
              if (node.driverOrNull() instanceof AmendableImage image) {
                image.amend(values(image.amendOptions(), options), force);
              }
            } finally {
              holder.close();
            }
          });
      started = true;
    } finally {
      if (!started) {
        holder.close();
      }
    }
  }

  // ----------------------------------------------------------------------------------- options

  private static Json.Members options(OptionReader arguments) throws OptionException {
    return (Json.Members) Objects.requireNonNull(CommandList.value(arguments, "options"));
  }

  private static @Nullable String text(Json.Members options, String key) {
    return options.members().get(key) instanceof Json.Scalar value ? value.text() : null;
  }

  private static long size(Json.Members options) {
    String text = text(options, SIZE);
    return text == null ? 0 : new java.math.BigInteger(text).longValue();
  }

  /** The options that a schema knows, as if they had been written on a command line. */
  private static OptionValues values(OptionSchema schema, Json.Members options)
      throws OptionException {
    StringBuilder line = new StringBuilder();
    append(schema, options, "", line);
    return schema.parse(line.toString());
  }

  private static void append(
      OptionSchema schema, Json.Members options, String prefix, StringBuilder line) {
    for (Map.Entry<String, Json> each : options.members().entrySet()) {
      String name = prefix + each.getKey();
      if (each.getValue() instanceof Json.Members nested) {
        append(schema, nested, name + ".", line);
      } else if (each.getValue() instanceof Json.Scalar scalar) {
        String listed = OTHER_NAMES.getOrDefault(name, name);
        String known = schema.accepts(listed) ? listed : listed.replace('-', '_');
        if (schema.accepts(known)) {
          line.append(line.isEmpty() ? "" : ",").append(known).append('=').append(word(scalar));
        }
      }
    }
  }

  private static String word(Json.Scalar value) {
    return value instanceof Json.Bool(boolean on)
        ? on ? "on" : "off"
        : value.text().replace(",", ",,");
  }
}

package org.tinamou.drivers;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.drivers.format.qcow2.NewEncryption;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionValues;

/** Makes images in files that are open as nodes of a graph. Coroutines of its main loop. */
public final class ImageFilling {
  private static final String ENCRYPTION_KEY = "encrypt.key-secret";
  private static final int USED = Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE;

  private static final int SIGNATURE_BYTES = 512;

  private final BlockGraph graph;
  private final ObjectRegistry objects;

  /**
   * For files of a graph.
   *
   * @param objects what options may name
   */
  public ImageFilling(BlockGraph graph, ObjectRegistry objects) {
    this.graph = graph;
    this.objects = objects;
  }

  /**
   * Has a node be an image without a format, of at least some length. It does not begin with the
   * signature of one any more.
   */
  @InCoroutine
  public void plain(BlockNode file, long lengthBytes) throws BlockException {
    BlockBackend target = backend(file, Permission.WRITE | Permission.RESIZE);
    try {
      if (target.lengthBytes() < lengthBytes) {
        target.truncate(lengthBytes, false, PreallocationMode.OFF);
      }
      long signatureBytes = Math.min(SIGNATURE_BYTES, target.lengthBytes());
      if (signatureBytes > 0) {
        target.writeZeroes(0, signatureBytes, RequestFlags.NONE);
      }
    } finally {
      target.close();
    }
  }

  /** Makes a volume of what is in the options, of {@link LuksCreator#OPTIONS}. */
  @InCoroutine
  public void luks(BlockNode file, OptionValues options) throws BlockException, OptionException {
    BlockBackend target = backend(file, Permission.WRITE | Permission.RESIZE);
    try {
      target.setPermissions(USED, Permission.ALL);
      LuksCreator.create(target, options, objects, LuksType.work(graph.main(), null));
    } finally {
      target.close();
    }
  }

  /**
   * Makes a qcow2 image.
   *
   * @param dataFile an open data file, or null if there is none or it is to be opened by its name
   */
  @InCoroutine
  public void qcow2(BlockNode file, @Nullable BlockNode dataFile, Qcow2Creator.Request request)
      throws BlockException {
    NewEncryption encryption = request.extras().encryption();
    byte[] password =
        encryption == null
            ? new byte[0]
            : LuksCreator.password(objects, ENCRYPTION_KEY, encryption.keySecret());
    BlockBackend target = backend(file, Permission.WRITE | Permission.RESIZE);
    try {
      Qcow2Creator.create(target, request);
    } finally {
      target.close();
    }
    if (encryption != null) {
      encrypt(file, dataFile, encryption, password);
    }
    if (request.preallocation() != PreallocationMode.OFF || request.extras().dataFile() != null) {
      BlockBackend image =
          openQcow2(file, dataFile, encryption == null ? null : encryption.keySecret(), true);
      try {
        image.truncate(request.sizeBytes(), false, request.preallocation());
        image.flush();
      } finally {
        image.close();
      }
    }
  }

  private void encrypt(
      BlockNode file, @Nullable BlockNode dataFile, NewEncryption encryption, byte[] password)
      throws BlockException {
    BlockBackend image = openQcow2(file, dataFile, null, false);
    try {
      BlockNode node = image.node();
      if (node != null && node.driverOrNull() instanceof Qcow2Driver driver) {
        encryption.apply(driver, password, LuksType.work(graph.main(), null));
      }
    } finally {
      image.close();
    }
  }

  private BlockBackend openQcow2(
      BlockNode file, @Nullable BlockNode dataFile, @Nullable String keySecret, boolean withBacking)
      throws BlockException {
    Json.Members options = new Json.Members().put("driver", "qcow2").put("file", file.name());
    if (dataFile != null) {
      options.put("data-file", dataFile.name());
    }
    if (keySecret != null) {
      options.put(ENCRYPTION_KEY, keySecret);
    }
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects), withBacking);
    ImageAddress address = new ImageAddress(null, options, OptionReader.Style.LOOSE);
    BlockNode node = opener.open(address, NodeOptions.READ_WRITE, graph.main());
    try {
      return backend(node, USED);
    } finally {
      graph.release(node);
    }
  }

  private BlockBackend backend(BlockNode node, int used) throws BlockException {
    BlockBackend backend = new BlockBackend(graph, "", node.context(), used, Permission.ALL);
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
}

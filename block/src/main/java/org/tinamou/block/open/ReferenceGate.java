package org.tinamou.block.open;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionReader;

/** The one place that decides whether something is opened because an image names it. */
final class ReferenceGate {
  private final ImagePolicy policy;
  private final DriverList drivers;

  ReferenceGate(ImagePolicy policy, DriverList drivers) {
    this.policy = policy;
    this.drivers = drivers;
  }

  /**
   * How to open what an image names.
   *
   * @param image the node of the image, whose file is open already
   * @param child what it is to the image
   * @throws BlockException if it is not to be opened
   */
  @InCoroutine
  ImageAddress admit(BlockNode image, String child, ImageAddress named) throws BlockException {
    return switch (policy.references()) {
      case ANY -> named;
      case NONE -> throw refused(child, named, "nothing that an image names is opened");
      case SAME_DIRECTORY -> neighbour(image, child, named);
    };
  }

  private static @Nullable String text(ImageAddress named, String option) {
    return named.options().members().get(option) instanceof Json.Text(String text) ? text : null;
  }

  private static String nameOf(ImageAddress named) {
    String name = named.fileName() == null ? text(named, "filename") : named.fileName();
    return name == null ? "" : name;
  }

  private static BlockException refused(String child, ImageAddress named, String reason) {
    return new BlockException(
            Errno.EPERM, "The image names '" + nameOf(named) + "' as its " + child + ": " + reason)
        .withHint("Whoever trusts it can give it as the option '" + child + "'.");
  }

  private ImageAddress neighbour(BlockNode image, String child, ImageAddress named)
      throws BlockException {
    String name = nameOf(named);
    String driver = text(named, "driver");
    boolean isFile = "file".equals(driver) && named.fileName() == null;
    if (!isFile && driver != null && !isFormat(driver)) {
      throw refused(child, named, "'" + driver + "' is no format of a file");
    }
    if (!isFile && DriverList.prefixOf(name) != null || name.isEmpty()) {
      throw refused(child, named, "only files beside the image are opened");
    }
    Edge file = image.child("file");
    String place = file == null ? "" : FileNames.exactOrEmpty(file.child());
    String path = realPathBeside(image.context(), place, name);
    if (path == null) {
      throw refused(child, named, "only regular files beside the image are opened");
    }
    Json.Members options = new Json.Members();
    if (isFile) {
      options.put("driver", "file").put("filename", path);
    } else {
      if (driver != null) {
        options.put("driver", driver);
      }
      options.put("file.driver", "file").put("file.filename", path);
    }
    return new ImageAddress(null, options, OptionReader.Style.LOOSE);
  }

  private boolean isFormat(String driver) throws BlockException {
    DriverType type = drivers.find(driver);
    return !(type instanceof DriverType.Protocol) && !type.isFilter();
  }

  /** Where a name leads to, if that is a regular file in the directory of another one; or null. */
  private static @Nullable String realPathBeside(AioContext context, String place, String name)
      throws BlockException {
    try {
      return context.<@Nullable String, IOException>callBlocking(
          () -> {
            Path directory = Path.of(place).toAbsolutePath().getParent();
            if (place.isEmpty() || directory == null) {
              return null;
            }
            Path home = directory.toRealPath();
            Path asked = Path.of(name).toAbsolutePath().normalize();
            try {
              Path real = asked.toRealPath();
              boolean beside = home.equals(real.getParent());
              return beside && Files.isRegularFile(real) ? real.toString() : null;
            } catch (NoSuchFileException e) {
              if (home.equals(asked.getParent())) {
                throw e;
              }
              return null; // what there is elsewhere is not told
            }
          });
    } catch (NoSuchFileException e) {
      throw BlockException.of(Errno.ENOENT, "Could not open '" + name + "'");
    } catch (InvalidPathException | IOException e) {
      return null;
    }
  }
}

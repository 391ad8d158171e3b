package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;

/** Where descriptors of files come from. Calls may block; any thread. */
interface FileOpener {
  /** The host opens what has that name. */
  FileOpener HOST =
      (files, path, name, flags) -> {
        try {
          return files.open(path, 0, flags);
        } catch (ErrnoException e) {
          throw BlockException.of(e.errno(), "Could not open '" + name + "'");
        }
      };

  /**
   * A descriptor of its own for the caller.
   *
   * @param name what messages call it
   */
  int open(HostFiles files, Path path, String name, OpenFlag... flags) throws BlockException;

  /** A descriptor that was opened by that name has been closed. */
  default void closed(HostFiles files, Path path) {}
}

package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;

/** A process that has an image open, lets nobody write to it, and lives until it is killed. */
final class HoldImage {
  private HoldImage() {}

  public static void main(String[] arguments) throws Exception {
    OnLoop.run(
        context -> {
          FileDriver.open(
              context,
              Path.of(arguments[0]),
              "image",
              FileOptions.reading(CacheMode.WRITEBACK)
                  .unsharing(org.tinamou.block.Permission.WRITE));
          System.out.println("held");
          context.callBlocking(System.in::read);
        });
  }
}

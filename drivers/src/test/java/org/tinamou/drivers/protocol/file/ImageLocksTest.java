package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;

/** Two openings of a file refuse each other as two processes do. */
class ImageLocksTest {
  private static final FileOptions READ = FileOptions.reading(CacheMode.WRITEBACK);
  private static final FileOptions WRITE = FileOptions.writing(CacheMode.WRITEBACK);

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.write(directory.resolve("image"), new byte[1000]);
  }

  private FileDriver open(AioContext context, FileOptions options) throws BlockException {
    return FileDriver.open(context, file, "image", options);
  }

  private void assertRefused(AioContext context, FileOptions options, String message) {
    BlockException refused =
        assertThrows(BlockException.class, () -> open(context, options).close());
    assertEquals(message, refused.getMessage());
    assertEquals("Is another process using the image [image]?", refused.hint());
  }

  @Test
  void sharersCoexist() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver one = open(context, WRITE);
          FileDriver other = open(context, WRITE);
          open(context, READ).close();
          one.close();
          other.close();
        });
  }

  @Test
  void whoeverDoesNotShareKeepsOthersOut() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver holder = open(context, READ.unsharing(Permission.WRITE));
          assertRefused(context, WRITE, "Failed to get \"write\" lock");
          open(context, READ).close();
          holder.close();
          open(context, WRITE).close();
        });
  }

  @Test
  void whoeverComesLaterCannotTakeAwayWhatIsInUse() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver holder = open(context, WRITE);
          assertRefused(
              context, READ.unsharing(Permission.WRITE), "Failed to get shared \"write\" lock");
          assertRefused(
              context,
              READ.unsharing(Permission.CONSISTENT_READ),
              "Failed to get shared \"consistent read\" lock");
          holder.close();
        });
  }

  @Test
  void aRefusedChangeKeepsWhatWasHeld() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver holder = open(context, READ.unsharing(Permission.RESIZE));
          FileDriver other = open(context, READ);
          assertThrows(
              BlockException.class,
              () ->
                  other.announce(
                      Permission.CONSISTENT_READ | Permission.RESIZE,
                      Permission.ALL & ~Permission.WRITE,
                      "image"));
          // Neither the resize nor the refusal to share writing stayed behind.
          open(context, WRITE).close();
          open(context, READ.unsharing(Permission.RESIZE)).close();
          other.announce(Permission.CONSISTENT_READ, Permission.ALL & ~Permission.WRITE, "image");
          assertRefused(context, WRITE, "Failed to get \"write\" lock");
          other.close();
          holder.close();
        });
  }

  @Test
  void openingAndClosingElsewhereInTheProcessDropsNothing() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver holder = open(context, READ.unsharing(Permission.WRITE));
          open(context, READ).close();
          Files.readAllBytes(file);
          assertRefused(context, WRITE, "Failed to get \"write\" lock");
          holder.close();
        });
  }
}

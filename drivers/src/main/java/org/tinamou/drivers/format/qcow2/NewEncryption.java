package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.format.luks.KeyWork;
import org.tinamou.drivers.format.luks.LuksRequest;
import org.tinamou.drivers.format.luks.LuksType;
import org.tinamou.drivers.format.luks.LuksVolume;

/**
 * The encryption of a new image.
 *
 * @param luks null for the old AES
 * @param keySecret the id of the password, or null
 */
public record NewEncryption(@Nullable LuksRequest luks, @Nullable String keySecret) {
  /**
   * Encrypts an image that has no data yet; it has to be opened anew afterwards.
   *
   * @param driver the open image
   * @param password opens it
   */
  @InCoroutine
  public void apply(Qcow2Driver driver, byte[] password, KeyWork work) throws BlockException {
    Qcow2Image image = driver.image();
    image.metadata().lock();
    try {
      image.writeBack();
      apply(image, password, work);
    } finally {
      image.metadata().unlock();
    }
  }

  private void apply(Qcow2Image image, byte[] password, KeyWork work) throws BlockException {
    LuksRequest request = luks;
    if (request == null) {
      image.rewriteHeader(header -> header.withEncryption(Encryption.AES, header.extensions()));
      return;
    }
    Geometry geometry = image.geometry();
    long bytes = LuksVolume.headerSectors(request) * 512;
    long clusters = geometry.clustersOf(bytes);
    long offset =
        image.allocator().allocateContiguous(clusters).firstCluster() << geometry.clusterBits();
    HeaderExtension place =
        new HeaderExtension(
            HeaderExtension.ENCRYPTION,
            ByteBuffer.allocate(2 * Long.BYTES).putLong(offset).putLong(bytes).array());
    image.file().writeZeroes(offset, clusters << geometry.clusterBits(), 0);
    LuksVolume.create(
        new LuksType.EdgeArea(image.file(), offset, bytes), request, password, false, work);
    image.stabiliseCounts();
    image.rewriteHeader(
        header -> {
          List<HeaderExtension> extensions = new ArrayList<>(header.extensions());
          extensions.addFirst(place);
          return header.withEncryption(Encryption.LUKS, extensions);
        });
  }
}

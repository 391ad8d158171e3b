package org.tinamou.testkit.workload;

import java.util.function.Supplier;
import org.tinamou.block.BlockNode;
import org.tinamou.testkit.net.MemoryExport;

/**
 * Where data are, with a look at them that goes through no request.
 *
 * @param isExact whether a request that has ended leaves nothing behind that still happens
 */
record JobsMedium(BlockNode node, Supplier<byte[]> bytes, boolean isExact) {
  static JobsMedium memory(BlockNode node, MemoryDriver driver) {
    return new JobsMedium(node, driver::contents, true);
  }

  static JobsMedium remote(BlockNode node, MemoryExport export, boolean isExact) {
    return new JobsMedium(node, export::bytes, isExact);
  }

  byte[] contents() {
    return bytes.get();
  }
}

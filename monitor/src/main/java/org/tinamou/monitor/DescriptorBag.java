package org.tinamou.monitor;

import java.util.ArrayDeque;
import org.tinamou.aio.PassedDescriptor;

/** Descriptors that came with a command; those it does not take are closed. */
final class DescriptorBag implements CommandContext, AutoCloseable {
  private final Object monitor;
  private final ArrayDeque<PassedDescriptor> descriptors = new ArrayDeque<>(0);

  DescriptorBag(Object monitor) {
    this.monitor = monitor;
  }

  void add(PassedDescriptor descriptor) {
    descriptors.add(descriptor);
  }

  boolean isEmpty() {
    return descriptors.isEmpty();
  }

  void takeAll(DescriptorBag other) {
    descriptors.addAll(other.descriptors);
    other.descriptors.clear();
  }

  @Override
  public int takeDescriptor() {
    PassedDescriptor first = descriptors.poll();
    return first == null ? -1 : first.take();
  }

  @Override
  public Object monitor() {
    return monitor;
  }

  @Override
  public void close() {
    descriptors.forEach(PassedDescriptor::close);
    descriptors.clear();
  }
}

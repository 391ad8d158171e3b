package org.tinamou.api;

import org.tinamou.aio.IoThread;

/** A thread of its own for the requests of the disks that are moved to it. */
public final class DiskLoop {
  private final IoThread thread;
  private final String name;

  DiskLoop(IoThread thread, String name) {
    this.thread = thread;
    this.name = name;
  }

  IoThread thread() {
    return thread;
  }

  public String name() {
    return name;
  }

  @Override
  public String toString() {
    return "loop '" + name + "'";
  }
}

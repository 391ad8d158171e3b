package org.tinamou.jobs;

import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.AnyThread;

/** How much is done and how much is left, in the job's own units. */
public final class JobProgress {
  private final ReentrantLock lock = new ReentrantLock();
  private long current;
  private long remaining;

  /** So much more is done. */
  @AnyThread
  public void done(long amount) {
    lock.lock();
    try {
      current += amount;
    } finally {
      lock.unlock();
    }
  }

  /** So much is left from now on. */
  @AnyThread
  public void setRemaining(long amount) {
    lock.lock();
    try {
      remaining = amount;
    } finally {
      lock.unlock();
    }
  }

  /** More, or with a negative amount less, is left. */
  @AnyThread
  public void addRemaining(long amount) {
    lock.lock();
    try {
      remaining += amount;
    } finally {
      lock.unlock();
    }
  }

  /** So much of what was left is done. */
  @AnyThread
  public void advance(long amount) {
    lock.lock();
    try {
      current += amount;
      remaining -= amount;
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  public long current() {
    lock.lock();
    try {
      return current;
    } finally {
      lock.unlock();
    }
  }

  /** What is done and what is left, together. */
  @AnyThread
  public long total() {
    lock.lock();
    try {
      return current + remaining;
    } finally {
      lock.unlock();
    }
  }
}

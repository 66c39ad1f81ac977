package org.jloss;

import org.jloss.binding.Native;

/**
 * Counts the bytes of CPU tensors, jloss's and everybody's, of all threads. Nothing is counted, and
 * nothing costs, unless one of these is open.
 *
 * <p>Counted are the tensors that are allocated while it is open. Memory that no tensor owns is
 * not: the scratch space of OpenBLAS, or of a kernel's thread.
 */
public final class NativeMemory implements AutoCloseable {
  private boolean open = true;

  private NativeMemory() {}

  /** Begins to count. */
  public static NativeMemory track() {
    NativeLibrary.load();
    Native.track_memory(true);
    return new NativeMemory();
  }

  /** The bytes of tensors that are alive and were allocated while counting. */
  public long liveBytes() {
    return Native.live_bytes();
  }

  /**
   * The most bytes that an action had allocated at once, beyond what was there before it. Other
   * threads' tensors count too.
   *
   * @param action what to measure
   */
  public static synchronized long peakDuring(Runnable action) {
    try (NativeMemory memory = track()) {
      Native.reset_peak_bytes();
      final long before = memory.liveBytes();
      action.run();
      return Native.peak_bytes() - before;
    }
  }

  /** Ceases to count. */
  @Override
  public void close() {
    if (open) {
      open = false;
      Native.track_memory(false);
    }
  }
}

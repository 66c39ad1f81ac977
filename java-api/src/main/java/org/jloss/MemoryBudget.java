package org.jloss;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What tensors made by this library's helpers and file readers may take. Asked before libtorch is:
 * the kernel would give out more memory than there is, and then end the process.
 */
public final class MemoryBudget {
  /** Below this the machine is not asked: a tensor as small does not matter. */
  private static final long FREE_OF_CHARGE = 64L << 20;

  private static volatile @Nullable Long limit;

  private MemoryBudget() {}

  /**
   * Limits the size of one tensor.
   *
   * @param bytes the most that one may take; null for what the machine has available
   */
  public static void limit(@Nullable Long bytes) {
    limit = bytes;
  }

  /**
   * Asks for a tensor's memory.
   *
   * @throws OutOfMemoryError if it is more than the budget; the message says how much
   */
  public static void check(long elements, int bytesEach) {
    final long bytes =
        Math.multiplyHigh(elements, bytesEach) == 0 ? elements * bytesEach : Long.MAX_VALUE;
    final Long given = limit;
    if (given == null && bytes >= 0 && bytes <= FREE_OF_CHARGE) {
      return;
    }
    final long allowed = given != null ? given : available();
    if (bytes < 0 || bytes > allowed) {
      throw new OutOfMemoryError(
          "a tensor of "
              + (bytes < 0 ? Long.MAX_VALUE : bytes)
              + " bytes exceeds the memory budget of "
              + allowed
              + " bytes");
    }
  }

  /** The bytes that a program may take before others suffer; within a container, its share. */
  public static long available() {
    long available = Long.MAX_VALUE / 4;
    for (final String line : lines("/proc/meminfo")) {
      if (line.startsWith("MemAvailable:")) {
        available = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    final List<String> most = lines("/sys/fs/cgroup/memory.max");
    final List<String> used = lines("/sys/fs/cgroup/memory.current");
    if (!most.isEmpty() && !used.isEmpty() && !most.get(0).equals("max")) {
      available = Math.min(available, Long.parseLong(most.get(0)) - Long.parseLong(used.get(0)));
    }
    return Math.max(available, 1);
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException | SecurityException e) {
      return List.of();
    }
  }
}

package org.jloss.python;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the machine has. */
final class Machine {
  private Machine() {}

  /** The bytes that a program may take before others suffer; within a container, its share. */
  static long availableMemory() {
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

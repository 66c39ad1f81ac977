package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loops that free nothing stay small. */
class MemoryTest {
  // About 70 KiB of tensors a step: 700 MB in all.
  private static final String LOOP =
      """
      import torch
      w = torch.zeros(64, 16, requires_grad=True)
      x, y = torch.randn(256, 64), torch.randn(256, 16)
      first = None
      for step in range(10_000):
          value = ((x @ w + 0.1 - y) ** 2).mean()
          if first is None:
              first = value.item()
          w.grad = None
          value.backward()
          with torch.no_grad():
              w -= 0.1 * w.grad
      print(value.item() < first)
      """;

  /** Runs the loop, in a JVM of its own, and tells the most memory that was resident in KiB. */
  public static void main(String[] arguments) throws Exception {
    try (PythonBridge python = PythonBridge.builder().memory(100L << 20).build()) {
      python.runScript("loop.py", LOOP, List.of());
    }
    Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(l -> l.startsWith("VmHWM:"))
        .forEach(l -> System.out.println(l.replaceAll("\\D", "")));
  }

  @Test
  void tenThousandSteps(@TempDir Path folder) throws Exception {
    final Path out = folder.resolve("out");
    final Process child = ChildJvm.start(out, List.of("-Xmx512m"), MemoryTest.class);
    assertEquals(0, child.waitFor(), () -> ChildJvm.read(out));
    final String[] lines = ChildJvm.read(out).strip().split("\n");
    assertEquals("True", lines[0], () -> ChildJvm.read(out));
    final long resident = Long.parseLong(lines[lines.length - 1]);
    assertTrue(resident < 1 << 20, () -> resident + " KiB were resident");
  }

  @Test
  void hooksThatNobodyRemoves() {
    // At least 1 MB a step: 200 MB in all.
    final Script script =
        Script.run(
            PythonBridge.builder().memory(100L << 20),
            """
            import torch
            x = torch.ones(125_000, requires_grad=True)
            calls = 0
            def count(g):
                global calls
                calls += 1
            for step in range(200):
                y = x * 2
                y.register_hook(count)
                y.sum().backward()
                x.grad = None
                leaf = torch.ones(125_000, requires_grad=True)
                leaf.register_post_accumulate_grad_hook(lambda p: count(p.grad))
                leaf.sum().backward()
            print(calls)
            """);
    assertEquals("400\n", script.out, script.err);
  }
}

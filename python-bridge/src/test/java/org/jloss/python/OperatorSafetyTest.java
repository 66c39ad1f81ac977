package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a script passes to an operator ends in an error at worst, never the JVM. */
class OperatorSafetyTest {
  @Test
  void noOperatorEndsTheJvm(@TempDir Path folder) throws Exception {
    final Path last = folder.resolve("last call");
    final Path out = folder.resolve("out");
    final long seed = 20260101;
    final Process child =
        ChildJvm.start(
            out,
            List.of("-XX:ErrorFile=" + folder.resolve("error")),
            OperatorFuzz.class,
            String.valueOf(seed),
            "4",
            last.toString());
    assertTrue(child.waitFor(5, TimeUnit.MINUTES), () -> "still at " + ChildJvm.read(last));
    assertEquals(
        0, child.exitValue(), () -> "after " + ChildJvm.read(last) + "\n" + ChildJvm.read(out));
    assertTrue(ChildJvm.read(out).contains("lived: "), () -> ChildJvm.read(out));
  }

  @Test
  void noExportedMethodEndsTheJvm(@TempDir Path folder) throws Exception {
    final Path last = folder.resolve("last call");
    final Path out = folder.resolve("out");
    final Process child =
        ChildJvm.start(
            out,
            List.of("-XX:ErrorFile=" + folder.resolve("error")),
            HostSweep.class,
            "2",
            "6",
            last.toString());
    assertTrue(child.waitFor(5, TimeUnit.MINUTES), () -> "still at " + ChildJvm.read(last));
    assertEquals(
        0, child.exitValue(), () -> "after " + ChildJvm.read(last) + "\n" + ChildJvm.read(out));
    assertTrue(ChildJvm.read(out).contains("lived: "), () -> ChildJvm.read(out));
  }

  @Test
  void closedOperators() {
    for (final String name :
        List.of("from_file", "set_", "record_stream", "resize_", "segment_reduce", "_cudnn_init")) {
      assertTrue(NativeOps.open().keySet().stream().noneMatch(k -> k.endsWith(" " + name)), name);
    }
  }

  /** The processor traps on the smallest integer divided by -1. */
  @Test
  void quotientsThatAreNoIntegers() {
    final Script script =
        Script.run(
            """
            import torch

            def error(f):
                try:
                    return repr(f())
                except RuntimeError as error:
                    return str(error)

            for dtype in (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8):
                least = torch.iinfo(dtype).min
                x = torch.tensor([least, 4], dtype=dtype)
                minus = torch.tensor([-1, -1]).to(dtype)
                for f in (
                    lambda: x // -1,
                    lambda: x // minus,
                    lambda: x % -1,
                    lambda: least // minus,
                    lambda: least % minus,
                    lambda: torch.fmod(x, minus),
                    lambda: torch.div(x, minus, rounding_mode="trunc"),
                    lambda: x.clone().floor_divide_(minus),
                    lambda: x.clone().remainder_(-1),
                    lambda: x.clone().div_(minus, rounding_mode="floor"),
                    lambda: torch.tensor(least) // minus,
                    lambda: x // torch.tensor(-1),
                    lambda: x.long() // minus,
                    lambda: torch.lcm(x, -(minus * least) - 1),
                    lambda: x.divide(minus, rounding_mode="floor"),
                ):
                    error(f)
            big = torch.tensor([-(2**63)])
            print(error(lambda: big // -1))
            print(error(lambda: torch.tensor([-(2**31)], dtype=torch.int32) % -1))
            print(error(lambda: torch.tensor(-(2**31)) // torch.tensor([-1], dtype=torch.int32)))
            print(error(lambda: torch.tensor([7, -7]) // -2), error(lambda: big // 0))
            """);
    assertEquals(
        """
        floor_divide: a quotient of -9223372036854775808 is no int64
        remainder: a quotient of -2147483648 is no int32
        floor_divide: a quotient of -2147483648 is no int32
        tensor([-4,  3]) ZeroDivisionError
        """,
        script.out,
        script.toString());
  }

  @Test
  void emptyTensorsShowNoOthersMemory() {
    final Script script =
        Script.run(
            """
            import torch
            for made in (torch.empty(1000), torch.empty_like(torch.ones(1000)),
                         torch.ones(3).new_empty(1000), torch.Tensor(1000)):
                print(made.abs().sum().item())
            """);
    assertEquals("0.0\n0.0\n0.0\n0.0\n", script.out, script.toString());
  }
}

package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.NdArray;
import org.jloss.Reduction;
import org.jloss.Tensors;
import org.jloss.regression.HuberLoss;
import org.jloss.regression.MseLoss;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Scripts in JVMs of their own. */
class IsolatedTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final ByteArrayOutputStream OUT = new ByteArrayOutputStream();
  private static final ByteArrayOutputStream ERR = new ByteArrayOutputStream();
  private static PythonPool pool;

  @BeforeAll
  static void start() {
    pool =
        PythonBridge.isolated()
            .timeLimit(Duration.ofSeconds(30))
            .heap(256L << 20)
            .memory(64L << 20)
            .outputLimit(1 << 20)
            .valueLimit(8 << 20)
            .stdin(new ByteArrayInputStream("a line\n".getBytes(StandardCharsets.UTF_8)))
            .stdout(OUT)
            .stderr(ERR)
            .preload("import jloss")
            .pool(1);
  }

  @AfterAll
  static void stop() {
    pool.close();
  }

  /** An exported method, which a worker has no way to call. */
  public static final class Exporting {
    /** Something. */
    @HostAccess.Export
    public int number() {
      return 1;
    }
  }

  @Test
  void valuesCrossByCopies() {
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      final Python python = lease.python();
      python.set("given", Map.of("a", List.of(1, 2.5, "x"), "b", new byte[] {-1, 0}));
      assertEquals(List.of(1L, 2.5, "x"), python.eval("given['a']"));
      assertArrayEquals(new byte[] {-1, 0}, (byte[]) python.eval("given['b']"));
      assertEquals(BigInteger.ONE.shiftLeft(100).negate(), python.eval("-2**100"));
      assertEquals(Double.NEGATIVE_INFINITY, python.eval("-float('inf')"));
      assertEquals(Set.of(1L, "a"), python.eval("{1, 'a'}"));
      assertEquals(List.of("blob", "float32"), python.eval("['blob', 'float32']"));
      try (Tensor x = Tensors.of(new float[] {1, 2, 3, 4}, 2, 2)) {
        python.set("x", x);
        python.exec("x += 1");
        assertArrayEquals(new float[] {1, 2, 3, 4}, Tensors.toFloats(x));
      }
      try (Tensor x = (Tensor) python.eval("x.t()")) {
        assertArrayEquals(new long[] {2, 2}, x.shape());
        assertArrayEquals(new float[] {2, 4, 3, 5}, Tensors.toFloats(x));
      }
      python.set("array", NdArray.of(new double[] {1, 2}));
      assertEquals(List.of(1.0, 2.0), python.eval("array.tolist()"));
      try (Tensor x = (Tensor) python.eval("jloss.zeros(0, 3, dtype=jloss.int64)")) {
        assertArrayEquals(new long[] {0, 3}, x.shape());
      }
      python.set("loss", new MseLoss(Reduction.SUM));
      assertEquals(4.0 + 9 + 16 + 25, python.eval("loss(x, jloss.zeros(2, 2)).item()"));
      assertEquals(new HuberLoss().delta(2), python.eval("jloss.HuberLoss(delta=2.0)"));
      final Adder add = python.function("lambda a, b: a + b", Adder.class);
      assertEquals(5, add.add(2, 3));
      assertThrows(IllegalArgumentException.class, () -> python.set("object", new Exporting()));
      assertThrows(IllegalArgumentException.class, () -> python.eval("lambda x: x"));
      assertThrows(IllegalArgumentException.class, () -> python.eval("object()"));
      // More than the limit, either way; the worker lives on.
      assertThrows(IllegalArgumentException.class, () -> python.set("big", new byte[9 << 20]));
      assertThrows(IllegalArgumentException.class, () -> python.eval("bytes(9 << 20)"));
      assertEquals(3L, python.eval("1 + 2"));
    }
  }

  @Test
  void theTimeLimitHoldsWhileInputIsWaitedFor() {
    final InputStream never =
        new InputStream() {
          @Override
          public int read() {
            try {
              Thread.sleep(PATIENCE.toMillis());
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return -1;
          }
        };
    try (PythonPool own =
            PythonBridge.isolated().timeLimit(Duration.ofSeconds(5)).stdin(never).pool(1);
        PythonPool.Lease lease = own.borrow(PATIENCE)) {
      assertTimeoutPreemptively(
          PATIENCE.dividedBy(2),
          () -> assertThrows(PythonTimeoutException.class, () -> lease.python().eval("input()")));
    }
  }

  @Test
  void aWorkerThatEndedWhileNobodyUsedItIsNotLent() throws InterruptedException {
    final ProcessHandle idle;
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      idle = ((IsolatedPython) lease.python()).process();
    }
    while (pool.idle() == 0) { // until it has a fresh interpreter
      Thread.sleep(20);
    }
    idle.destroyForcibly();
    idle.onExit().join();
    Thread.sleep(1000);
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      assertEquals(42L, lease.python().eval("6 * 7"));
    }
  }

  @Test
  void aJvmThatAScriptDamagedIsEnded() {
    // Whatever is first used where no stack is left can never be used again in that JVM.
    final String damage =
        """
        def f(n):
            try:
                f(n + 1)
            except RecursionError:
                try:
                    sorted([(1, 2), (1, 3)]); max(1, 2); complex(1, 2) * 2
                except RecursionError:
                    pass
                raise
        try:
            f(0)
        except RecursionError:
            pass
        """;
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      lease.python().exec(damage);
    } catch (PythonException e) {
      assertEquals("SystemError", e.type());
    }
    final String use = "[max(1, 2), (1, 2) < (1, 3), sorted([(1, 2), (0, 3)])[0][1]]";
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      lease.python().eval(use);
    } catch (PythonException e) {
      assertEquals("SystemError", e.type()); // noticed only now
    }
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      assertEquals(List.of(2L, true, 3L), lease.python().eval(use));
    }
  }

  /** A functional interface of one's own. */
  interface Adder {
    int add(int a, int b);
  }

  @Test
  void streamsErrorsAndAFreshInterpreter() {
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      OUT.reset();
      ERR.reset();
      assertEquals(
          7,
          lease
              .python()
              .runScript(
                  "s.py",
                  "import sys\nprint(sys.argv, input())\nprint('oops', file=sys.stderr)\nsys.exit(7)",
                  List.of("a")));
      assertEquals("['s.py', 'a'] a line\n", OUT.toString(StandardCharsets.UTF_8));
      assertEquals("oops\n", ERR.toString(StandardCharsets.UTF_8));
      final PythonException e =
          assertThrows(PythonException.class, () -> lease.python().exec("leaked = 1\n1 / 0"));
      assertEquals("ZeroDivisionError", e.type());
      assertTrue(e.traceback().contains("line 2, in <module>\n    1 / 0\n"), e.traceback());
      assertThrows(PythonException.class, () -> lease.python().exec("open('/etc/passwd')"));
    }
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      final PythonException e =
          assertThrows(PythonException.class, () -> lease.python().get("leaked"));
      assertEquals("KeyError", e.type());
    }
  }

  @Test
  void thePoolGoesOnAfterAWorkerEnded() {
    final int before = pool.replaced();
    // A script that is over before its worker is.
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      final PythonException huge =
          assertThrows(PythonException.class, () -> lease.python().exec("jloss.zeros(1 << 40)"));
      assertEquals("MemoryError", huge.type());
    }
    assertEquals(before, pool.replaced());
    assertEnds("k = []\nwhile True: k.append(bytes(1 << 20))", "heap of 268435456 bytes");
    assertEnds("while True: print('x' * 1000)", "wrote more than 1048576 bytes");
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      assertTrue(((IsolatedPython) lease.python()).process().destroyForcibly());
      final PythonWorkerException e =
          assertThrows(PythonWorkerException.class, () -> lease.python().eval("1"));
      assertTrue(e.getMessage().contains("status 137"), e.getMessage());
      assertThrows(PythonWorkerException.class, () -> lease.python().eval("1"));
    }
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      assertEquals(3L, lease.python().eval("1 + 2"));
    }
    assertEquals(before + 3, pool.replaced());
    assertEquals(0, pool.abandoned());
  }

  private static void assertEnds(String code, String reason) {
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      final PythonWorkerException e =
          assertThrows(PythonWorkerException.class, () -> lease.python().exec(code));
      assertTrue(e.getMessage().contains(reason), e.getMessage());
    }
  }

  @Test
  void whatNothingElseEnds() {
    for (final String code : List.of("while True: pass", "sum(range(10**12))", "10**10**8")) {
      try (Python python = PythonBridge.isolated().timeLimit(Duration.ofSeconds(1)).build()) {
        final PythonTimeoutException e =
            assertThrows(PythonTimeoutException.class, () -> python.exec(code), code);
        assertFalse(e.abandoned());
        assertFalse(((IsolatedPython) python).process().isAlive());
      }
    }
  }

  @Test
  void interrupt() throws InterruptedException {
    try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
      final Thread other =
          new Thread(
              () -> {
                try {
                  Thread.sleep(500);
                } catch (InterruptedException e) {
                  return;
                }
                lease.python().interrupt(PATIENCE);
              });
      other.start();
      assertEquals(130, lease.python().runScript("s.py", "while True: pass", List.of()));
      other.join();
      assertEquals(3L, lease.python().eval("1 + 2"));
    }
  }

  /** Programs in a worker's place. */
  static final class Nonsense {
    public static void main(String[] args) throws Exception {
      System.out.print("this is no frame at all, and never was");
      System.out.flush();
      Thread.sleep(600_000);
    }
  }

  /** One that ends at once. */
  static final class Broken {
    public static void main(String[] args) {
      System.err.println("no luck");
      System.exit(9);
    }
  }

  @Test
  void repliesThatAreNonsense() {
    final IsolatedBuilder nonsense = inPlaceOfTheWorker(Nonsense.class);
    final PythonWorkerException e = assertThrows(PythonWorkerException.class, nonsense::build);
    assertTrue(e.getMessage().contains("nonsense"), e.getMessage());
    final IsolatedBuilder broken = inPlaceOfTheWorker(Broken.class);
    final PythonWorkerException ended = assertThrows(PythonWorkerException.class, broken::build);
    assertTrue(ended.getMessage().contains("status 9: no luck"), ended.getMessage());
  }

  private static IsolatedBuilder inPlaceOfTheWorker(Class<?> program) {
    final IsolatedBuilder builder = PythonBridge.isolated();
    builder.program = program.getName();
    // The tests are a part of the module.
    return builder.javaOptions(
        "--patch-module", "org.jloss.python=" + Path.of("target/test-classes").toAbsolutePath());
  }

  @Test
  void messagesThatAreNonsense() throws IOException {
    final Random random = new Random(7);
    final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    try (Tensor tensor = Tensors.of(new float[] {1, 2, 3})) {
      final Object tree = new WireValues().encode(List.of("a", 1, tensor, Map.of("k", 2.5)));
      new Wire(InputStream.nullInputStream(), sent, 1 << 20).send(new Object[] {"value", tree});
    }
    final byte[] frame = sent.toByteArray();
    final byte[] sound = Arrays.copyOfRange(frame, 5, frame.length);
    final List<?> parsed = (List<?>) Wire.parse(sound);
    final List<?> values = (List<?>) new WireValues().decode(parsed.get(1));
    try (Tensor back = assertInstanceOf(Tensor.class, values.get(2))) {
      assertArrayEquals(new float[] {1, 2, 3}, Tensors.toFloats(back));
    }
    int refused = 0;
    for (int i = 0; i < 5000; i++) {
      final byte[] broken = sound.clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        broken[random.nextInt(broken.length)] = (byte) random.nextInt(256);
      }
      try {
        if (Wire.parse(broken) instanceof List<?> list && list.size() > 1) {
          final Object value = new WireValues().decode(list.get(1));
          if (value instanceof List<?> all) {
            all.stream().filter(Tensor.class::isInstance).forEach(t -> ((Tensor) t).close());
          }
        }
      } catch (IOException | IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > 1000, "refused " + refused);
  }

  @Test
  void framesTooLarge() {
    final byte[] frame = {'M', 127, 0, 0, 0};
    final Wire wire =
        new Wire(new ByteArrayInputStream(frame), OutputStream.nullOutputStream(), 1 << 20);
    assertThrows(IOException.class, wire::read);
  }

  @Test
  void options() {
    assertThrows(IllegalArgumentException.class, () -> PythonBridge.isolated().heap(1));
    assertThrows(IllegalArgumentException.class, () -> PythonBridge.isolated().valueLimit(1));
    assertThrows(IllegalArgumentException.class, () -> PythonBridge.isolated().outputLimit(-1));
    assertThrows(
        PythonException.class, () -> PythonBridge.isolated().preload("import nothing").build());
  }
}

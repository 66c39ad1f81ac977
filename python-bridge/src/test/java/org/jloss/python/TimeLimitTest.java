package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.graalvm.polyglot.HostAccess;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts that take too long, in this JVM. */
class TimeLimitTest {
  private static final Duration SHORT = Duration.ofMillis(500);

  /** What a script calls: it ends when it is told to, and not otherwise, as native code does. */
  public static final class Stubborn {
    private final CountDownLatch released = new CountDownLatch(1);

    /** Waits, whatever happens. */
    @HostAccess.Export
    public void call() {
      while (true) {
        try {
          released.await();
          return;
        } catch (InterruptedException e) {
          // Not I.
        }
      }
    }

    /** Waits as well behaved methods do. */
    @HostAccess.Export
    public void sleep() throws InterruptedException {
      Thread.sleep(600_000);
    }

    void release() {
      released.countDown();
    }
  }

  private final Stubborn stubborn = new Stubborn();

  @AfterEach
  void release() throws InterruptedException {
    stubborn.release();
    for (int i = 0; i < 600 && PythonBridge.abandoned() > 0; i++) {
      Thread.sleep(100);
    }
    assertEquals(0, PythonBridge.abandoned());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "while True: pass",
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
        "import time\ntime.sleep(600)",
        "stubborn.sleep()",
        "[0 for _ in iter(int, 1)]",
        "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
        "class E(Exception):\n  def __str__(self):\n    import time\n    time.sleep(600)\nraise E",
        "import atexit\natexit.register(lambda: [0 for _ in iter(int, 1)])\natexit._run_exitfuncs()",
      })
  void isEndedAndTheInterpreterGoesOn(String code) {
    try (PythonBridge python = PythonBridge.builder().timeLimit(SHORT).build()) {
      python.set("stubborn", stubborn);
      final PythonTimeoutException e =
          assertThrows(PythonTimeoutException.class, () -> python.exec(code));
      assertFalse(e.abandoned(), e.getMessage());
      assertTrue(e.getMessage().contains("time limit of 500 ms"), e.getMessage());
      assertEquals(3L, python.eval("1 + 2"));
      assertThrows(PythonTimeoutException.class, () -> python.runScript("s.py", code, List.of()));
      assertEquals(3L, python.eval("1 + 2"));
    }
  }

  @Test
  void whatIsPreloadedHasNoLimit() {
    final String slow = "import time\ntime.sleep(1)\nx = 7";
    try (PythonBridge python = PythonBridge.builder().timeLimit(SHORT).preload(slow).build()) {
      assertEquals(7L, python.eval("x"));
      assertThrows(PythonTimeoutException.class, () -> python.exec(slow));
    }
  }

  @Test
  void functionsToo() {
    try (PythonBridge python = PythonBridge.builder().timeLimit(SHORT).build()) {
      python.exec("def f(x):\n  while x: pass\n  return 'done'");
      @SuppressWarnings("unchecked")
      final Function<Object, Object> f = python.function("f", Function.class);
      assertEquals("done", f.apply(false));
      assertThrows(PythonTimeoutException.class, () -> f.apply(true));
      assertEquals("done", f.apply(false));
    }
  }

  @Test
  void whatCannotBeEndedIsAbandoned() {
    final PythonBridge python = PythonBridge.builder().timeLimit(SHORT).build();
    python.set("stubborn", stubborn);
    final PythonTimeoutException e =
        assertThrows(PythonTimeoutException.class, () -> python.exec("stubborn.call()"));
    assertTrue(e.abandoned());
    assertTrue(e.getMessage().contains("cannot be interrupted"), e.getMessage());
    assertEquals(1, PythonBridge.abandoned());
    assertThrows(IllegalStateException.class, () -> python.eval("1"));
    python.close();
    assertEquals(1, PythonBridge.abandoned());
    // release() checks that it is gone once the call returns.
  }

  @Test
  void anInterruptedCallerEndsTheScript() throws InterruptedException {
    try (PythonBridge python = PythonBridge.builder().timeLimit(Duration.ofMinutes(5)).build()) {
      final Thread caller = Thread.currentThread();
      final Thread other =
          new Thread(
              () -> {
                try {
                  Thread.sleep(300);
                } catch (InterruptedException e) {
                  return;
                }
                caller.interrupt();
              });
      other.start();
      assertThrows(RuntimeException.class, () -> python.exec("while True: pass"));
      other.join();
    } finally {
      Thread.interrupted();
    }
  }

  @Test
  void aPoolReplacesWhatFailed() {
    try (PythonPool pool =
        PythonBridge.builder().timeLimit(Duration.ofSeconds(8)).preload("x = 7").pool(1)) {
      assertEquals(1, pool.size());
      final Duration patience = Duration.ofMinutes(1);
      try (PythonPool.Lease lease = pool.borrow(patience)) {
        assertEquals(1, pool.inUse());
        assertEquals(0, pool.idle());
        assertThrows(PythonTimeoutException.class, () -> pool.borrow(Duration.ofMillis(50)));
        assertEquals(7L, lease.python().eval("x"));
        lease.python().exec("x = 8");
      }
      try (PythonPool.Lease lease = pool.borrow(patience)) {
        assertEquals(8L, lease.python().eval("x"));
        assertThrows(PythonException.class, () -> lease.python().exec("1 / 0"));
        lease.close();
        assertThrows(IllegalStateException.class, lease::python);
      }
      assertEquals(0, pool.replaced());
      try (PythonPool.Lease lease = pool.borrow(patience)) {
        assertEquals(3, lease.python().runScript("s.py", "import os; os._exit(3)", List.of()));
        assertThrows(IllegalStateException.class, () -> lease.python().eval("1"));
      }
      assertEquals(1, pool.replaced());
      try (PythonPool.Lease lease = pool.borrow(patience)) {
        assertEquals(7L, lease.python().eval("x"));
        lease.python().set("stubborn", stubborn);
        assertThrows(PythonTimeoutException.class, () -> lease.python().exec("stubborn.call()"));
      }
      assertEquals(1, pool.abandoned());
      // As many abandoned as the pool is large: no further one until that ends.
      assertThrows(IllegalStateException.class, () -> pool.borrow(patience));
      stubborn.release();
      while (pool.abandoned() > 0) {
        Thread.onSpinWait();
      }
      PythonPool.Lease lease;
      try {
        lease = pool.borrow(patience);
      } catch (IllegalStateException e) {
        lease = pool.borrow(patience); // that of the attempt before
      }
      assertEquals(7L, lease.python().eval("x"));
      lease.close();
    }
  }

  @Test
  void aPoolThatCannotStartSaysWhy() {
    final PythonException e =
        assertThrows(
            PythonException.class, () -> PythonBridge.builder().preload("import nothing").pool(2));
    assertEquals("ModuleNotFoundError", e.type());
    assertThrows(IllegalArgumentException.class, () -> PythonBridge.builder().pool(0));
    assertThrows(
        IllegalArgumentException.class, () -> PythonBridge.builder().timeLimit(Duration.ZERO));
  }
}

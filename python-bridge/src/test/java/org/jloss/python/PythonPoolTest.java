package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The pool's own business, with interpreters that only tell what became of them. */
@Timeout(60)
class PythonPoolTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<Told> made = Collections.synchronizedList(new ArrayList<>());
  private final Deque<Throwable> failures = new ArrayDeque<>();

  /** An interpreter that does nothing. */
  private final class Told extends Interpreter {
    volatile @Nullable String failure;
    volatile boolean closed;

    @Override
    @Nullable Object invoke(String operation, @Nullable Object... arguments) {
      return null;
    }

    @Override
    Values values() {
      throw new UnsupportedOperationException();
    }

    @Override
    @Nullable String failure() {
      return failure;
    }

    @Override
    boolean lingers() {
      return false;
    }

    @Override
    void renew() {
      failNow();
    }

    @Override
    public boolean interrupt(Duration patience) {
      return true;
    }

    @Override
    public void close() {
      closed = true;
      failure = "is closed";
    }
  }

  private synchronized void failNow() {
    final Throwable failure = failures.poll();
    if (failure != null) {
      PythonPoolTest.<RuntimeException>sneak(failure);
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneak(Throwable thrown) throws E {
    throw (E) thrown;
  }

  private synchronized void fail(Throwable with) {
    failures.add(with);
  }

  private Told make() {
    failNow();
    final Told told = new Told();
    made.add(told);
    return told;
  }

  private PythonPool pool(int size, boolean renews) {
    final Supplier<Told> start = this::make;
    return new PythonPool(size, start, renews);
  }

  @Test
  void anErrorWhileStartingIsToldAndTheNextCallTriesAgain() {
    for (final Throwable error :
        List.of(
            new StackOverflowError(),
            new ExceptionInInitializerError("once"),
            new OutOfMemoryError("none left"))) {
      try (PythonPool pool = pool(1, false)) {
        fail(error);
        try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
          ((Told) lease.python()).failure = "failed";
        }
        final var told =
            assertThrows(IllegalStateException.class, () -> pool.borrow(PATIENCE), error::toString);
        assertSame(error, told.getCause());
        pool.borrow(PATIENCE).close();
        assertEquals(1, pool.idle());
      }
    }
  }

  @Test
  void anErrorWhileForgettingReplaces() {
    try (PythonPool pool = pool(1, true)) {
      fail(new StackOverflowError());
      pool.borrow(PATIENCE).close();
      try (PythonPool.Lease lease = pool.borrow(PATIENCE)) {
        assertSame(made.get(1), lease.python());
        assertTrue(made.get(0).closed);
      }
      assertEquals(1, pool.replaced());
    }
  }

  @Test
  void theFirstErrorIsTheCallers() {
    fail(new StackOverflowError());
    assertThrows(StackOverflowError.class, () -> pool(2, false));
  }

  @Test
  void closingWakesAllWhoWait() throws Exception {
    final PythonPool pool = pool(1, false);
    final PythonPool.Lease lent = pool.borrow(Duration.ofSeconds(Long.MAX_VALUE));
    final List<FutureTask<PythonPool.Lease>> waiting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      final FutureTask<PythonPool.Lease> task =
          new FutureTask<>(() -> pool.borrow(Duration.ofDays(1)));
      waiting.add(task);
      startAndAwaitState(new Thread(task), Thread.State.TIMED_WAITING);
    }
    pool.close();
    pool.close();
    for (final FutureTask<PythonPool.Lease> task : waiting) {
      final Throwable cause =
          assertThrows(ExecutionException.class, () -> task.get(20, TimeUnit.SECONDS)).getCause();
      assertInstanceOf(IllegalStateException.class, cause);
      assertEquals("expected an open pool, got a closed one", cause.getMessage());
    }
    // What is on loan goes on, until it is given back.
    assertSame(made.get(0), lent.python());
    assertTrue(!made.get(0).closed);
    lent.close();
    assertTrue(made.get(0).closed);
    assertThrows(IllegalStateException.class, () -> pool.borrow(Duration.ZERO));
    assertEquals(0, pool.inUse());
    assertEquals(0, pool.idle());
  }

  @Test
  void anInterruptedCallerIsTold() throws Exception {
    try (PythonPool pool = pool(1, false);
        PythonPool.Lease lent = pool.borrow(PATIENCE)) {
      final FutureTask<Boolean> told =
          new FutureTask<>(
              () -> {
                assertThrows(IllegalStateException.class, () -> pool.borrow(Duration.ofDays(1)));
                return Thread.currentThread().isInterrupted();
              });
      final Thread waiting = new Thread(told);
      startAndAwaitState(waiting, Thread.State.TIMED_WAITING);
      waiting.interrupt();
      assertTrue(told.get(20, TimeUnit.SECONDS));
      assertSame(made.get(0), lent.python());
    }
  }

  private static void startAndAwaitState(Thread thread, Thread.State state) {
    thread.start();
    while (thread.getState() != state) {
      Thread.onSpinWait();
    }
  }

  /** Given back, replaced or started while the pool closes: none is left open. */
  @Test
  void noneOutlivesAClosedPool() throws Exception {
    for (int round = 0; round < 300; round++) {
      final PythonPool pool = pool(3, round % 2 == 0);
      final PythonPool.Lease one = pool.borrow(PATIENCE);
      final PythonPool.Lease other = pool.borrow(PATIENCE);
      ((Told) other.python()).failure = round % 3 == 0 ? "failed" : null;
      final FutureTask<Void> back =
          new FutureTask<>(
              () -> {
                one.close();
                other.close();
                return null;
              });
      new Thread(back).start();
      pool.close();
      back.get(20, TimeUnit.SECONDS);
    }
    for (int i = 0; i < 100 && made.stream().anyMatch(t -> !t.closed); i++) {
      Thread.sleep(50); // for what was being started
    }
    assertEquals(0, made.stream().filter(t -> !t.closed).count(), "left open");
  }
}

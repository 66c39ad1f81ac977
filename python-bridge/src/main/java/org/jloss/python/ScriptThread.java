package org.jloss.python;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs an interpreter's calls in a thread of their own, so that a caller can be told when one takes
 * too long, even where it cannot be ended.
 */
final class ScriptThread {
  /** Why an interpreter cannot be used whose script could not be ended. */
  static final String ABANDONED = "was abandoned, as its script could not be ended";

  /** How long a script has to end once it is interrupted. */
  private static final Duration GRACE = Duration.ofSeconds(2);

  /** Python recurses deep. */
  private static final long STACK = 16L << 20;

  /** Ends what runs in the interpreter. */
  interface Interruption {
    /** Interrupts until nothing runs any more; false if that took too long. */
    boolean interrupt(Duration patience);

    /** Gives up an interpreter whose thread goes on. */
    void abandon();
  }

  private final Duration limit;
  private final Interruption interruption;
  private final ExecutorService executor;
  private final ReentrantLock turn = new ReentrantLock();
  private volatile @Nullable Thread thread;
  private volatile boolean ending;

  ScriptThread(Duration limit, Interruption interruption) {
    this.limit = limit;
    this.interruption = interruption;
    executor =
        Executors.newSingleThreadExecutor(
            body -> {
              final Thread made = new Thread(null, body, "jloss-python", STACK);
              // One that cannot be ended must not keep the JVM.
              made.setDaemon(true);
              thread = made;
              return made;
            });
  }

  /** Whether what runs is being ended, so that its end is not the script's doing. */
  boolean isEnding() {
    return ending;
  }

  /** Runs something before the first call, without a limit. */
  <T> T start(Supplier<T> body) {
    try {
      return executor.submit(body::get).get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while an interpreter started");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    }
  }

  <T extends @Nullable Object> T run(Callable<T> body, Runnable check) throws Exception {
    if (Thread.currentThread() == thread) {
      return body.call(); // a script that calls Java that calls the script
    }
    turn.lock();
    try {
      check.run();
      ending = false;
      final Future<T> result = executor.submit(body);
      try {
        return result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        return end(result);
      } catch (InterruptedException e) {
        end(result);
        Thread.currentThread().interrupt();
        throw new CancellationException("interrupted while a script ran; it was ended");
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw (Error) e.getCause();
    } finally {
      turn.unlock();
    }
  }

  private <T extends @Nullable Object> T end(Future<T> result) throws ExecutionException {
    if (result.isDone()) {
      return now(result); // just in time
    }
    ending = true;
    // Once the interruption returns the call may still have to hand over what it threw.
    if (!interruption.interrupt(GRACE) || !isDone(result)) {
      executor.shutdown();
      interruption.abandon();
      throw new PythonTimeoutException(
          "the script exceeded its time limit of "
              + words(limit)
              + ", and is in a call that cannot be interrupted (a builtin or native code): its"
              + " interpreter is abandoned, and goes on until that call returns",
          true);
    }
    throw new PythonTimeoutException(
        "the script exceeded its time limit of " + words(limit) + " and was ended", false);
  }

  private static boolean isDone(Future<?> result) {
    try {
      result.get(GRACE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return result.isDone();
  }

  private static <T extends @Nullable Object> T now(Future<T> result) throws ExecutionException {
    try {
      return result.get();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static String words(Duration limit) {
    return limit.toMillis() % 1000 == 0 ? limit.toSeconds() + " s" : limit.toMillis() + " ms";
  }

  void close() {
    executor.shutdown();
  }
}

package org.jloss.python;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of interpreters for a server: one is borrowed, used and given back. One that
 * failed or was abandoned is replaced in the background.
 *
 * <pre>{@code
 * try (PythonPool pool = PythonBridge.builder().preload("import jloss").pool(4)) {
 *   try (PythonPool.Lease lease = pool.borrow(Duration.ofSeconds(1))) {
 *     Object answer = lease.python().eval("6 * 7");
 *   }
 * }
 * }</pre>
 *
 * <p>Any thread may borrow and give back.
 */
public final class PythonPool implements AutoCloseable {
  /** An interpreter that is ready, or why there is none in its place. */
  private record Place(@Nullable Interpreter ready, @Nullable Throwable failed) {}

  /** What a closed pool has: it wakes who waits, and each wakes the next. */
  private static final Place CLOSED = new Place(null, null);

  private final int size;
  private final Supplier<? extends Interpreter> start;
  private final boolean renews;
  private final BlockingQueue<Place> places = new LinkedBlockingQueue<>();
  private final Queue<Interpreter> abandoned = new ConcurrentLinkedQueue<>();
  private final AtomicInteger inUse = new AtomicInteger();
  private final AtomicInteger replaced = new AtomicInteger();
  private final ExecutorService starter;
  private volatile boolean closed;

  /**
   * Starts a pool and waits for its first interpreter.
   *
   * @param renews whether an interpreter forgets everything before the next borrower
   * @throws RuntimeException what starting the first threw
   */
  PythonPool(int size, Supplier<? extends Interpreter> start, boolean renews) {
    if (size <= 0) {
      throw new IllegalArgumentException("expected a pool of at least 1 interpreter, got " + size);
    }
    this.size = size;
    this.start = start;
    this.renews = renews;
    starter =
        Executors.newFixedThreadPool(
            Math.min(size, Runtime.getRuntime().availableProcessors()),
            body -> {
              final Thread thread = new Thread(body, "jloss-python-pool");
              thread.setDaemon(true);
              return thread;
            });
    final Interpreter first;
    try {
      first = start.get();
    } catch (RuntimeException | Error e) {
      starter.shutdown();
      throw e;
    }
    places.add(new Place(first, null));
    for (int i = 1; i < size; i++) {
      starter.execute(this::fill);
    }
  }

  /** An interpreter on loan. Close it to give it back; not to be used after that. */
  public final class Lease implements AutoCloseable {
    private final Interpreter python;
    private final AtomicBoolean over = new AtomicBoolean();

    private Lease(Interpreter python) {
      this.python = python;
    }

    /** The interpreter. */
    public Python python() {
      if (over.get()) {
        throw new IllegalStateException("expected a lease that is not over");
      }
      return python;
    }

    /** Gives the interpreter back. */
    @Override
    public void close() {
      if (!over.getAndSet(true)) {
        inUse.decrementAndGet();
        giveBack(python);
      }
    }
  }

  /**
   * Borrows an interpreter, waiting for one to be free.
   *
   * @throws PythonTimeoutException if none was in time
   * @throws IllegalStateException if this pool is closed, or no interpreter could be started in the
   *     place of one that failed; the next call may have more luck
   */
  public Lease borrow(Duration timeout) {
    final long end = System.nanoTime() + nanos(timeout);
    while (true) {
      final Place place = next(end - System.nanoTime());
      if (closed) {
        add(place == null ? CLOSED : place); // which ends it
        throw new IllegalStateException("expected an open pool, got a closed one");
      }
      if (place == null) {
        throw new PythonTimeoutException(
            "no interpreter was free within "
                + ScriptThread.words(timeout)
                + ": "
                + inUse()
                + " of "
                + size
                + " are in use",
            false);
      }
      final Interpreter ready = place.ready();
      if (ready == null) {
        later(this::fill);
        throw new IllegalStateException(
            "no interpreter could be started in the place of one that failed", place.failed());
      }
      if (ready.failure() == null) {
        inUse.incrementAndGet();
        return new Lease(ready);
      }
      replace(ready); // it ended while nobody used it
    }
  }

  private @Nullable Place next(long nanos) {
    try {
      return places.poll(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for an interpreter", e);
    }
  }

  /** A time as System.nanoTime can count it. */
  private static long nanos(Duration time) {
    final Duration longest = Duration.ofNanos(Long.MAX_VALUE / 2);
    return (time.compareTo(longest) < 0 ? time : longest).toNanos();
  }

  private void giveBack(Interpreter python) {
    if (python.failure() != null) {
      replace(python);
    } else if (renews) {
      later(() -> renew(python));
    } else {
      add(new Place(python, null));
    }
  }

  private void renew(Interpreter python) {
    try {
      if (!closed) {
        python.renew();
      }
      add(new Place(python, null));
    } catch (Throwable e) {
      replace(python);
    }
  }

  private void replace(Interpreter python) {
    replaced.incrementAndGet();
    try {
      if (python.lingers()) {
        abandoned.add(python);
      } else {
        python.close();
      }
    } finally {
      later(this::fill);
    }
  }

  /** Puts something in a place, whatever happens: else a caller would wait for it in vain. */
  private void fill() {
    Place place = CLOSED;
    try {
      final int lingering = abandoned();
      if (lingering >= size) {
        throw new IllegalStateException(
            lingering + " abandoned scripts still run: no further interpreter is started");
      }
      if (!closed) {
        place = new Place(start.get(), null);
      }
    } catch (Throwable e) {
      place = new Place(null, e);
    }
    add(place);
  }

  private void later(Runnable task) {
    try {
      starter.execute(task);
    } catch (RejectedExecutionException e) {
      task.run(); // the pool is closed: there is nothing to start, only to end
    }
  }

  private void add(Place place) {
    places.add(place);
    if (closed) {
      drain();
    }
  }

  private void drain() {
    for (Place place = places.poll(); place != null; place = places.poll()) {
      if (place.ready() != null) {
        place.ready().close();
      }
    }
    places.add(CLOSED);
  }

  /** How many interpreters there are, on loan, ready or being started. */
  public int size() {
    return size;
  }

  /** How many are on loan. */
  public int inUse() {
    return inUse.get();
  }

  /** How many are ready to be borrowed at once. */
  public int idle() {
    return (int) places.stream().filter(p -> p.ready() != null).count();
  }

  /**
   * How many that were abandoned after a time limit still run, each in a thread that nothing ends.
   * Once they are as many as the pool is large, no further one is started.
   */
  public int abandoned() {
    abandoned.removeIf(p -> !p.lingers());
    return abandoned.size();
  }

  /** How many have been replaced so far, as they failed or were abandoned. */
  public int replaced() {
    return replaced.get();
  }

  /** Ends all interpreters; those on loan when they are given back. */
  @Override
  public void close() {
    closed = true;
    starter.shutdown();
    drain();
  }
}

package org.jloss.python;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.MemoryBudget;
import org.jloss.NativeLibrary;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Owns the native tensors of one interpreter's scripts.
 *
 * <p>Python frees nothing by hand and Java's collector does not see native memory. So a tensor is
 * freed once no script can reach it, which is looked for at every new tensor; and where they hold
 * more than a share of the memory, the collector is asked.
 */
final class TensorPool implements AutoCloseable {
  /**
   * Backward passes within one another go on in another thread after 60, and that would wait for
   * this one, which waits for it. A script called by Java that a script called counts too.
   */
  private static final int DEEPEST = 50;

  /** Above this many live bytes the collector is asked for. */
  private static final long SOFT = 256L << 20;

  private final ReferenceQueue<Object> unreachable = new ReferenceQueue<>();
  private final Set<Entry> entries = ConcurrentHashMap.newKeySet();

  /** One thread at a time, as an interpreter has it. */
  private final ReentrantLock turn = new ReentrantLock();

  private final long budget;
  private long limit;
  private long collectAbove = SOFT;
  private boolean loaded;

  /** The scripts', where it is another than that of the thread they run on. */
  private @Nullable Boolean gradMode;

  private BiConsumer<String, String> warn = (kind, text) -> {};
  private long defaultDtype = ScalarType.Float.value;
  private boolean closed;

  /**
   * Of a thread: the pools whose scripts run on it, the innermost first, as Java that a script
   * calls may call scripts of another interpreter; and the grad mode that the thread came with.
   */
  private static final class Calls {
    private static final ThreadLocal<Calls> OF_THREAD = ThreadLocal.withInitial(Calls::new);

    private final ArrayDeque<TensorPool> pools = new ArrayDeque<>();
    private boolean gradMode;

    void begin(TensorPool pool) {
      final TensorPool outer = pools.peek();
      pools.push(pool);
      if (outer != pool) {
        if (outer != null) {
          outer.leave(this);
        }
        pool.arrive(this);
      }
    }

    void end(TensorPool pool) {
      pools.pop();
      final TensorPool outer = pools.peek();
      if (outer != pool) {
        pool.leave(this);
        if (outer != null) {
          outer.arrive(this);
        }
      }
    }
  }

  /** Something native, freed when its Python face is gone. */
  private static final class Entry extends PhantomReference<Object> {
    private @Nullable Runnable free;

    Entry(Object face, Runnable free, ReferenceQueue<Object> queue) {
      super(face, queue);
      this.free = free;
    }

    void free() {
      if (free != null) {
        free.run();
        free = null;
      }
    }
  }

  /**
   * A pool.
   *
   * @param budget the most bytes that tensors may have while scripts run; 0 for the memory that the
   *     machine has left
   */
  TensorPool(long budget) {
    this.budget = budget;
  }

  /** Called before scripts run on this thread. */
  void enter() {
    turn.lock();
    try {
      if (turn.getHoldCount() > DEEPEST) {
        throw new PyError(
            "RecursionError",
            "backward passes or calls by Java are more than " + DEEPEST + " deep");
      }
      Calls.OF_THREAD.get().begin(this);
    } catch (RuntimeException | Error e) {
      turn.unlock();
      throw e;
    }
  }

  /** Called when scripts have run on this thread. */
  void exit() {
    try {
      Calls.OF_THREAD.get().end(this);
      if (turn.getHoldCount() == 1) {
        drain();
      }
    } finally {
      turn.unlock();
    }
  }

  /** The thread's settings are the scripts' from now on. */
  private void arrive(Calls calls) {
    if (loaded) {
      Native.limit_bytes(limit);
      Native.keep_warnings(true);
      calls.gradMode = GradMode.is_enabled();
      if (gradMode != null) {
        GradMode.set_enabled(gradMode);
      }
    }
  }

  /** And its own again; what a script set stays the script's. */
  private void leave(Calls calls) {
    if (loaded) {
      Native.limit_bytes(0);
      Native.keep_warnings(false);
      gradMode = GradMode.is_enabled() == calls.gradMode ? null : GradMode.is_enabled();
      GradMode.set_enabled(calls.gradMode);
    }
  }

  /** Sets what hands a warning to the scripts: by the name of its class in Python, and its text. */
  void onWarning(BiConsumer<String, String> warn) {
    this.warn = warn;
  }

  /** Hands libtorch's warnings to the scripts, once no native call is under way. */
  void warn() {
    for (String warning = next(); !warning.isEmpty(); warning = next()) {
      warn.accept(
          warning.charAt(0) == 'U' ? "UserWarning" : "DeprecationWarning", warning.substring(1));
    }
  }

  /** The same where a call has failed: its error goes before one that a warning is made to. */
  void warnBesideError() {
    try {
      warn();
    } catch (RuntimeException e) {
      // A filter of the script's says "error".
    }
  }

  private static String next() {
    try (PointerScope scope = new PointerScope()) {
      final BytePointer warning = Native.next_warning();
      return warning == null ? "" : warning.getString();
    }
  }

  /** libtorch's number of the dtype of floats that are given none. */
  long defaultDtype() {
    return defaultDtype;
  }

  /** Sets it for scripts of this pool. */
  void defaultDtype(long code) {
    defaultDtype = code;
  }

  /** Loads the native library: at the first tensor, as a script without tensors need not wait. */
  synchronized void load() {
    if (closed) {
      throw new IllegalStateException("the interpreter of this tensor is closed");
    }
    if (!loaded) {
      NativeLibrary.load();
      Native.track_memory(true);
      limit = Native.live_bytes() + (budget > 0 ? budget : MemoryBudget.available());
      collectAbove = Math.min(SOFT, limit / 4);
      loaded = true;
      if (turn.isHeldByCurrentThread()) {
        arrive(Calls.OF_THREAD.get());
      }
    }
  }

  /** Takes over a tensor that nobody else closes. */
  PyTensor own(Tensor tensor) {
    // Or a PointerScope of the caller would free it.
    tensor.retainReference();
    final PyTensor face = new PyTensor(this, tensor);
    face.entry = track(face, tensor::releaseReference);
    drain();
    return face;
  }

  /** Frees something once its Python face is gone, or at the end. */
  Entry track(Object face, Runnable free) {
    final Entry entry = new Entry(face, free, unreachable);
    entries.add(entry);
    return entry;
  }

  /** Takes a second handle of a tensor that somebody else closes; shares its data. */
  PyTensor share(Tensor tensor) {
    load();
    return own(new Tensor(tensor));
  }

  /** Frees a tensor that no script has seen. */
  void free(PyTensor face) {
    final Entry entry = (Entry) Objects.requireNonNull(face.entry, "closed");
    entries.remove(entry);
    entry.free();
    face.closed();
  }

  private void drain() {
    for (Reference<?> gone = unreachable.poll(); gone != null; gone = unreachable.poll()) {
      entries.remove((Entry) gone);
      ((Entry) gone).free();
    }
  }

  /** Makes room if the tensors have become many. To be called before an operation allocates. */
  void makeRoom() {
    drain();
    if (loaded && Native.live_bytes() > collectAbove) {
      collect();
      // What lives on is in use: ask again only after as much more.
      final long live = Native.live_bytes();
      collectAbove = Math.min(live + Math.min(SOFT, limit / 4), (live + limit) / 2);
    }
  }

  /** Runs something that allocates and changes nothing, once more if there was no room. */
  <T extends @Nullable Object> T allocate(Supplier<T> body) {
    makeRoom();
    try {
      return body.get();
    } catch (OutOfMemoryError e) {
      collect();
      return body.get();
    }
  }

  /** Asks the collector for tensors that no script can reach, and frees them. */
  void collect() {
    final Entry mark = track(new Object(), () -> {}); // unreachable at once
    System.gc();
    try {
      // The collector's thread hands them over after the collection, the mark among the others.
      boolean marked = false;
      for (Reference<?> gone = unreachable.remove(500);
          gone != null;
          gone = unreachable.remove(marked ? 10 : 500)) {
        marked |= gone == mark;
        entries.remove((Entry) gone);
        ((Entry) gone).free();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** How many tensors the scripts have. */
  int size() {
    drain();
    return entries.size();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      entries.forEach(Entry::free);
      entries.clear();
      if (loaded) {
        Native.track_memory(false);
      }
    }
  }

  boolean isClosed() {
    return closed;
  }
}

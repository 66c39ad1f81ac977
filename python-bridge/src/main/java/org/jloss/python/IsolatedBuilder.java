package org.jloss.python;

import java.util.ArrayList;
import java.util.List;

/**
 * Starts workers: JVMs of their own with an interpreter each, for scripts that are not trusted.
 * They open no more than their options, share nothing with this JVM, and are ended where they take
 * too long, too much memory, or write too much.
 */
public final class IsolatedBuilder extends PythonOptions<IsolatedBuilder> {
  long heap = 512L << 20;
  long outputLimit = 16L << 20;
  int valueLimit = 256 << 20;

  /** The class that runs in the worker. */
  String program = Worker.class.getName();

  final List<String> javaOptions = new ArrayList<>();

  IsolatedBuilder() {
    memory = 512L << 20;
  }

  /**
   * The most bytes of a worker's heap, where Python's objects are; by default 512 MiB. Past it the
   * worker ends, and its caller gets {@link PythonWorkerException}. Tensors have a budget of their
   * own, {@link #memory(long)}, by default 512 MiB here. On Linux the system holds the process to
   * both and what the JVM itself needs.
   */
  public IsolatedBuilder heap(long bytes) {
    if (bytes < 64L << 20) {
      throw new IllegalArgumentException("expected a heap of at least 64 MiB, got " + bytes);
    }
    heap = bytes;
    return this;
  }

  /** The most bytes that one call may write; by default 16 MiB. Past it the worker is ended. */
  public IsolatedBuilder outputLimit(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("expected an output limit >= 0, got " + bytes);
    }
    outputLimit = bytes;
    return this;
  }

  /**
   * The most bytes of the values of one call, either way; by default 256 MiB. Lists and maps may
   * have some two million elements besides.
   */
  public IsolatedBuilder valueLimit(int bytes) {
    if (bytes < 1 << 16) {
      throw new IllegalArgumentException("expected a limit of at least 65536 bytes, got " + bytes);
    }
    valueLimit = bytes;
    return this;
  }

  /** Further options for the workers' JVM. */
  public IsolatedBuilder javaOptions(String... options) {
    javaOptions.addAll(List.of(options));
    return this;
  }

  /** Starts one worker. */
  public Python build() {
    return new IsolatedPython(this);
  }

  /**
   * Starts so many workers, to be borrowed. After each borrower the interpreter is a new one, in
   * the same JVM; a worker that ended is replaced.
   */
  public PythonPool pool(int size) {
    return new PythonPool(size, () -> new IsolatedPython(this), true);
  }
}

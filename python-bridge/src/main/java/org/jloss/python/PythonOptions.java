package org.jloss.python;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an interpreter opens to its scripts and how long they may take; by default it opens nothing.
 * Folders and the standard streams are all that can be opened: network, processes, threads, Java's
 * classes and native code are not, by any option.
 *
 * @param <B> the builder itself
 */
public abstract sealed class PythonOptions<B extends PythonOptions<B>>
    permits PythonBridge.Builder, IsolatedBuilder {
  final List<Path> readable = new ArrayList<>();
  final List<Path> writable = new ArrayList<>();
  @Nullable InputStream in;
  OutputStream out = System.out;
  OutputStream err = System.err;
  long memory;
  @Nullable Duration timeLimit;
  @Nullable String preload;
  String opening =
      "It lies outside the folders that are open to this script (readFolder, writeFolder).";

  PythonOptions() {}

  @SuppressWarnings("unchecked")
  private B self() {
    return (B) this;
  }

  /** Opens a folder, with all in it, for reading. Links that lead out of it stay closed. */
  public B readFolder(Path folder) {
    readable.add(real(folder));
    return self();
  }

  /** Opens a folder, with all in it, for reading and writing. */
  public B writeFolder(Path folder) {
    writable.add(real(folder));
    return self();
  }

  /** What a script is told, below its traceback, when it wants a file that is not open to it. */
  public B openingHint(String sentence) {
    opening = sentence;
    return self();
  }

  /** Where the scripts' standard input comes from; without it, it is empty. */
  public B stdin(InputStream in) {
    this.in = in;
    return self();
  }

  /** Where the scripts' standard output goes; by default to the JVM's. */
  public B stdout(OutputStream out) {
    this.out = out;
    return self();
  }

  /** Where the scripts' standard error goes; by default to the JVM's. */
  public B stderr(OutputStream err) {
    this.err = err;
    return self();
  }

  /**
   * The most bytes that tensors may have while a script runs, beyond what the process holds at its
   * first one; past that a script gets MemoryError. By default what the machine has left.
   */
  public B memory(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("expected a memory budget > 0, got " + bytes);
    }
    memory = bytes;
    return self();
  }

  /**
   * How long each call into Python may take, from {@code runScript} to a function's; by default
   * without a limit. Then it is ended and the caller gets {@link PythonTimeoutException}.
   *
   * <p>In this JVM that ends Python's loops and sleeps, host calls that can be interrupted, and
   * code that catches everything. What never looks up, such as {@code sum(range(10**12))} or one
   * native call, cannot be ended: it is reported after a grace period, and its interpreter
   * abandoned. A worker is ended whatever it does.
   *
   * <p>With a limit scripts run in a thread of the interpreter's own. A loss written in Python that
   * Java calls runs in the calling thread, without a limit.
   */
  public B timeLimit(Duration limit) {
    if (limit.isZero() || limit.isNegative()) {
      throw new IllegalArgumentException("expected a time limit > 0, got " + limit);
    }
    timeLimit = limit;
    return self();
  }

  /**
   * Statements that each interpreter runs as soon as it has started, such as imports, without a
   * time limit.
   */
  public B preload(String code) {
    preload = code;
    return self();
  }

  private static Path real(Path folder) {
    try {
      final Path real = folder.toRealPath();
      if (!Files.isDirectory(real)) {
        throw new IllegalArgumentException(folder + " is no folder");
      }
      return real;
    } catch (IOException e) {
      throw new IllegalArgumentException("there is no folder " + folder, e);
    }
  }
}

package org.jloss.python;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jloss.Loss;
import org.jloss.Memory;
import org.jspecify.annotations.Nullable;

/**
 * A Python interpreter: in this JVM ({@link PythonBridge}), or in a worker ({@link
 * PythonBridge#isolated()}).
 *
 * <p>Threads: any thread may call; one call runs at a time, and others wait for it. Values and
 * functions belong to the interpreter that they come from.
 *
 * <p>Values, both ways: None and null; bool; int as long (BigInteger beyond it); float as double;
 * str; bytes as byte[]; list and tuple as {@link List}, dict as {@link java.util.Map}, set as
 * {@link java.util.Set}, of such values; tensors, losses, miners.
 *
 * <ul>
 *   <li>A tensor shares its data with the script's, and its graph; of a worker it is a copy. What
 *       the caller passes the caller still closes, and what it gets too.
 *   <li>An {@link org.jloss.NdArray} becomes a tensor with a copy of its data.
 *   <li>A script's function of tensors, or object with a method forward, comes out as a {@link
 *       Loss}, which throws PythonException; not so of a worker.
 *   <li>A {@link Memory} is shared, and its maker's to close; a worker takes none.
 *   <li>Of any other object of Java a script sees the public methods that are annotated with {@link
 *       org.graalvm.polyglot.HostAccess.Export}, and nothing else. Their arguments and results are
 *       such values; a tensor argument is the script's, to be used during the call. A worker takes
 *       no such objects.
 * </ul>
 *
 * <p>All methods that run Python throw
 *
 * <ul>
 *   <li>{@link PythonException}: what the script raised and did not catch, where no status tells it
 *   <li>{@link PythonTimeoutException}: the {@linkplain PythonOptions#timeLimit time limit} was
 *       over
 *   <li>{@link PythonWorkerException}: the worker ended, for want of memory or by its script
 *   <li>{@link IllegalStateException}: this interpreter is closed, or was abandoned
 *   <li>{@link IllegalArgumentException}: a value that cannot cross
 * </ul>
 */
public interface Python extends AutoCloseable {
  /**
   * Runs a script as {@code python script arguments...} would.
   *
   * @param script the file; its folder is where it imports from, if that is open
   * @param arguments {@code sys.argv} after the script's name
   * @return the exit status: 0, or 1 after an exception whose traceback is on the standard error,
   *     or what it passed to {@code sys.exit}
   * @throws UncheckedIOException if the file cannot be read
   */
  int runScript(Path script, List<String> arguments);

  /** Runs a text as a script of this name, see {@link #runScript(Path, List)}. */
  int runScript(String name, String text, List<String> arguments);

  /**
   * Runs a module as {@code python -m module arguments...} would: one of the standard library, or
   * of the first folder that is open.
   *
   * @return the exit status, as of a script
   */
  int runModule(String module, List<String> arguments);

  /** Runs statements in the scripts' name space. */
  void exec(String code);

  /** The value of an expression. */
  @Nullable Object eval(String expression);

  /** Sets a global of the scripts. */
  void set(String name, @Nullable Object value);

  /**
   * A global of the scripts.
   *
   * @throws PythonException KeyError if there is none
   */
  @Nullable Object get(String name);

  /**
   * A function of the scripts as a functional interface.
   *
   * <pre>{@code
   * ToDoubleFunction<List<Double>> mean = python.function("statistics.mean", ToDoubleFunction.class);
   * }</pre>
   *
   * @param expression its name, or any expression; it is looked up once
   * @param type an interface with one abstract method: its arguments are passed, its result is
   *     converted to the type that it declares. The object may be kept for as long as the
   *     interpreter lives
   * @throws PythonException if there is no such name, TypeError if it is no function
   */
  <T> T function(String expression, Class<T> type);

  /**
   * Interrupts a running script from another thread: Python loops, sleeps and host calls end with
   * KeyboardInterrupt.
   *
   * @return whether it ended in time
   */
  boolean interrupt(Duration patience);

  /** Ends the interpreter and frees all tensors of its scripts. */
  @Override
  void close();
}

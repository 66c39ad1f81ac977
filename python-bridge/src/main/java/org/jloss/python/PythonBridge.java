package org.jloss.python;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.EnvironmentAccess;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.SandboxPolicy;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.FileSystem;
import org.graalvm.polyglot.io.IOAccess;
import org.jloss.Loss;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/**
 * A Python interpreter inside the JVM, with jloss as the package {@code jloss}.
 *
 * <p>A script sees the package, the pure parts of Python's standard library, what the caller sets
 * as globals, and nothing else: no file, network, process, thread, Java class or native code,
 * unless the {@linkplain Builder builder} opens it by name.
 *
 * <pre>{@code
 * try (PythonBridge python = PythonBridge.create()) {
 *   python.set("x", Tensors.of(new float[] {1, 2, 3}));
 *   double sum = (double) python.eval("x.sum().item()");
 * }
 * }</pre>
 *
 * <p>Bridges share one engine, so that a second one starts faster. One bridge is used by one thread
 * at a time.
 */
public final class PythonBridge implements AutoCloseable {
  private static final String LANGUAGE = "python";

  /** Exported members alone; arrays are copies that the bridge itself hands over. */
  private static final HostAccess ACCESS =
      HostAccess.newBuilder(HostAccess.EXPLICIT).allowArrayAccess(true).build();

  /** The engine and what is parsed once for all bridges. */
  private static final class Shared {
    static final Engine ENGINE =
        Engine.newBuilder(LANGUAGE)
            // On a JVM without the optimising compiler this is known and not worth a line each run.
            .option("engine.WarnInterpreterOnly", "false")
            .build();
    static final Source BOOT = source("boot.py");

    private static Source source(String name) {
      try (InputStream in = PythonBridge.class.getResourceAsStream(name)) {
        final String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        return Source.newBuilder(LANGUAGE, text, "<jloss " + name + ">").internal(true).build();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final Context context;
  private final OutputStream err;
  private final TensorPool pool;
  private final Host host;
  private final Value boot;
  private final Value run;

  /** What a bridge opens to its scripts: by default nothing. */
  public static final class Builder {
    private final List<Path> readable = new ArrayList<>();
    private final List<Path> writable = new ArrayList<>();
    private @Nullable InputStream in;
    private OutputStream out = System.out;
    private OutputStream err = System.err;
    private long memory;

    private Builder() {}

    /** Opens a folder, with all in it, for reading. Links that lead out of it stay closed. */
    public Builder readFolder(Path folder) {
      readable.add(real(folder));
      return this;
    }

    /** Opens a folder, with all in it, for reading and writing. */
    public Builder writeFolder(Path folder) {
      writable.add(real(folder));
      return this;
    }

    /** Where the scripts' standard input comes from; without it, it is empty. */
    public Builder stdin(InputStream in) {
      this.in = in;
      return this;
    }

    /** Where the scripts' standard output goes; by default to the JVM's. */
    public Builder stdout(OutputStream out) {
      this.out = out;
      return this;
    }

    /** Where the scripts' standard error goes; by default to the JVM's. */
    public Builder stderr(OutputStream err) {
      this.err = err;
      return this;
    }

    /**
     * The most bytes that tensors may have while a script runs, beyond what the process holds at
     * its first one; past that a script gets MemoryError. By default what the machine has left.
     */
    public Builder memory(long bytes) {
      if (bytes <= 0) {
        throw new IllegalArgumentException("expected a memory budget > 0, got " + bytes);
      }
      memory = bytes;
      return this;
    }

    /** Starts the interpreter. */
    public PythonBridge build() {
      return new PythonBridge(this);
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

  /** A bridge that opens nothing. */
  public static PythonBridge create() {
    return builder().build();
  }

  /** For a bridge with streams of its own, or that opens something. */
  public static Builder builder() {
    return new Builder();
  }

  private PythonBridge(Builder options) {
    final ScriptFiles files =
        new ScriptFiles(List.copyOf(options.readable), List.copyOf(options.writable));
    context =
        Context.newBuilder(LANGUAGE)
            .engine(Shared.ENGINE)
            .sandbox(SandboxPolicy.TRUSTED)
            .allowAllAccess(false)
            .allowHostAccess(ACCESS)
            .allowHostClassLookup(name -> false)
            .allowHostClassLoading(false)
            .allowPolyglotAccess(PolyglotAccess.NONE)
            .allowIO(
                IOAccess.newBuilder()
                    .fileSystem(FileSystem.allowInternalResourceAccess(files))
                    .build())
            .allowCreateThread(false)
            .allowCreateProcess(false)
            .allowNativeAccess(false)
            .allowInnerContextOptions(false)
            .allowValueSharing(false)
            .allowEnvironmentAccess(EnvironmentAccess.NONE)
            .in(options.in == null ? InputStream.nullInputStream() : options.in)
            .out(options.out)
            .err(options.err)
            .option("python.PosixModuleBackend", "java")
            .option("python.DontWriteBytecodeFlag", "true")
            .option("python.ForceImportSite", "false")
            .option("python.PythonPath", ScriptFiles.MOUNT.resolve("src").toString())
            .build();
    err = options.err;
    pool = new TensorPool(options.memory);
    host = new Host(pool, files, this::translate);
    boot = context.eval(Shared.BOOT).execute(host);
    run = boot.getMember("run");
  }

  /**
   * Runs a script as {@code python script arguments...} would.
   *
   * @param script the file; its folder is where it imports from, if that is open
   * @param arguments {@code sys.argv} after the script's name
   * @return the exit status: 0, or 1 after an exception whose traceback is on the standard error,
   *     or what it passed to {@code sys.exit}
   * @throws UncheckedIOException if the file cannot be read
   */
  public int runScript(Path script, List<String> arguments) {
    try {
      return runScript(script.toString(), Files.readAllBytes(script), arguments);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a text as a script of this name, see {@link #runScript(Path, List)}. */
  public int runScript(String name, String text, List<String> arguments) {
    return runScript(name, text.getBytes(StandardCharsets.UTF_8), arguments);
  }

  private int runScript(String name, byte[] source, List<String> arguments) {
    pool.enter();
    try {
      return run.execute(name, source, arguments.toArray(new String[0])).asInt();
    } catch (PolyglotException e) {
      if (e.isExit()) {
        return e.getExitStatus();
      }
      if (e.isInterrupted()) {
        tell("KeyboardInterrupt", e);
        return 130;
      }
      if (!e.isInternalError()) {
        throw e;
      }
      // The script is over, the JVM and the bridge are not.
      tell("Fatal Python error: " + e.getMessage(), e);
      return 1;
    } finally {
      pool.exit();
    }
  }

  private void tell(String line, PolyglotException thrown) {
    try {
      err.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      err.flush();
    } catch (IOException e) {
      thrown.addSuppressed(e);
      throw thrown;
    }
  }

  /**
   * Runs statements in the scripts' name space.
   *
   * @throws PythonException if they raise an exception
   */
  public void exec(String code) {
    call("execute", code, "<exec>");
  }

  /**
   * The value of an expression, see {@link #get(String)} for its type.
   *
   * @throws PythonException if it raises an exception
   */
  public @Nullable Object eval(String expression) {
    return toJava(call("evaluate", expression));
  }

  /**
   * Sets a global of the scripts.
   *
   * @param value a tensor (shared, not copied; the caller still closes its own), a loss or miner of
   *     the library or of one's own, a memory (the caller still closes it), null, a boolean, number
   *     or text
   * @throws IllegalArgumentException for anything else
   */
  public void set(String name, @Nullable Object value) {
    if (value instanceof Tensor tensor) {
      call("set_tensor", name, pool.share(tensor));
    } else if (value instanceof Loss || value instanceof Miner || value instanceof Memory) {
      call("set_system", name, host.handle(value, false), describe(value));
    } else if (value == null
        || value instanceof Boolean
        || value instanceof Number
        || value instanceof String) {
      call("set_global", name, value);
    } else {
      throw new IllegalArgumentException(
          "expected a tensor, loss, miner, memory, boolean, number or text for "
              + name
              + ", got a "
              + value.getClass().getName());
    }
  }

  /**
   * A global of the scripts.
   *
   * @return None as null, a bool, int, float or str as Boolean, Long (Integer where it is small),
   *     Double or String; a tensor as the preset's (sharing its data; the caller closes it), a loss
   *     as {@link Loss}, also a function of tensors or an object with a method forward that the
   *     script wrote: such a loss is used by the bridge's thread until the bridge is closed, and
   *     throws PythonException; a miner or memory as {@link Miner} or {@link Memory}, which the
   *     script still owns; a list or tuple of these as {@link List}
   * @throws PythonException if there is none
   */
  public @Nullable Object get(String name) {
    return toJava(call("get_global", name));
  }

  private static String describe(Object system) {
    final Spec spec =
        system instanceof Loss loss
            ? loss.spec()
            : system instanceof Miner miner ? miner.spec() : ((Memory) system).spec();
    try {
      return Host.json(spec, system instanceof Record record ? record : null);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private Value call(String function, @Nullable Object... arguments) {
    pool.enter();
    try {
      return boot.getMember(function).execute(arguments);
    } catch (PolyglotException e) {
      throw translate(e);
    } finally {
      pool.exit();
    }
  }

  private RuntimeException translate(PolyglotException e) {
    final Value error = e.getGuestObject();
    if (!e.isGuestException() || error == null || e.isInternalError()) {
      return e;
    }
    final Value described = boot.getMember("describe").execute(error);
    return new PythonException(
        described.getArrayElement(0).asString(),
        described.getArrayElement(1).asString(),
        described.getArrayElement(2).asString(),
        e,
        context);
  }

  private static @Nullable Object toJava(Value value) {
    final Object read = Args.of(value);
    return value(read);
  }

  private static @Nullable Object value(@Nullable Object read) {
    if (read instanceof PyTensor tensor) {
      return new Tensor(tensor.tensor());
    }
    if (read instanceof PyLoss loss) {
      return loss.loss();
    }
    if (read instanceof PyMiner miner) {
      return miner.miner();
    }
    if (read instanceof PyMemory memory) {
      return memory.memory();
    }
    if (read instanceof List<?> list) {
      final List<@Nullable Object> values = new ArrayList<>();
      list.forEach(e -> values.add(value(e)));
      return values;
    }
    if (read instanceof Args.Unknown unknown) {
      throw new IllegalArgumentException("a Python " + unknown.type() + " has no Java type");
    }
    return read;
  }

  /**
   * Interrupts a running script from another thread: Python loops, sleeps and host calls end with
   * KeyboardInterrupt.
   *
   * @return whether it ended in time
   */
  public boolean interrupt(Duration patience) {
    try {
      context.interrupt(patience);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  /** Ends the interpreter and frees all tensors of its scripts. */
  @Override
  public void close() {
    context.close(true);
    pool.close();
  }
}

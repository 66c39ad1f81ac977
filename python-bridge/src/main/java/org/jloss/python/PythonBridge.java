package org.jloss.python;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.EnvironmentAccess;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.SandboxPolicy;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;
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
 * <p>Bridges share one engine, so that a second one starts faster. Several may run at once, in a
 * thread each; {@link Builder#pool} keeps some ready for a server.
 *
 * <p>A script in this JVM shares its heap and its processors. What is not trusted runs in workers,
 * see {@link #isolated()}.
 */
public final class PythonBridge extends Interpreter {
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

  private static final AtomicInteger ABANDONED = new AtomicInteger();

  /** Whether a class could not be loaded for want of stack, and so cannot be in this JVM again. */
  private static volatile boolean damaged;

  private final Context context;
  private final OutputStream err;
  private final TensorPool pool;
  private final Host host;
  private final LocalValues values;
  private final Value boot;
  private final @Nullable ScriptThread thread;
  private final @Nullable KeyboardInterrupts interrupts;
  private volatile @Nullable String failure;
  private volatile boolean lingers;

  /** What a bridge opens to its scripts: by default nothing. */
  public static final class Builder extends PythonOptions<Builder> {
    private boolean interrupts;

    private Builder() {}

    /**
     * Has Ctrl-C raise KeyboardInterrupt in the script, as in CPython, for a program that is one
     * script's: the JVM does not end of it any more. Where a second Ctrl-C comes before the script
     * has heeded the first, as it is in a builtin or in native code, the JVM ends with status 130.
     */
    public Builder keyboardInterrupt() {
      interrupts = true;
      return this;
    }

    /** Starts the interpreter. */
    public PythonBridge build() {
      return new PythonBridge(this);
    }

    /**
     * Starts so many interpreters, to be borrowed. They keep their globals from one borrower to the
     * next.
     */
    public PythonPool pool(int size) {
      return new PythonPool(size, this::build, false);
    }
  }

  /**
   * Whether Python is compiled as it runs. That takes a GraalVM, or a JDK with Graal's compiler on
   * its upgrade module path; elsewhere it is interpreted.
   */
  public static boolean isCompiled() {
    return !Shared.ENGINE.getImplementationName().equals("Interpreted");
  }

  /** A bridge that opens nothing. */
  public static PythonBridge create() {
    return builder().build();
  }

  /** For a bridge with streams of its own, or that opens something. */
  public static Builder builder() {
    return new Builder();
  }

  /** For scripts that are not trusted: a pool of JVMs, each with an interpreter. */
  public static IsolatedBuilder isolated() {
    return new IsolatedBuilder();
  }

  /** How many interpreters of this JVM were abandoned after a time limit and still run. */
  public static int abandoned() {
    return ABANDONED.get();
  }

  static boolean isDamaged() {
    return damaged;
  }

  private static boolean isInternal(PolyglotException e) {
    if (e.isInternalError() && String.valueOf(e.getMessage()).contains("NoClassDefFoundError")) {
      damaged = true;
    }
    return e.isInternalError();
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
            .allowIO(IOAccess.newBuilder().fileSystem(files.withResources()).build())
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
    values = new LocalValues(pool, host, false);
    thread =
        options.timeLimit == null ? null : new ScriptThread(options.timeLimit, new Interruption());
    interrupts = options.interrupts ? new KeyboardInterrupts() : null;
    try {
      // Python's main thread is the one that starts it, and signals are its business.
      boot = thread == null ? boot(options) : thread.start(() -> boot(options));
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
    pool.onWarning((kind, text) -> boot.getMember("warn").execute(kind, text));
    if (interrupts != null) {
      interrupts.ask(host::hasHeeded);
    }
    final String preload = options.preload;
    if (preload != null) {
      try {
        if (thread == null) {
          exec(preload);
        } else {
          // The caller's own code, and slow where the machine is busy: no limit, as in a worker.
          thread.start(
              () -> {
                exec(preload);
                return boot;
              });
        }
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }
  }

  private Value boot(Builder options) {
    return context.eval(Shared.BOOT).execute(host, options.opening, options.interrupts);
  }

  @Override
  Values values() {
    return values;
  }

  @Override
  @Nullable String failure() {
    return failure;
  }

  @Override
  boolean lingers() {
    return lingers;
  }

  @Override
  void renew() {
    throw new UnsupportedOperationException("an interpreter in this JVM keeps its globals");
  }

  private void check() {
    final String why = failure;
    if (why != null) {
      throw new IllegalStateException("expected an open interpreter, but this one " + why);
    }
  }

  @Override
  @Nullable Object invoke(String operation, @Nullable Object... arguments) {
    if (thread == null) {
      return invokeHere(operation, arguments);
    }
    try {
      return thread.run(() -> invokeHere(operation, arguments), this::check);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private @Nullable Object invokeHere(String operation, @Nullable Object... arguments) {
    pool.enter();
    try {
      check();
      // Until an exception is told, too: that runs the script's own words for it.
      context.enter();
      try {
        return called(operation, arguments);
      } finally {
        context.leave();
      }
    } finally {
      pool.exit();
    }
  }

  private @Nullable Object called(String operation, @Nullable Object... arguments) {
    try {
      return Args.of(boot.getMember(operation).execute(arguments));
    } catch (PolyglotException e) {
      final boolean isProgram = operation.equals("run") || operation.equals("module");
      if (isProgram && (thread == null || !thread.isEnding())) {
        return status(e);
      }
      throw translate(e);
    }
  }

  /** The status of a program that ended otherwise than by an exception in Python. */
  private int status(PolyglotException e) {
    final Integer exit = exit(e);
    if (exit != null) {
      return exit;
    }
    if (e.isInterrupted()) {
      tell("KeyboardInterrupt");
      return 130;
    }
    if (e.isCancelled()) {
      throw new IllegalStateException("the interpreter was closed while a script ran", e);
    }
    // The script is over, the JVM and the bridge are not. Or its own streams are broken.
    tell((isInternal(e) ? "Fatal Python error: " : "") + e.getMessage());
    return 1;
  }

  /** The status that a script exited with, or null. After sys.exit the interpreter goes on. */
  private @Nullable Integer exit(PolyglotException e) {
    final Integer ended = host.exit();
    if (ended != null) {
      failure = "was ended by os._exit";
      return ended;
    }
    return e.isExit() ? e.getExitStatus() : null;
  }

  private void tell(String line) {
    try {
      err.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      err.flush();
    } catch (IOException e) {
      // Nobody reads: the status says it as well.
    }
  }

  private RuntimeException translate(PolyglotException e) {
    final Value error = e.getGuestObject();
    final Integer exit = exit(e);
    // GraalPy takes every sys.exit for one with 1: the exception itself knows better.
    if (exit != null && (host.exit() != null || error == null)) {
      return new PythonException("SystemExit", exit.toString(), "", e, context);
    }
    if (e.isInterrupted()) {
      return new PythonException("KeyboardInterrupt", "", "", e, context);
    }
    if (e.isCancelled()) {
      return new IllegalStateException("the interpreter was closed while a script ran", e);
    }
    if (isInternal(e) || !e.isGuestException() || error == null) {
      return new PythonException("SystemError", String.valueOf(e.getMessage()), "", e, context);
    }
    final Value described = boot.getMember("describe").execute(error);
    return new PythonException(
        described.getArrayElement(0).asString(),
        described.getArrayElement(1).asString(),
        described.getArrayElement(2).asString(),
        e,
        context);
  }

  @Override
  public boolean interrupt(Duration patience) {
    try {
      context.interrupt(patience);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  @Override
  public void close() {
    // An abandoned one is ended by the thread that waits for it.
    if (!ScriptThread.ABANDONED.equals(failure)) {
      failure = "is closed";
      end();
    }
  }

  private void end() {
    context.close(true);
    pool.close();
    if (thread != null) {
      thread.close();
    }
    if (interrupts != null) {
      interrupts.close();
    }
  }

  private final class Interruption implements ScriptThread.Interruption {
    @Override
    public boolean interrupt(Duration patience) {
      return PythonBridge.this.interrupt(patience);
    }

    @Override
    public void abandon() {
      failure = ScriptThread.ABANDONED;
      lingers = true;
      ABANDONED.incrementAndGet();
      final Thread waits =
          new Thread(
              () -> {
                try {
                  end(); // returns when the call does that nothing ends
                } finally {
                  lingers = false;
                  ABANDONED.decrementAndGet();
                }
              },
              "jloss-python-abandoned");
      waits.setDaemon(true);
      waits.start();
    }
  }
}

package org.jloss.python;

import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** An interpreter in a JVM of its own, which is not trusted. */
final class IsolatedPython extends Interpreter {
  /** Of a worker's start, and of a new interpreter in it, on a busy machine. */
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** What the JVM, GraalPy's code and libtorch take beside the heap and the tensors. */
  private static final long OWN_MEMORY = 1L << 30;

  /** Of -XX:+ExitOnOutOfMemoryError. */
  private static final int HEAP_IS_FULL = 3;

  /** What of the environment decides how the JVM and libtorch work; all else stays here. */
  private static final Set<String> ENVIRONMENT =
      Set.of("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH");

  private static final ScheduledThreadPoolExecutor CLOCK = clock();

  private final IsolatedBuilder options;
  private final WireValues values = new WireValues();
  private final ReentrantLock turn = new ReentrantLock();
  private final BlockingQueue<Object> answers = new LinkedBlockingQueue<>(1);
  private final Process process;
  private final Wire wire;
  private final Path log;
  private volatile @Nullable RuntimeException failure;
  private volatile long written;
  private final AtomicBoolean reading = new AtomicBoolean();

  IsolatedPython(IsolatedBuilder options) {
    this.options = options;
    try {
      log = Files.createTempFile("jloss-worker", ".log");
      final ProcessBuilder builder = new ProcessBuilder(command(options));
      builder
          .environment()
          .keySet()
          .removeIf(n -> !ENVIRONMENT.contains(n) && !n.matches("(OPENBLAS|OMP|MKL|ATEN)_.*"));
      process = builder.redirectError(log.toFile()).start();
    } catch (IOException e) {
      throw new UncheckedIOException("a worker could not be started", e);
    }
    wire = new Wire(process.getInputStream(), process.getOutputStream(), options.valueLimit);
    final Thread reader = new Thread(this::read, "jloss-python-worker");
    reader.setDaemon(true);
    reader.start();
    final Map<String, @Nullable Object> start = new TreeMap<>();
    start.put("readable", options.readable.stream().map(Path::toString).toArray());
    start.put("writable", options.writable.stream().map(Path::toString).toArray());
    start.put("memory", options.memory);
    start.put("opening", options.opening);
    start.put("preload", options.preload);
    try {
      ask(PATIENCE, "start", start);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private static ScheduledThreadPoolExecutor clock() {
    final ScheduledThreadPoolExecutor clock =
        new ScheduledThreadPoolExecutor(
            1,
            body -> {
              final Thread thread = new Thread(body, "jloss-python-clock");
              thread.setDaemon(true);
              return thread;
            });
    clock.setRemoveOnCancelPolicy(true);
    return clock;
  }

  private static List<String> command(IsolatedBuilder options) {
    final List<String> command = new ArrayList<>();
    if (new File("/proc/self/limits").exists()) {
      // The memory that is written to: the address space of a JVM is far larger than what it uses.
      // What ends the owner at the terminal ends the worker by the end of its input.
      final long kib = (options.heap + options.memory + OWN_MEMORY) >> 10;
      command.addAll(
          List.of(
              "/bin/sh",
              "-c",
              "trap '' INT; ulimit -c 0; ulimit -d " + kib + " && exec \"$@\"",
              "sh"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx" + (options.heap >> 10) + "k");
    command.addAll(
        List.of(
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            // A script can make GraalPy write warnings without end.
            "-Dpolyglot.log.file=/dev/null",
            "-Dfile.encoding=UTF-8",
            "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
            "-Dorg.bytedeco.javacpp.maxBytes=0"));
    // Where libraries and caches are.
    for (final String name : System.getProperties().stringPropertyNames()) {
      if (name.matches("user\\.home|java\\.io\\.tmpdir|(org\\.bytedeco|polyglot|jloss)\\..*")
          && !name.startsWith("org.bytedeco.javacpp.max")) {
        command.add("-D" + name + "=" + System.getProperty(name));
      }
    }
    if (Runtime.version().feature() >= 24) {
      command.addAll(
          List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
    }
    command.addAll(options.javaOptions);
    final String classes = System.getProperty("java.class.path", "");
    if (!classes.isEmpty()) {
      command.addAll(List.of("-cp", classes));
    }
    final String modules = System.getProperty("jdk.module.path");
    final Module own = IsolatedPython.class.getModule();
    if (modules != null && own.isNamed()) {
      command.addAll(List.of("-p", modules, "--add-modules", "ALL-MODULE-PATH", "-m"));
      command.add(own.getName() + "/" + options.program);
    } else {
      command.add(options.program);
    }
    command.add(Integer.toString(options.valueLimit));
    return command;
  }

  private void read() {
    try {
      while (true) {
        final Wire.Frame frame = wire.read();
        switch (frame.kind()) {
          case Wire.MESSAGE -> {
            if (!answers.offer(Objects.requireNonNull(Wire.parse(frame.bytes())))) {
              throw new IOException("a worker answered without a call");
            }
          }
          case Wire.OUT, Wire.ERR -> output(frame);
          case Wire.INPUT -> {
            final int wanted = ByteBuffer.wrap(frame.bytes()).getInt();
            if (reading.getAndSet(true)) {
              throw new IOException("a worker wants input twice");
            }
            // Not here: reading may wait for ever, and a worker's end must be noticed.
            final Thread feeder = new Thread(() -> input(wanted), "jloss-python-input");
            feeder.setDaemon(true);
            feeder.start();
          }
          default -> throw new IOException("a worker sent a frame of kind " + frame.kind());
        }
      }
    } catch (EOFException e) {
      end(null);
    } catch (Throwable e) {
      // Of whatever kind: a caller waits.
      // The JVM's last words, to the standard output, are no frame either; its status says more.
      if (!hasEnded(Duration.ofSeconds(2))) {
        end(new PythonWorkerException("the worker answered nonsense and was ended: " + e, e));
      }
    }
    process.onExit().join();
    if (failure == null) {
      failure = new PythonWorkerException(lastWords(), null);
    }
    try {
      Files.deleteIfExists(log);
    } catch (IOException e) {
      log.toFile().deleteOnExit();
    }
    answers.offer(this); // no answer, unless there is one: the failure tells why
  }

  private boolean hasEnded(Duration patience) {
    try {
      return failure == null && process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return false;
    }
  }

  /** Ends the process; the first reason counts. */
  private synchronized void end(@Nullable RuntimeException why) {
    if (failure == null) {
      failure = why;
    }
    process.destroyForcibly();
  }

  private void output(Wire.Frame frame) {
    written += frame.bytes().length;
    if (written > options.outputLimit) {
      throw failed(
          new PythonWorkerException(
              "the script wrote more than "
                  + options.outputLimit
                  + " bytes in one call, and its worker was ended",
              null));
    }
    try {
      final var stream = frame.kind() == Wire.OUT ? options.out : options.err;
      stream.write(frame.bytes());
      stream.flush();
    } catch (IOException e) {
      throw failed(new PythonWorkerException("the script's output could not be written: " + e, e));
    }
  }

  private RuntimeException failed(RuntimeException why) {
    end(why);
    return why;
  }

  private void input(int wanted) {
    try {
      final InputStream in = options.in;
      final byte[] bytes = new byte[Math.max(1, Math.min(wanted, 1 << 16))];
      final int count = in == null ? 0 : Math.max(0, in.read(bytes));
      reading.set(false);
      wire.write(Wire.INPUT, bytes, 0, count);
    } catch (IOException | RuntimeException e) {
      end(new PythonWorkerException("the script's input could not be read or passed on: " + e, e));
    }
  }

  private String lastWords() {
    final int status = process.exitValue();
    if (status == HEAP_IS_FULL) {
      return "the script needed more than the worker's heap of " + options.heap + " bytes";
    }
    String words = "";
    try {
      final byte[] all = Files.readAllBytes(log);
      final int from = Math.max(0, all.length - 500);
      words = new String(all, from, all.length - from, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      // Then without.
    }
    return "the worker ended with status " + status + (words.isEmpty() ? "" : ": " + words);
  }

  @Override
  @Nullable Object invoke(String operation, @Nullable Object... arguments) {
    return ask(options.timeLimit, operation, arguments);
  }

  private @Nullable Object ask(
      @Nullable Duration limit, String operation, @Nullable Object... arguments) {
    turn.lock();
    final Future<?> alarm =
        limit == null
            ? null
            : CLOCK.schedule(
                () ->
                    end(
                        new PythonTimeoutException(
                            "the script exceeded its time limit of "
                                + ScriptThread.words(limit)
                                + ", and its worker was ended",
                            false)),
                limit.toNanos(),
                TimeUnit.NANOSECONDS);
    try {
      if (failure == null) {
        written = 0;
        final Object[] call = new Object[arguments.length + 1];
        call[0] = operation;
        System.arraycopy(arguments, 0, call, 1, arguments.length);
        wire.send(call);
        final Object answer = answers.take();
        if (answer instanceof List<?> parts) {
          return unpack(parts);
        }
      }
      throw again(Objects.requireNonNull(failure));
    } catch (IOException e) {
      // It ended before it had read all: its reader tells why.
      process.onExit().join();
      throw again(failure == null ? new PythonWorkerException(lastWords(), e) : failure);
    } catch (InterruptedException e) {
      end(new PythonWorkerException("interrupted while a script ran; its worker was ended", e));
      Thread.currentThread().interrupt();
      throw again(Objects.requireNonNull(failure));
    } finally {
      if (alarm != null) {
        alarm.cancel(false);
      }
      turn.unlock();
    }
  }

  /** The failure with the stack of this call. */
  private static RuntimeException again(RuntimeException failure) {
    return failure instanceof PythonTimeoutException
        ? new PythonTimeoutException(String.valueOf(failure.getMessage()), false)
        : failure instanceof IllegalStateException
            ? new IllegalStateException(failure.getMessage())
            : new PythonWorkerException(String.valueOf(failure.getMessage()), failure);
  }

  private @Nullable Object unpack(List<?> answer) {
    try {
      switch ((String) answer.get(0)) {
        case "value":
          return answer.get(1);
        case "python":
          throw new PythonException(
              (String) answer.get(1), (String) answer.get(2), (String) answer.get(3), null, null);
        case "argument":
          throw new IllegalArgumentException((String) answer.get(1));
        case "state":
          throw new IllegalStateException((String) answer.get(1));
        default:
      }
    } catch (ClassCastException | IndexOutOfBoundsException | NullPointerException e) {
      // As below.
    }
    throw failed(new PythonWorkerException("the worker answered nonsense and was ended", null));
  }

  @Override
  Values values() {
    return values;
  }

  @Override
  @Nullable String failure() {
    final RuntimeException why = failure;
    return why == null ? null : why.getMessage();
  }

  @Override
  boolean lingers() {
    return false;
  }

  @Override
  void renew() {
    ask(PATIENCE, "renew");
  }

  /** The process, for tests. */
  ProcessHandle process() {
    return process.toHandle();
  }

  @Override
  public boolean interrupt(Duration patience) {
    try {
      wire.write(Wire.INTERRUPT, new byte[0], 0, 0);
      // It runs for as long as its caller has the turn.
      if (turn.tryLock(patience.toNanos(), TimeUnit.NANOSECONDS)) {
        turn.unlock();
        return true;
      }
      return false;
    } catch (IOException e) {
      return true; // it has ended
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    end(new IllegalStateException("expected an open interpreter, but this one is closed"));
  }
}

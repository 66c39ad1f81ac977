package org.jloss.python;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.bytedeco.javacpp.PointerScope;
import org.jspecify.annotations.Nullable;

/** The other end of {@link IsolatedPython}: a JVM's main program. */
final class Worker {
  /** As in {@link ScriptThread}. */
  private static final long STACK = 16L << 20;

  private final Wire wire;
  private final BlockingQueue<byte[]> calls = new LinkedBlockingQueue<>();
  private final BlockingQueue<byte[]> input = new LinkedBlockingQueue<>();
  private final WireValues values = new WireValues();
  private volatile @Nullable PythonBridge python;
  private Map<?, ?> options = Map.of();

  private Worker(Wire wire) {
    this.wire = wire;
  }

  /** Serves the standard streams until they end. */
  public static void main(String[] args) {
    final PrintStream out = System.out;
    // What else prints must not come between.
    System.setOut(System.err);
    final Worker worker = new Worker(new Wire(System.in, out, Integer.parseInt(args[0])));
    new Thread(null, worker::serve, "jloss-python", STACK).start();
    worker.receive();
  }

  private void receive() {
    try {
      while (true) {
        final Wire.Frame frame = wire.read();
        final PythonBridge running = python;
        if (frame.kind() == Wire.MESSAGE) {
          calls.add(frame.bytes());
        } else if (frame.kind() == Wire.INPUT) {
          input.add(frame.bytes());
        } else if (frame.kind() == Wire.INTERRUPT && running != null) {
          new Thread(() -> running.interrupt(Duration.ofSeconds(10))).start();
        }
      }
    } catch (IOException e) {
      // The owner is gone, or wants this to end.
      Runtime.getRuntime().halt(0);
    }
  }

  private void serve() {
    try {
      while (true) {
        final List<?> call = (List<?>) Objects.requireNonNull(Wire.parse(calls.take()), "a call");
        final Object[] answer = answer(call);
        try {
          wire.send(answer);
        } catch (IllegalArgumentException e) {
          wire.send(new Object[] {"argument", String.valueOf(e.getMessage())}); // it was too large
        }
        if (PythonBridge.isDamaged()) {
          System.err.println("a script left no stack for the JVM to load a class");
          Runtime.getRuntime().halt(1);
        }
      }
    } catch (IOException | InterruptedException e) {
      System.err.println(e.getMessage());
      Runtime.getRuntime().halt(1);
    }
  }

  /** The kind of the answer, and what belongs to it. */
  private Object[] answer(List<?> call) {
    // Frees the copies that cross.
    try (PointerScope scope = new PointerScope()) {
      return new Object[] {"value", values.encode(call(call))};
    } catch (PythonException e) {
      return new Object[] {"python", e.type(), e.text(), e.traceback()};
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      return new Object[] {"argument", String.valueOf(e.getMessage())};
    } catch (IllegalStateException e) {
      return new Object[] {"state", String.valueOf(e.getMessage())};
    }
  }

  private @Nullable Object call(List<?> call) {
    final String operation = (String) call.get(0);
    if (operation.equals("start")) {
      options = (Map<?, ?>) call.get(1);
      renew();
      return null;
    }
    if (operation.equals("renew")) {
      renew();
      return null;
    }
    final PythonBridge bridge = python;
    if (bridge == null) {
      throw new IllegalStateException("expected a worker that has started");
    }
    final Object[] arguments =
        call.stream().skip(1).map(a -> bridge.values().encode(values.decode(a))).toArray();
    return bridge.values().decode(bridge.invoke(operation, arguments));
  }

  private void renew() {
    final PythonBridge old = python;
    if (old != null) {
      old.close();
      input.clear();
    }
    final PythonBridge.Builder builder =
        PythonBridge.builder()
            .stdout(output(Wire.OUT))
            .stderr(output(Wire.ERR))
            .stdin(stdin())
            .memory(((Number) option("memory")).longValue())
            .openingHint((String) option("opening"));
    paths("readable").forEach(builder::readFolder);
    paths("writable").forEach(builder::writeFolder);
    if (options.get("preload") instanceof String code) {
      builder.preload(code);
    }
    python = builder.build();
  }

  private Object option(String name) {
    return Objects.requireNonNull(options.get(name), name);
  }

  private List<Path> paths(String option) {
    return ((List<?>) option(option)).stream().map(p -> Path.of((String) p)).toList();
  }

  private OutputStream output(byte kind) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        wire.write(kind, bytes, offset, length);
      }
    };
  }

  private InputStream stdin() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        final byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
          return 0;
        }
        wire.write(Wire.INPUT, ByteBuffer.allocate(4).putInt(length).array(), 0, 4);
        try {
          final byte[] got = input.take();
          System.arraycopy(got, 0, bytes, offset, got.length);
          return got.length == 0 ? -1 : got.length;
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted", e);
        }
      }
    };
  }
}

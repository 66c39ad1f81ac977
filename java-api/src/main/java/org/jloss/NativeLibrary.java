package org.jloss;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.OperatorHandleOptional;
import org.bytedeco.pytorch.OperatorName;
import org.bytedeco.pytorch.global.torch;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/** Loads the native library, after asking whether it may be loaded here. */
public final class NativeLibrary {
  private static final String TORCH = "2.10.0";

  private NativeLibrary() {}

  /** Loading happens in a class of its own, once. */
  private static final class Loaded {
    static final @Nullable IllegalStateException FAILURE = load();

    private static @Nullable IllegalStateException load() {
      // The preset loads a library by way of another before it has looked at it: of two processes
      // that fill an empty cache, one would map files that the other is still writing.
      try (PointerScope scope = new PointerScope();
          CacheLock lock = CacheLock.acquire()) {
        Loader.load(torch.class);
        final OperatorHandleOptional other =
            Dispatcher.singleton().findSchema(new OperatorName("jloss::_version", ""));
        if (other.has_value()) {
          return new IllegalStateException(
              "jloss "
                  + NativeLibrary.class.getPackage().getImplementationVersion()
                  + " of class loader "
                  + NativeLibrary.class.getClassLoader()
                  + " cannot be loaded: this process has another copy of jloss already, of another"
                  + " class loader or of another version. Load jloss by one class loader, the parent"
                  + " of those that use it.");
        }
        // Before any function of it runs: a library of another version may not even link.
        final String preset = presetVersion();
        if (!preset.startsWith(TORCH + "-")) {
          return new IllegalStateException(
              "jloss was compiled for libtorch "
                  + TORCH
                  + ", but org.bytedeco:pytorch is of version "
                  + preset
                  + ": use org.bytedeco:pytorch-platform:"
                  + TORCH
                  + "-1.5.13");
        }
        final String headers = Native.torch_version().getString();
        if (!headers.equals(TORCH)) {
          return new IllegalStateException(
              "jloss's native library was compiled for libtorch "
                  + headers
                  + ", its Java classes for "
                  + TORCH
                  + ": use jloss and jloss-native of one version");
        }
        return null;
      } catch (LinkageError | IOException e) {
        return new IllegalStateException(
            "jloss's native library for "
                + Loader.getPlatform()
                + " could not be loaded: "
                + e.getMessage()
                + ". Expected on the class path or module path: jloss-native with classifier "
                + Loader.getPlatform()
                + ", and org.bytedeco's pytorch, openblas and javacpp with it."
                + modules(),
            e);
      }
    }
  }

  /** Keeps other processes' first loads away. */
  private record CacheLock(@Nullable FileChannel channel) implements AutoCloseable {
    static CacheLock acquire() {
      try {
        final FileChannel channel =
            FileChannel.open(
                Loader.getCacheDir().toPath().resolve(".jloss.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        channel.lock();
        return new CacheLock(channel);
      } catch (IOException | OverlappingFileLockException e) {
        return new CacheLock(null); // a cache that cannot be written is not being filled either
      }
    }

    @Override
    public void close() throws IOException {
      if (channel != null) {
        channel.close();
      }
    }
  }

  /** What is easily forgotten on the module path. */
  private static String modules() {
    return NativeLibrary.class.getModule().isNamed()
        ? " On the module path start the JVM with --add-modules org.jloss.binding.linux.x86_64,"
            + "org.bytedeco.javacpp.linux.x86_64,org.bytedeco.openblas.linux.x86_64,"
            + "org.bytedeco.pytorch.linux.x86_64"
        : "";
  }

  private static String presetVersion() throws IOException {
    final String version = Loader.getVersion("org.bytedeco", "pytorch", torch.class);
    return version == null ? "unknown" : version;
  }

  /**
   * Loads the library if need be.
   *
   * @throws IllegalStateException if it cannot be loaded; the message says why
   */
  public static void load() {
    if (Loaded.FAILURE != null) {
      throw new IllegalStateException(Loaded.FAILURE.getMessage(), Loaded.FAILURE.getCause());
    }
  }

  /** The version of the native library. */
  public static String version() {
    load();
    try (PointerScope scope = new PointerScope()) {
      return Native.version().getString();
    }
  }

  /** The kernels that run here: DEFAULT, AVX2 or AVX512. */
  public static String cpuCapability() {
    load();
    try (PointerScope scope = new PointerScope()) {
      return Native.cpu_capability().getString();
    }
  }
}

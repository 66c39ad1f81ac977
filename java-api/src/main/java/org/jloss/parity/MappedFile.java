package org.jloss.parity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file's bytes without reading them. Close it once the slices are made: they stay valid, and the
 * mapping goes with the last of them.
 */
final class MappedFile implements AutoCloseable {
  /**
   * Smaller files are read: a mapping costs more, and Linux grants a process only 65,530 of them.
   */
  private static final int SMALL = 64 << 10;

  private final Path path;
  private final @Nullable FileChannel channel;
  private final long size;

  /** The whole file, where one buffer can hold it. */
  private final @Nullable ByteBuffer whole;

  MappedFile(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString(), null, "no such file");
    }
    if (!Files.isRegularFile(path)) {
      throw new BrokenFileException(path, "is not a regular file");
    }
    this.path = path;
    final FileChannel opened = FileChannel.open(path, StandardOpenOption.READ);
    channel = opened;
    try {
      size = opened.size();
      whole =
          size <= SMALL ? read(opened) : size <= Integer.MAX_VALUE ? map(opened, 0, size) : null;
    } catch (Throwable e) {
      opened.close();
      throw e;
    }
  }

  /** Bytes in memory as if they were a file's, under a name for messages. */
  MappedFile(String name, byte[] bytes) {
    path = Path.of(name);
    channel = null;
    size = bytes.length;
    whole = ByteBuffer.wrap(bytes).asReadOnlyBuffer();
  }

  Path path() {
    return path;
  }

  long size() {
    return size;
  }

  /** Whether {@code length} bytes from {@code offset} are inside the file, whatever the numbers. */
  boolean holds(long offset, long length) {
    return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
  }

  /** Bytes of the file, read-only and little-endian; {@code what} names them in messages. */
  ByteBuffer slice(long offset, long length, String what) throws IOException {
    if (!holds(offset, length)) {
      throw broken("is cut off: " + what + " ends beyond the " + size + " bytes of the file");
    }
    if (length > Integer.MAX_VALUE) {
      throw broken(what + " takes " + length + " bytes; at most 2 GiB can be read");
    }
    final ByteBuffer slice =
        whole == null
            ? map(Objects.requireNonNull(channel), offset, length)
            : whole.slice((int) offset, (int) length);
    return slice.order(ByteOrder.LITTLE_ENDIAN);
  }

  BrokenFileException broken(String problem) {
    return new BrokenFileException(path, problem);
  }

  private ByteBuffer read(FileChannel channel) throws IOException {
    final ByteBuffer bytes = ByteBuffer.allocate((int) size);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw broken("has become shorter while it was read");
      }
    }
    return bytes.flip().asReadOnlyBuffer();
  }

  private static ByteBuffer map(FileChannel channel, long offset, long length) throws IOException {
    return channel.map(FileChannel.MapMode.READ_ONLY, offset, length);
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}

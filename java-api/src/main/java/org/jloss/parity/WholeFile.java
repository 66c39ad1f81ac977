package org.jloss.parity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Files that are written as a whole or not at all: a reader never sees half of one. */
final class WholeFile {
  private WholeFile() {}

  /** Writes a file's contents. */
  @FunctionalInterface
  interface Contents {
    void writeTo(WritableByteChannel out) throws IOException;
  }

  /** Writes a file, and replaces one that there may be. */
  static void write(Path file, Contents contents) throws IOException {
    final Path target = target(file);
    final Path unfinished =
        target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
    try {
      try (FileChannel out =
          FileChannel.open(unfinished, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        contents.writeTo(out);
      }
      move(unfinished, target);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /** The file that a new one may take the place of: no link to it, and never a device. */
  private static Path target(Path file) throws IOException {
    final Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new IOException(file + ": is not a regular file");
    }
    final Path folder = target.resolveSibling("");
    if (!Files.isDirectory(folder)) {
      throw new IOException(folder + ": no such folder");
    }
    if (!Files.isWritable(folder)) {
      throw new AccessDeniedException(folder.toString());
    }
    return target;
  }

  static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}

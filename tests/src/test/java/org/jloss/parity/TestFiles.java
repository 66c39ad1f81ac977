package org.jloss.parity;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.function.Executable;

/** Sound and broken files. */
final class TestFiles {
  /** Seen in every reader's fuzz: what a read of a small file may allocate. */
  private static final long MOST_ALLOCATED = 8 << 20;

  /** -Djloss.fuzz=200000 looks harder. */
  private static final int FLIPS = Integer.getInteger("jloss.fuzz", 5000);

  private TestFiles() {}

  /** A copy of a file that Python made. */
  static Path fixture(Path folder, String name) throws IOException {
    final Path copy = folder.resolve(name);
    try (InputStream in = TestFiles.class.getResourceAsStream("/parity/" + name)) {
      Files.write(copy, in.readAllBytes());
    }
    return copy;
  }

  /** A safetensors file with this header, as it is, and this many bytes of data. */
  static byte[] safetensors(String header, int dataBytes) {
    final byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  /** Fails unless reading throws an exception of one line that names the file and the problem. */
  static void assertBroken(Path file, String problem, Executable read) {
    final BrokenFileException e = assertThrows(BrokenFileException.class, read);
    final String message = e.getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertTrue(message.contains(problem), () -> "expected '" + problem + "' in: " + message);
    assertFalse(message.contains("\n"), message);
  }

  @FunctionalInterface
  interface Reader {
    void read(Path file) throws IOException;
  }

  /**
   * Cuts a good file off at every length, and flips random bytes many times: each time it must be
   * read or refused by a BrokenFileException, without much memory.
   */
  static void fuzz(Path good, Reader reader) throws Exception {
    reader.read(good);
    final byte[] bytes = Files.readAllBytes(good);
    final Path file = good.resolveSibling("fuzz");
    // Written over in place: truncating a file takes milliseconds.
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (int length = 0; length < bytes.length; length++) {
        final int at = length;
        assertThrows(BrokenFileException.class, () -> reader.read(file), () -> "cut off at " + at);
        out.write(ByteBuffer.wrap(bytes, length, 1));
      }
      fuzz(bytes, file, out, reader);
    }
  }

  private static void fuzz(byte[] bytes, Path file, FileChannel out, Reader reader)
      throws Exception {
    final long seed = Long.getLong("jloss.seed", System.nanoTime());
    final Random random = new Random(seed);
    final byte[] values = {0, 1, -1, 0x7f, (byte) 0x80};
    for (int i = 0; i < FLIPS; i++) {
      final byte[] changed = bytes.clone();
      final int changes = 1 + random.nextInt(3);
      for (int j = 0; j < changes; j++) {
        final int at = random.nextInt(changed.length);
        changed[at] =
            switch (random.nextInt(3)) {
              case 0 -> (byte) (changed[at] ^ 1 << random.nextInt(8));
              case 1 -> values[random.nextInt(values.length)];
              default -> (byte) random.nextInt();
            };
      }
      out.write(ByteBuffer.wrap(changed), 0);
      final long before = allocated();
      try {
        reader.read(file);
      } catch (BrokenFileException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
      } catch (Throwable e) {
        throw new AssertionError("-Djloss.seed=" + seed + ", change " + i, e);
      }
      final long taken = allocated() - before;
      assertTrue(taken < MOST_ALLOCATED, () -> taken + " bytes, -Djloss.seed=" + seed);
    }
  }

  /** The bytes that this thread has allocated on the heap so far. */
  private static long allocated() throws JMException {
    return (Long)
        ManagementFactory.getPlatformMBeanServer()
            .invoke(
                new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME),
                "getThreadAllocatedBytes",
                new Object[] {Thread.currentThread().getId()},
                new String[] {"long"});
  }
}

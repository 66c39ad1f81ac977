package org.jloss.parity;

import static org.jloss.parity.BrokenFileException.quote;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a zip file that stores them uncompressed, as torch.save does, without reading
 * them. The JDK's own reader copies; this one checks that entries neither overlap nor leave the
 * file.
 */
final class ZipArchive {
  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int END_64 = 0x06064b50;
  private static final int LOCATOR_64 = 0x07064b50;

  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int END_BYTES = 22;
  private static final int END_64_BYTES = 56;
  private static final int LOCATOR_64_BYTES = 20;

  private static final long ABSENT_32 = 0xffff_ffffL;
  private static final int ZIP_64_FIELD = 1;

  private final MappedFile file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(String name, long header, long size, int crc) {}

  private record Directory(long offset, long size, long count) {}

  ZipArchive(MappedFile file) throws IOException {
    this.file = file;
    final Directory directory = directory();
    readEntries(directory);
    checkOverlap(directory.offset);
  }

  Iterable<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  boolean contains(String name) {
    return entries.containsKey(name);
  }

  /** An entry's bytes, having checked their checksum; null where there is no such entry. */
  @Nullable ByteBuffer bytes(String name) throws IOException {
    final Entry entry = entries.get(name);
    if (entry == null) {
      return null;
    }
    final ByteBuffer data = file.slice(dataOffset(entry), entry.size, "entry " + quote(name));
    final CRC32 crc = new CRC32();
    crc.update(data.duplicate());
    // PyTorch writes 0 under torch.serialization.set_crc32_options(False).
    if (entry.crc != 0 && entry.crc != (int) crc.getValue()) {
      throw file.broken("entry " + quote(name) + " is damaged: its checksum is wrong");
    }
    return data;
  }

  private Directory directory() throws IOException {
    final long end = endRecord();
    final ByteBuffer record = file.slice(end, END_BYTES, "the end record");
    Directory directory =
        new Directory(
            Integer.toUnsignedLong(record.getInt(16)),
            Integer.toUnsignedLong(record.getInt(12)),
            Short.toUnsignedLong(record.getShort(10)));
    int disk = Short.toUnsignedInt(record.getShort(4));
    long last = end;
    if (end >= LOCATOR_64_BYTES) {
      final ByteBuffer locator =
          file.slice(end - LOCATOR_64_BYTES, LOCATOR_64_BYTES, "the zip64 locator");
      if (locator.getInt(0) == LOCATOR_64) {
        last = locator.getLong(8);
        final ByteBuffer record64 = file.slice(last, END_64_BYTES, "the zip64 end record");
        if (record64.getInt(0) != END_64) {
          throw file.broken("has a damaged zip directory: no zip64 end record");
        }
        disk = record64.getInt(16);
        directory = new Directory(record64.getLong(48), record64.getLong(40), record64.getLong(32));
      }
    }
    if (disk != 0) {
      throw file.broken("is one of several parts of a zip file");
    }
    if (!file.holds(directory.offset, directory.size)
        || directory.offset + directory.size > last
        || directory.count < 0
        || directory.count > directory.size / CENTRAL_BYTES) {
      throw file.broken("has a damaged zip directory");
    }
    return directory;
  }

  /** The offset of the record at the end, which a comment may follow. */
  private long endRecord() throws IOException {
    final int tail = (int) Math.min(file.size(), END_BYTES + 0xffff);
    final ByteBuffer bytes = file.slice(file.size() - tail, tail, "the end");
    for (int i = tail - END_BYTES; i >= 0; i--) {
      if (bytes.getInt(i) == END
          && Short.toUnsignedInt(bytes.getShort(i + 20)) == tail - END_BYTES - i) {
        return file.size() - tail + i;
      }
    }
    throw file.broken("is cut off: a zip file without its directory");
  }

  private void readEntries(Directory directory) throws IOException {
    final ByteBuffer bytes = file.slice(directory.offset, directory.size, "the zip directory");
    for (long i = 0; i < directory.count; i++) {
      if (bytes.remaining() < CENTRAL_BYTES || bytes.getInt(bytes.position()) != CENTRAL) {
        throw file.broken("has a damaged zip directory");
      }
      final ByteBuffer record = take(bytes, CENTRAL_BYTES);
      final String name = text(take(bytes, Short.toUnsignedInt(record.getShort(28))));
      final ByteBuffer extra = take(bytes, Short.toUnsignedInt(record.getShort(30)));
      take(bytes, Short.toUnsignedInt(record.getShort(32)));
      if (entries.put(name, entry(name, record, extra)) != null) {
        throw file.broken("has two entries " + quote(name));
      }
    }
    if (bytes.hasRemaining()) {
      throw file.broken("has a damaged zip directory");
    }
  }

  private Entry entry(String name, ByteBuffer record, ByteBuffer extra) throws IOException {
    final String what = "entry " + quote(name);
    if ((record.getShort(8) & 1) != 0) {
      throw file.broken(what + " is encrypted");
    }
    if (record.getShort(10) != 0) {
      throw file.broken(what + " is compressed, which torch.save never does");
    }
    final long[] numbers = { // in the order of the zip64 field
      Integer.toUnsignedLong(record.getInt(24)),
      Integer.toUnsignedLong(record.getInt(20)),
      Integer.toUnsignedLong(record.getInt(42)),
    };
    final ByteBuffer wide = zip64(extra);
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] == ABSENT_32 && wide.remaining() >= Long.BYTES) {
        numbers[i] = wide.getLong();
      }
    }
    if (numbers[0] != numbers[1]) {
      throw file.broken(what + " has two sizes, " + numbers[0] + " and " + numbers[1]);
    }
    final Entry entry = new Entry(name, numbers[2], numbers[0], record.getInt(16));
    if (!file.holds(entry.header, LOCAL_BYTES)) {
      throw file.broken(what + " lies outside the file");
    }
    return entry;
  }

  /** The zip64 field among an entry's extra fields; empty where there is none. */
  private ByteBuffer zip64(ByteBuffer extra) throws IOException {
    while (extra.remaining() >= 4) {
      final int id = Short.toUnsignedInt(extra.getShort());
      final ByteBuffer field = take(extra, Short.toUnsignedInt(extra.getShort()));
      if (id == ZIP_64_FIELD) {
        return field;
      }
    }
    return ByteBuffer.allocate(0);
  }

  private long dataOffset(Entry entry) throws IOException {
    final String what = "entry " + quote(entry.name);
    final ByteBuffer record = file.slice(entry.header, LOCAL_BYTES, what);
    final int name = Short.toUnsignedInt(record.getShort(26));
    final int extra = Short.toUnsignedInt(record.getShort(28));
    if (record.getInt(0) != LOCAL
        || !text(file.slice(entry.header + LOCAL_BYTES, name, what)).equals(entry.name)) {
      throw file.broken(what + " is not where the zip directory says");
    }
    return entry.header + LOCAL_BYTES + name + extra;
  }

  private void checkOverlap(long limit) throws IOException {
    final List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(Comparator.comparingLong(Entry::header));
    long end = 0;
    for (final Entry entry : sorted) {
      final String what = "entry " + quote(entry.name);
      if (entry.header < end) {
        throw file.broken(what + " overlaps another entry");
      }
      final long data = dataOffset(entry);
      if (!file.holds(data, entry.size) || data + entry.size > limit) {
        throw file.broken("is cut off: " + what + " ends beyond the file's data");
      }
      end = data + entry.size;
    }
  }

  private ByteBuffer take(ByteBuffer bytes, int length) throws IOException {
    if (length > bytes.remaining()) {
      throw file.broken("has a damaged zip directory");
    }
    final ByteBuffer taken = bytes.slice(bytes.position(), length).order(bytes.order());
    bytes.position(bytes.position() + length);
    return taken;
  }

  private String text(ByteBuffer bytes) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw file.broken("has an entry whose name is not UTF-8");
    }
  }
}

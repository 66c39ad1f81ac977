package org.jloss.parity;

import static org.jloss.parity.BrokenFileException.quote;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A safetensors file: named tensors and a map of texts.
 *
 * <p>The file is 8 bytes with the length of a JSON header, the header, and the tensors' bytes. It
 * is mapped; the entries are views of it.
 */
public final class Safetensors {
  private static final String METADATA = "__metadata__";

  /** As in the reference implementation. */
  private static final int LONGEST_HEADER = 100_000_000;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(8)
                  .maxStringLength(LONGEST_HEADER)
                  .build())
          .build();

  private final Map<String, String> metadata;
  private final Map<String, TensorEntry> entries;

  private Safetensors(Map<String, String> metadata, Map<String, TensorEntry> entries) {
    this.metadata = Collections.unmodifiableMap(metadata);
    this.entries = Collections.unmodifiableMap(entries);
  }

  /** {@return the texts under {@code __metadata__}, in the file's order; unmodifiable} */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** {@return the tensors by name, in the order of the header; unmodifiable} */
  public Map<String, TensorEntry> entries() {
    return entries;
  }

  /**
   * Reads a file. Nothing but its header is copied, and the entries keep the mapping alive.
   *
   * @param file the file, which must not be shortened while its entries are in use
   * @return its contents
   * @throws BrokenFileException if it is no sound safetensors file
   * @throws IOException if it cannot be opened or read
   */
  public static Safetensors read(Path file) throws IOException {
    try (MappedFile mapped = new MappedFile(file)) {
      return new Reader(mapped).read();
    }
  }

  private static final class Reader {
    private final MappedFile file;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Span> spans = new LinkedHashMap<>();

    Reader(MappedFile file) {
      this.file = file;
    }

    private record Span(String name, DType dtype, long[] shape, long begin, long end) {}

    Safetensors read() throws IOException {
      if (file.size() < Long.BYTES) {
        throw file.broken("is no safetensors file: it has only " + file.size() + " bytes");
      }
      final long length = file.slice(0, Long.BYTES, "the header's length").getLong();
      if (length < 2 || length > LONGEST_HEADER) {
        throw file.broken(
            "is no safetensors file: its header would have "
                + Long.toUnsignedString(length)
                + " bytes");
      }
      final ByteBuffer header = file.slice(Long.BYTES, length, "the header");
      if (header.get(0) != '{') {
        throw file.broken("is no safetensors file: its header does not start with '{'");
      }
      parse(header);

      final long start = Long.BYTES + length;
      checkOffsets(file.size() - start);
      final Map<String, TensorEntry> entries = new LinkedHashMap<>();
      for (final Span span : spans.values()) {
        final ByteBuffer data =
            file.slice(start + span.begin, span.end - span.begin, "tensor " + quote(span.name));
        entries.put(span.name, TensorEntry.of(span.dtype, span.shape, data));
      }
      return new Safetensors(metadata, entries);
    }

    private void parse(ByteBuffer header) throws IOException {
      String text;
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(header).toString();
      } catch (CharacterCodingException e) {
        throw file.broken("has a header that is not UTF-8");
      }
      try (JsonParser json = JSON.createParser(text)) {
        json.nextToken();
        while (json.nextToken() != JsonToken.END_OBJECT) {
          final String name = json.currentName();
          if (name.equals(METADATA)) {
            parseMetadata(json);
          } else {
            spans.put(name, parseSpan(json, name));
          }
        }
        if (json.nextToken() != null) {
          throw file.broken("has more than one JSON object in its header");
        }
      } catch (JsonProcessingException e) {
        throw file.broken("has a header that is not sound JSON: " + describe(e));
      }
    }

    private void parseMetadata(JsonParser json) throws IOException {
      expect(json, JsonToken.START_OBJECT, METADATA + " must be an object");
      while (json.nextToken() != JsonToken.END_OBJECT) {
        final String key = json.currentName();
        expect(
            json, JsonToken.VALUE_STRING, METADATA + " must hold texts, but not so " + quote(key));
        metadata.put(key, json.getText());
      }
    }

    private Span parseSpan(JsonParser json, String name) throws IOException {
      final String tensor = "tensor " + quote(name);
      expect(json, JsonToken.START_OBJECT, tensor + " must be an object");
      DType dtype = null;
      long[] shape = null;
      long[] offsets = null;
      while (json.nextToken() != JsonToken.END_OBJECT) {
        final String field = json.currentName();
        switch (field) {
          case "dtype" -> {
            expect(json, JsonToken.VALUE_STRING, tensor + ": dtype must be a text");
            final String text = json.getText();
            dtype =
                DType.ofSafetensorsName(text)
                    .orElseThrow(
                        () ->
                            file.broken(
                                tensor
                                    + " has dtype "
                                    + quote(text)
                                    + ", which jloss does not"
                                    + " read"));
          }
          case "shape" -> shape = parseNumbers(json, tensor + ": shape");
          case "data_offsets" -> offsets = parseNumbers(json, tensor + ": data_offsets");
          default -> throw file.broken(tensor + " has an unknown field " + quote(field));
        }
      }
      if (dtype == null || shape == null || offsets == null) {
        throw file.broken(tensor + " lacks one of dtype, shape and data_offsets");
      }
      return span(name, dtype, shape, offsets);
    }

    private Span span(String name, DType dtype, long[] shape, long[] offsets)
        throws BrokenFileException {
      final String tensor = "tensor " + quote(name);
      if (offsets.length != 2 || offsets[0] > offsets[1]) {
        throw file.broken(tensor + " has data_offsets " + Arrays.toString(offsets));
      }
      long bytes;
      try {
        // Fits: a number of elements is at most an eighth of the largest long.
        bytes = TensorEntry.numel(shape) * dtype.bytes();
      } catch (IllegalArgumentException e) {
        throw file.broken(tensor + " " + e.getMessage());
      }
      if (bytes != offsets[1] - offsets[0]) {
        throw file.broken(
            String.format(
                "%s is %s%s, which takes %d bytes, but has %d",
                tensor, dtype.torchName(), Arrays.toString(shape), bytes, offsets[1] - offsets[0]));
      }
      return new Span(name, dtype, shape, offsets[0], offsets[1]);
    }

    private long[] parseNumbers(JsonParser json, String what) throws IOException {
      expect(json, JsonToken.START_ARRAY, what + " must be a list");
      final long[] numbers = new long[TensorEntry.MOST_AXES];
      int count = 0;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
            || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
            || json.getLongValue() < 0) {
          throw file.broken(what + " must hold whole numbers from 0 to 2^63 - 1");
        }
        if (count == numbers.length) {
          throw file.broken(what + " has more than " + count + " numbers");
        }
        numbers[count++] = json.getLongValue();
      }
      return Arrays.copyOf(numbers, count);
    }

    private void expect(JsonParser json, JsonToken token, String problem) throws IOException {
      if (json.nextToken() != token) {
        throw file.broken(problem);
      }
    }

    /** The tensors lie one after the other and fill the rest of the file. */
    private void checkOffsets(long size) throws BrokenFileException {
      final List<Span> sorted = new ArrayList<>(spans.values());
      sorted.sort(Comparator.comparingLong(Span::begin).thenComparingLong(Span::end));
      long end = 0;
      for (final Span span : sorted) {
        final String tensor = "tensor " + quote(span.name);
        if (span.begin < end) {
          throw file.broken(tensor + " overlaps another tensor");
        }
        if (span.begin > end) {
          throw file.broken("has a hole before " + tensor);
        }
        end = span.end;
        if (end > size) {
          throw file.broken(
              String.format("is cut off: %s ends at byte %d of %d", tensor, end, size));
        }
      }
      if (end != size) {
        throw file.broken("has " + (size - end) + " bytes after the last tensor");
      }
    }
  }

  /** Jackson's first line without its excerpt of the source. */
  static String describe(JsonProcessingException e) {
    final String message = e.getOriginalMessage();
    return message == null ? "unreadable" : quote(message.lines().findFirst().orElse(""));
  }

  /**
   * Writes a file, as a whole or not at all: a reader never sees half of it.
   *
   * @param file the file, replaced if there is one
   * @param entries the tensors by name
   * @param metadata texts to go with them; may be empty
   * @throws IOException if it cannot be written
   * @throws IllegalArgumentException if a tensor is called {@code __metadata__} or a name is no
   *     sound Unicode
   */
  public static void write(
      Path file, Map<String, TensorEntry> entries, Map<String, String> metadata)
      throws IOException {
    if (entries.containsKey(METADATA)) {
      throw new IllegalArgumentException("a tensor cannot be called " + METADATA);
    }
    // Wide elements first, as in the reference implementation: so all of them are aligned.
    final List<Map.Entry<String, TensorEntry>> sorted = new ArrayList<>(entries.entrySet());
    sorted.sort(
        Comparator.comparing((Map.Entry<String, TensorEntry> e) -> -e.getValue().dtype().bytes())
            .thenComparing(Map.Entry::getKey));
    final byte[] header = header(sorted, metadata);

    final Path target = target(file);
    final Path unfinished =
        target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
    try {
      try (FileChannel out =
          FileChannel.open(unfinished, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        final ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        writeFully(out, length.putLong(header.length).flip());
        writeFully(out, ByteBuffer.wrap(header));
        for (final Map.Entry<String, TensorEntry> entry : sorted) {
          writeFully(out, entry.getValue().data());
        }
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

  private static byte[] header(
      List<Map.Entry<String, TensorEntry>> entries, Map<String, String> metadata)
      throws IOException {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (final Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(sound(entry.getKey()), sound(entry.getValue()));
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (final Map.Entry<String, TensorEntry> entry : entries) {
        final TensorEntry tensor = entry.getValue();
        final long end = offset + tensor.numel() * tensor.dtype().bytes();
        json.writeObjectFieldStart(sound(entry.getKey()));
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeFieldName("shape");
        json.writeArray(tensor.shape(), 0, tensor.shape().length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    }
    while (bytes.size() % Long.BYTES != 0) {
      bytes.write(' ');
    }
    if (bytes.size() > LONGEST_HEADER) {
      throw new IOException("a safetensors header cannot have " + bytes.size() + " bytes");
    }
    return bytes.toByteArray();
  }

  private static String sound(@Nullable String text) {
    if (text == null || !StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException(
          text == null ? "a name is null" : quote(text) + " is no sound Unicode");
    }
    return text;
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
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

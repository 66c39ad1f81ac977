package org.jloss.parity;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes what {@link Unpickler} reads: the zip file of torch.save, with a pickle of protocol 2 and
 * a file for each tensor's bytes.
 */
final class Pickler {
  private static final int DEEPEST = 100;

  /** The folder in the zip file; torch.save names it after the file. */
  private static final String FOLDER = "archive/";

  /** The bytes of tensors begin at multiples of this, as PyTorch's, so that they can be mapped. */
  private static final int ALIGNMENT = 64;

  /** Always the same; for January 1980 Java would add a field of its own to the header. */
  private static final LocalDateTime EPOCH = LocalDateTime.of(1980, 2, 1, 0, 0);

  private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();
  private final List<TensorEntry> tensors = new ArrayList<>();
  private final Map<TensorEntry, Integer> keys = new IdentityHashMap<>();

  Pickler(@Nullable Object root) {
    op(0x80);
    op(2);
    write(root, "the object", 0);
    op('.');
  }

  void writeTo(WritableByteChannel out) throws IOException {
    final Counting counting = new Counting(Channels.newOutputStream(out));
    final ZipOutputStream zip = new ZipOutputStream(counting);
    entry(zip, counting, "data.pkl", ByteBuffer.wrap(pickle.toByteArray()));
    entry(zip, counting, "byteorder", ascii("little"));
    for (int i = 0; i < tensors.size(); i++) {
      entry(zip, counting, "data/" + i, tensors.get(i).data());
    }
    entry(zip, counting, "version", ascii("3\n"));
    zip.finish();
    zip.flush();
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void entry(ZipOutputStream zip, Counting out, String name, ByteBuffer bytes)
      throws IOException {
    final ZipEntry entry = new ZipEntry(FOLDER + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setTimeLocal(EPOCH);
    entry.setSize(bytes.remaining());
    final CRC32 checksum = new CRC32();
    checksum.update(bytes.duplicate());
    entry.setCrc(checksum.getValue());
    // The local header has 30 bytes, then the name, then this field with 4 bytes before its own.
    final int header = 30 + FOLDER.length() + name.length() + 4;
    final int padding = (int) Math.floorMod(-(out.count + header), (long) ALIGNMENT);
    final ByteBuffer extra = ByteBuffer.allocate(4 + padding).order(ByteOrder.LITTLE_ENDIAN);
    extra.put((byte) 'F').put((byte) 'B').putShort((short) padding);
    entry.setExtra(extra.array());
    zip.putNextEntry(entry);
    final byte[] chunk = new byte[Math.min(bytes.remaining(), 1 << 16)];
    for (final ByteBuffer rest = bytes.duplicate(); rest.hasRemaining(); ) {
      final int count = Math.min(chunk.length, rest.remaining());
      rest.get(chunk, 0, count);
      zip.write(chunk, 0, count);
    }
    zip.closeEntry();
  }

  /** Knows how many bytes there are already. */
  private static final class Counting extends OutputStream {
    private final OutputStream out;
    private long count;

    Counting(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      count++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      count += length;
    }
  }

  private void write(@Nullable Object value, String place, int depth) {
    if (depth > DEEPEST) {
      throw new IllegalArgumentException(place + " is nested more than " + DEEPEST + " deep");
    }
    if (value == null) {
      op('N');
    } else if (value instanceof Boolean bool) {
      op(bool ? 0x88 : 0x89);
    } else if (value instanceof Long || value instanceof Integer) {
      integer(BigInteger.valueOf(((Number) value).longValue()), place);
    } else if (value instanceof BigInteger integer) {
      integer(integer, place);
    } else if (value instanceof Double number) {
      op('G');
      bytes(ByteBuffer.allocate(Double.BYTES).putDouble(number));
    } else if (value instanceof String text) {
      text(text);
    } else if (value instanceof byte[] bytes) {
      global("_codecs", "encode");
      text(new String(bytes, StandardCharsets.ISO_8859_1));
      text("latin1");
      op(0x86);
      op('R');
    } else if (value instanceof TensorEntry tensor) {
      tensor(tensor, false);
    } else if (value instanceof TorchFile.Parameter parameter) {
      global("torch._utils", "_rebuild_parameter");
      op('(');
      tensor(parameter.data(), parameter.requiresGrad());
      op(parameter.requiresGrad() ? 0x88 : 0x89);
      orderedDict();
      op('t');
      op('R');
    } else if (value instanceof Map<?, ?> map) {
      map(map, place, depth);
    } else if (value instanceof TorchFile.Tuple tuple) {
      op('(');
      items(tuple, place, depth);
      op('t');
    } else if (value instanceof List<?> list) {
      op(']');
      op('(');
      items(list, place, depth);
      op('e');
    } else if (value instanceof Set<?> set) {
      global("builtins", "set");
      op(']');
      op('(');
      items(List.copyOf(set), place, depth);
      op('e');
      op(0x85);
      op('R');
    } else {
      throw new IllegalArgumentException(
          place + " is a " + value.getClass().getName() + ", which cannot be stored");
    }
  }

  private void map(Map<?, ?> map, String place, int depth) {
    if (map instanceof TorchFile.OrderedDict) {
      orderedDict();
    } else {
      op('}');
    }
    op('(');
    for (final Map.Entry<?, ?> entry : map.entrySet()) {
      write(entry.getKey(), "a key of " + place, depth + 1);
      write(entry.getValue(), place + "[" + entry.getKey() + "]", depth + 1);
    }
    op('u');
  }

  private void items(List<?> items, String place, int depth) {
    for (int i = 0; i < items.size(); i++) {
      write(items.get(i), place + "[" + i + "]", depth + 1);
    }
  }

  /** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks). */
  private void tensor(TensorEntry tensor, boolean requiresGrad) {
    global("torch._utils", "_rebuild_tensor_v2");
    op('(');
    op('(');
    text("storage");
    global("torch", storage(tensor.dtype()));
    final Integer known = keys.putIfAbsent(tensor, tensors.size());
    if (known == null) {
      tensors.add(tensor);
    }
    text(String.valueOf(keys.get(tensor)));
    text("cpu");
    integer(tensor.numel());
    op('t');
    op('Q');
    integer(0);
    final long[] shape = tensor.shape();
    final long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(shape[i], 1);
    }
    integers(shape);
    integers(strides);
    op(requiresGrad ? 0x88 : 0x89);
    orderedDict();
    op('t');
    op('R');
  }

  private static String storage(DType dtype) {
    return Unpickler.STORAGES.entrySet().stream()
        .filter(entry -> entry.getValue() == dtype)
        .map(entry -> entry.getKey().substring("torch.".length()))
        .findFirst()
        .orElseThrow();
  }

  private void integers(long[] values) {
    op('(');
    for (final long value : values) {
      integer(value);
    }
    op('t');
  }

  private void integer(long value) {
    integer(BigInteger.valueOf(value), "");
  }

  private void integer(BigInteger value, String place) {
    if (value.bitLength() < Integer.SIZE) {
      op('J');
      bytes(
          ByteBuffer.allocate(Integer.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(value.intValue()));
      return;
    }
    final byte[] bigEndian = value.toByteArray();
    if (bigEndian.length > 128) {
      throw new IllegalArgumentException(
          place + " is an integer of " + bigEndian.length + " bytes");
    }
    op(0x8a);
    op(bigEndian.length);
    for (int i = bigEndian.length - 1; i >= 0; i--) {
      op(bigEndian[i]);
    }
  }

  private void text(String text) {
    final byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    op('X');
    bytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(utf8.length));
    pickle.writeBytes(utf8);
  }

  private void orderedDict() {
    global("collections", "OrderedDict");
    op(')');
    op('R');
  }

  private void global(String module, String name) {
    op('c');
    pickle.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  private void bytes(ByteBuffer bytes) {
    pickle.writeBytes(bytes.array());
  }

  private void op(int opcode) {
    pickle.write(opcode);
  }
}

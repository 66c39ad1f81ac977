package org.jloss.parity;

import static org.jloss.parity.BrokenFileException.quote;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A .pt file as torch.save writes it since PyTorch 1.6: tensors and parameters in nested dicts,
 * lists, tuples and sets of numbers and texts.
 *
 * <p>Nothing in the file is run. A file that refers to any other Python class or function, as that
 * of a whole module does, is refused by that name. The file is mapped; the tensors are views of it.
 */
public final class TorchFile {
  /** The name of a tensor that is not inside a collection. */
  public static final String UNNAMED = "tensor";

  private static final int LONGEST_NAME = 4096;
  private static final String PICKLE = "/data.pkl";

  private final Path path;
  private final @Nullable Object root;
  private final Map<String, TensorEntry> entries;

  private TorchFile(Path path, @Nullable Object root) throws BrokenFileException {
    this.path = path;
    this.root = root;
    entries = flatten(".");
  }

  /**
   * {@return the saved object} Dicts are unmodifiable maps in their order ({@link OrderedDict}
   * where they were one), lists unmodifiable lists, tuples {@link Tuple}, sets unmodifiable sets;
   * in them are {@link TensorEntry}, String, Long, BigInteger, Double, Boolean, byte[] and null. A
   * dtype or layout is its name, such as {@code torch.float32}.
   */
  public @Nullable Object root() {
    return root;
  }

  /**
   * {@return all tensors by their path, such as {@code model.fc.weight} or {@code losses.0};
   * unmodifiable, in the file's order} A tensor saved alone is called {@link #UNNAMED}.
   */
  public Map<String, TensorEntry> entries() {
    return entries;
  }

  /**
   * Reads a file. Its storages are checked against their checksums, but not copied.
   *
   * @param file the file, which must not be shortened while its entries are in use
   * @return its contents
   * @throws BrokenFileException if it is no sound file of torch.save, or holds something else than
   *     tensors and plain data
   * @throws IOException if it cannot be opened or read
   */
  public static TorchFile read(Path file) throws IOException {
    try (MappedFile mapped = new MappedFile(file)) {
      return read(mapped);
    }
  }

  /**
   * Reads what would be a file from memory.
   *
   * @param name what messages call it
   * @param bytes the file's bytes, which the tensors are views of
   * @return its contents
   * @throws BrokenFileException as {@link #read(Path)}
   */
  public static TorchFile read(String name, byte[] bytes) throws IOException {
    try (MappedFile mapped = new MappedFile(name, bytes)) {
      return read(mapped);
    }
  }

  private static TorchFile read(MappedFile mapped) throws IOException {
    checkKind(mapped);
    final ZipArchive zip = new ZipArchive(mapped);
    final String folder = folder(mapped, zip);
    checkByteOrder(mapped, zip.bytes(folder + "/byteorder"));
    final ByteBuffer pickle = zip.bytes(folder + PICKLE);
    if (pickle == null) {
      throw new IllegalStateException("the folder was chosen by its pickle");
    }
    final Unpickler unpickler =
        new Unpickler(mapped, pickle, key -> zip.bytes(folder + "/data/" + key));
    return new TorchFile(mapped.path(), unpickler.read());
  }

  /**
   * Writes a file that torch.load reads, as a whole or not at all. Each {@link TensorEntry} becomes
   * a storage of its own; one that occurs twice is shared.
   *
   * @param file the file, replaced if there is one
   * @param root what {@link #root()} would give back; {@link Parameter} marks a parameter
   * @throws IOException if it cannot be written
   * @throws IllegalArgumentException if it holds anything else, by its class and place
   */
  public static void write(Path file, @Nullable Object root) throws IOException {
    final Pickler pickler = new Pickler(root);
    WholeFile.write(file, pickler::writeTo);
  }

  /**
   * The same into memory.
   *
   * @param root the object
   * @return the file's bytes
   * @throws IOException if it cannot be written
   * @throws IllegalArgumentException as {@link #write(Path, Object)}
   */
  public static byte[] write(@Nullable Object root) throws IOException {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new Pickler(root).writeTo(Channels.newChannel(bytes));
    return bytes.toByteArray();
  }

  /** A Python tuple. */
  public static final class Tuple extends AbstractList<@Nullable Object> {
    private final List<@Nullable Object> items;

    /**
     * A tuple.
     *
     * @param items its items, which must not change
     */
    public Tuple(List<@Nullable Object> items) {
      this.items = items;
    }

    @Override
    public @Nullable Object get(int index) {
      return items.get(index);
    }

    @Override
    public int size() {
      return items.size();
    }
  }

  /** A Python OrderedDict, such as a state_dict is. */
  public static final class OrderedDict extends AbstractMap<Object, @Nullable Object> {
    private final Map<Object, @Nullable Object> items;

    /**
     * A dict.
     *
     * @param items its items in their order, which must not change
     */
    public OrderedDict(Map<Object, @Nullable Object> items) {
      this.items = Collections.unmodifiableMap(items);
    }

    @Override
    public Set<Entry<Object, @Nullable Object>> entrySet() {
      return items.entrySet();
    }
  }

  /**
   * A tensor that PyTorch shall read as a parameter.
   *
   * @param data its elements
   * @param requiresGrad whether it is trained
   */
  public record Parameter(TensorEntry data, boolean requiresGrad) {}

  /** Whether a file starts as a zip file does. */
  static boolean isZip(Path file) throws IOException {
    try (MappedFile mapped = new MappedFile(file)) {
      return startsWith(mapped, 0, "PK");
    }
  }

  private static void checkKind(MappedFile file) throws IOException {
    if (startsWith(file, 0, "PK")) {
      return;
    }
    if (startsWith(file, 257, "ustar") || startsWith(file, 0, "\u0080")) {
      throw file.broken(
          "is in the format of torch.save before PyTorch 1.6; load and save it again");
    }
    throw file.broken("is no file of torch.save: not a zip file");
  }

  private static boolean startsWith(MappedFile file, int offset, String bytes) throws IOException {
    final byte[] wanted = bytes.getBytes(StandardCharsets.ISO_8859_1);
    return file.holds(offset, wanted.length)
        && file.slice(offset, wanted.length, "the start").equals(ByteBuffer.wrap(wanted));
  }

  private static String folder(MappedFile file, ZipArchive zip) throws IOException {
    final List<String> folders = new ArrayList<>();
    for (final String name : zip.names()) {
      if (name.endsWith(PICKLE) && name.indexOf('/') == name.length() - PICKLE.length()) {
        folders.add(name.substring(0, name.indexOf('/')));
      }
    }
    if (folders.size() != 1) {
      throw file.broken("is no file of torch.save: it has " + folders.size() + " data.pkl");
    }
    final String folder = folders.get(0);
    if (zip.contains(folder + "/constants.pkl")) {
      throw file.broken("is a TorchScript program; save its state_dict instead");
    }
    return folder;
  }

  private static void checkByteOrder(MappedFile file, @Nullable ByteBuffer order)
      throws IOException {
    final String name =
        order == null ? "little" : StandardCharsets.ISO_8859_1.decode(order).toString();
    if (!name.equals("little")) {
      throw file.broken("has byte order " + quote(name) + "; jloss reads little");
    }
  }

  /** The tensors by their path with this separator. */
  Map<String, TensorEntry> flatten(String separator) throws BrokenFileException {
    final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    flatten(root, "", separator, tensors);
    return Collections.unmodifiableMap(tensors);
  }

  private void flatten(
      @Nullable Object value, String name, String separator, Map<String, TensorEntry> tensors)
      throws BrokenFileException {
    final boolean isNamed =
        value instanceof TensorEntry || value instanceof Map || value instanceof List;
    if (isNamed && name.length() > LONGEST_NAME) {
      throw new BrokenFileException(path, "has too long a name " + quote(name));
    }
    final String prefix = name.isEmpty() ? "" : name + separator;
    if (value instanceof TensorEntry tensor) {
      if (tensors.put(name.isEmpty() ? UNNAMED : name, tensor) != null) {
        throw new BrokenFileException(path, "has two tensors " + quote(name));
      }
    } else if (value instanceof Map<?, ?> map) {
      for (final Map.Entry<?, ?> entry : map.entrySet()) {
        flatten(entry.getValue(), prefix + entry.getKey(), separator, tensors);
      }
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        flatten(list.get(i), prefix + i, separator, tensors);
      }
    }
  }
}

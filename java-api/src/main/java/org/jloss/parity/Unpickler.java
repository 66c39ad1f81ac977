package org.jloss.parity;

import static org.jloss.parity.BrokenFileException.quote;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickle of a torch.save file. It runs nothing: of all Python classes and functions it
 * knows the few that torch.save itself needs for tensors and plain collections, and refuses the
 * rest.
 */
final class Unpickler {
  private static final int LARGEST_PICKLE = 64 << 20;
  private static final int MOST_OBJECTS = 1 << 22;
  private static final int DEEPEST = 100;
  private static final int LONGEST_INTEGER = 128;
  private static final int LONGEST_GLOBAL = 200;

  /** Stands for None, as a deque holds no null. */
  private static final Object NONE = new Object();

  /** Where an opened list, tuple, dict or set of arguments starts on the stack. */
  private static final Object MARK = new Object();

  /** Python's classes of storages. */
  static final Map<String, DType> STORAGES =
      Map.of(
          "torch.BoolStorage", DType.BOOL,
          "torch.ByteStorage", DType.U8,
          "torch.CharStorage", DType.I8,
          "torch.ShortStorage", DType.I16,
          "torch.IntStorage", DType.I32,
          "torch.LongStorage", DType.I64,
          "torch.HalfStorage", DType.F16,
          "torch.BFloat16Storage", DType.BF16,
          "torch.FloatStorage", DType.F32,
          "torch.DoubleStorage", DType.F64);

  private static final Set<String> DTYPES =
      Stream.concat(
              Arrays.stream(DType.values()).map(DType::torchName),
              Stream.of("uint16", "uint32", "uint64", "complex64", "complex128"))
          .map(name -> "torch." + name)
          .collect(Collectors.toUnmodifiableSet());

  private static final Set<String> FUNCTIONS =
      Set.of(
          "torch._utils._rebuild_tensor_v2",
          "torch._utils._rebuild_parameter",
          "torch.serialization._get_layout",
          "torch.Size",
          "collections.OrderedDict",
          "builtins.set",
          "builtins.frozenset",
          "builtins.bytes",
          "_codecs.encode");

  /** Gives the bytes of a storage, by its key; null where there is none. */
  @FunctionalInterface
  interface Storages {
    @Nullable ByteBuffer bytes(String key) throws IOException;
  }

  private record Global(String name) {}

  private record Tuple(List<@Nullable Object> items) {}

  /** An OrderedDict while it is filled. */
  private static final class Ordered extends LinkedHashMap<Object, Object> {
    private static final long serialVersionUID = 1;
  }

  private record Storage(String key, DType dtype, long numel, ByteBuffer bytes) {}

  private final MappedFile file;
  private final ByteBuffer pickle;
  private final Storages storages;
  private final Map<String, ByteBuffer> loaded = new HashMap<>();
  private final Map<Long, Object> memo = new HashMap<>();
  private final Deque<Object> stack = new ArrayDeque<>();
  private int objects;

  Unpickler(MappedFile file, ByteBuffer pickle, Storages storages) {
    this.file = file;
    this.pickle = pickle.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.storages = storages;
  }

  /**
   * Reads the object: nested unmodifiable maps, lists, tuples and sets of TensorEntry, String,
   * Long, BigInteger, Double, Boolean, byte[] and null.
   */
  @Nullable Object read() throws IOException {
    if (pickle.remaining() > LARGEST_PICKLE) {
      throw file.broken("has a pickle of more than " + LARGEST_PICKLE + " bytes");
    }
    if (unsigned8() != 0x80) {
      throw file.broken("has a pickle without a protocol");
    }
    final int protocol = unsigned8();
    if (protocol < 2 || protocol > 5) {
      throw file.broken("has a pickle of protocol " + protocol + "; jloss reads 2 to 5");
    }
    int opcode;
    while ((opcode = unsigned8()) != '.') {
      step(opcode);
    }
    final Object root = pop();
    if (!stack.isEmpty() || pickle.hasRemaining()) {
      throw file.broken("has a damaged pickle: something is left at its end");
    }
    objects = 0;
    return finish(root, 0);
  }

  private void step(int opcode) throws IOException {
    switch (opcode) {
      case 'N' -> push(NONE);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'K' -> push((long) unsigned8());
      case 'M' -> push((long) Short.toUnsignedInt(bytes(Short.BYTES).getShort()));
      case 'J' -> push((long) bytes(Integer.BYTES).getInt());
      case 0x8a -> push(integer(unsigned8()));
      case 0x8b -> push(integer(length32()));
      case 'G' -> push(bytes(Double.BYTES).order(ByteOrder.BIG_ENDIAN).getDouble());

      case 'X' -> push(text(length32()));
      case 0x8c -> push(text(unsigned8()));
      case 0x8d -> push(text(length64()));
      case 'B' -> push(array(length32()));
      case 'C' -> push(array(unsigned8()));
      case 0x8e, 0x96 -> push(array(length64()));

      case '(' -> push(MARK);
      case ')' -> push(new Tuple(List.of()));
      case 0x85 -> push(new Tuple(popMany(1)));
      case 0x86 -> push(new Tuple(popMany(2)));
      case 0x87 -> push(new Tuple(popMany(3)));
      case 't' -> push(new Tuple(popToMark()));
      case ']' -> push(new ArrayList<>());
      case 'l' -> push(popToMark());
      case 'a' -> append(popMany(1));
      case 'e' -> append(popToMark());
      case '}' -> push(new LinkedHashMap<>());
      case 'd' -> push(put(new LinkedHashMap<>(), popToMark()));
      case 's' -> setItems(popMany(2));
      case 'u' -> setItems(popToMark());
      case 0x8f -> push(new LinkedHashSet<>());
      case 0x90 -> {
        final List<Object> items = popToMark();
        add(peek(Set.class, "a set"), items);
      }
      case 0x91 -> push(add(new LinkedHashSet<>(), popToMark()));

      case 'q' -> memo.put((long) unsigned8(), peek());
      case 'r' -> memo.put(Integer.toUnsignedLong(bytes(Integer.BYTES).getInt()), peek());
      case 0x94 -> memo.put((long) memo.size(), peek());
      case 'h' -> push(recall(unsigned8()));
      case 'j' -> push(recall(Integer.toUnsignedLong(bytes(Integer.BYTES).getInt())));
      case '0' -> pop();
      case '1' -> popToMark();
      case '2' -> push(peek());
      case 0x95 -> length64();

      case 'c' -> push(global(line(), line()));
      case 0x93 -> {
        final List<Object> names = popMany(2);
        push(global(cast(String.class, names.get(0)), cast(String.class, names.get(1))));
      }
      case 'Q' -> push(storage(cast(Tuple.class, pop())));
      case 'R' -> {
        final List<Object> call = popMany(2);
        final Global function = cast(Global.class, call.get(0));
        push(reduce(function.name, cast(Tuple.class, call.get(1)).items));
      }
      case 'b' -> build();
      default ->
          throw file.broken(
              String.format("has a pickle with opcode 0x%02x, which jloss does not run", opcode));
    }
  }

  // Objects

  private Object global(String module, String name) throws IOException {
    final String full = module.replace("__builtin__", "builtins") + "." + name;
    if (DTYPES.contains(full)) {
      return full;
    }
    if (STORAGES.containsKey(full) || FUNCTIONS.contains(full)) {
      return new Global(full);
    }
    throw file.broken(
        "refers to "
            + quote(full)
            + ", which jloss does not load: save tensors, numbers and texts in dicts and"
            + " lists, such as a state_dict");
  }

  private Object reduce(String function, List<Object> arguments) throws IOException {
    return switch (function) {
      case "torch._utils._rebuild_tensor_v2" -> tensor(arguments);
      case "torch._utils._rebuild_parameter" -> argument(TensorEntry.class, arguments, 0, 3, 3);
      case "torch.serialization._get_layout" -> argument(String.class, arguments, 0, 1, 1);
      case "torch.Size" -> argument(Tuple.class, arguments, 0, 1, 1);
      case "_codecs.encode" -> {
        final String text = argument(String.class, arguments, 0, 2, 2);
        if (!argument(String.class, arguments, 1, 2, 2).equals("latin1")
            || !StandardCharsets.ISO_8859_1.newEncoder().canEncode(text)) {
          throw damaged("bytes");
        }
        yield text.getBytes(StandardCharsets.ISO_8859_1);
      }
      case "builtins.set", "builtins.frozenset" ->
          add(
              new LinkedHashSet<>(),
              arguments.isEmpty() ? arguments : argument(List.class, arguments, 0, 1, 1));
      case "builtins.bytes" -> {
        checkCount(arguments, 0, 0);
        yield new byte[0];
      }
      case "collections.OrderedDict" -> {
        checkCount(arguments, 0, 0);
        yield new Ordered();
      }
      default -> throw damaged("call of " + function);
    };
  }

  /** Python attributes of an OrderedDict, such as a state_dict's _metadata, are dropped. */
  private void build() throws IOException {
    final List<Object> pair = popMany(2);
    if (!(pair.get(0) instanceof Map) || !(pair.get(1) instanceof Map)) {
      throw damaged("state of an object");
    }
    push(pair.get(0));
  }

  /** The persistent id of a storage: ("storage", class, key, device, number of elements). */
  private Storage storage(Tuple id) throws IOException {
    if (!"storage".equals(argument(String.class, id.items, 0, 5, 5))) {
      throw damaged("storage");
    }
    final DType dtype = STORAGES.get(argument(Global.class, id.items, 1, 5, 5).name);
    final String key = argument(String.class, id.items, 2, 5, 5);
    argument(String.class, id.items, 3, 5, 5);
    final long numel = argument(Long.class, id.items, 4, 5, 5);
    if (dtype == null || numel < 0 || numel > Long.MAX_VALUE / Double.BYTES) {
      throw damaged("storage");
    }
    ByteBuffer bytes = loaded.get(key);
    if (bytes == null) {
      bytes = storages.bytes(key);
      if (bytes == null) {
        throw file.broken("lacks the data of storage " + quote(key));
      }
      loaded.put(key, bytes);
    }
    if (bytes.remaining() != numel * dtype.bytes()) {
      throw file.broken(
          String.format(
              "storage %s should hold %d elements of %s, but has %d bytes",
              quote(key), numel, dtype.torchName(), bytes.remaining()));
    }
    return new Storage(key, dtype, numel, bytes);
  }

  /** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata=None). */
  private TensorEntry tensor(List<Object> arguments) throws IOException {
    final Storage storage = argument(Storage.class, arguments, 0, 6, 7);
    final long offset = argument(Long.class, arguments, 1, 6, 7);
    final long[] shape = numbers(argument(Tuple.class, arguments, 2, 6, 7));
    final long[] strides = numbers(argument(Tuple.class, arguments, 3, 6, 7));
    argument(Boolean.class, arguments, 4, 6, 7);
    if (arguments.size() == 7
        && arguments.get(6) != NONE
        && !argument(Map.class, arguments, 6, 6, 7).isEmpty()) {
      throw file.broken("holds a lazily negated or conjugated tensor; save x.resolve_neg()");
    }
    final String what = "tensor in storage " + quote(storage.key);
    if (shape.length != strides.length) {
      throw file.broken(what + " has " + shape.length + " axes but " + strides.length + " strides");
    }
    long span;
    try {
      span = TensorEntry.span(shape, strides);
    } catch (IllegalArgumentException e) {
      throw file.broken(what + " " + e.getMessage());
    }
    if (offset < 0 || offset > storage.numel || span > storage.numel - offset) {
      throw file.broken(
          String.format(
              "%s of shape %s, strides %s and offset %d leaves its %d elements",
              what, Arrays.toString(shape), Arrays.toString(strides), offset, storage.numel));
    }
    final int bytes = storage.dtype.bytes();
    final ByteBuffer data = storage.bytes.slice((int) offset * bytes, (int) span * bytes);
    return TensorEntry.strided(storage.dtype, shape, strides, data);
  }

  private long[] numbers(Tuple tuple) throws IOException {
    final long[] numbers = new long[tuple.items.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = cast(Long.class, tuple.items.get(i));
    }
    return numbers;
  }

  // Collections

  private void append(List<Object> items) throws IOException {
    @SuppressWarnings("unchecked") // all our lists hold objects
    final List<Object> list = peek(List.class, "a list");
    list.addAll(items);
  }

  private void setItems(List<Object> items) throws IOException {
    @SuppressWarnings("unchecked") // all our maps hold objects
    final Map<Object, Object> map = peek(Map.class, "a dict");
    put(map, items);
  }

  private Map<Object, Object> put(Map<Object, Object> map, List<Object> items) throws IOException {
    if (items.size() % 2 != 0) {
      throw damaged("dict");
    }
    for (int i = 0; i < items.size(); i += 2) {
      map.put(hashable(items.get(i)), items.get(i + 1));
    }
    return map;
  }

  @SuppressWarnings("unchecked") // all our collections hold objects
  private Set<Object> add(Set<?> set, List<?> items) throws IOException {
    for (final Object item : items) {
      ((Set<Object>) set).add(hashable(item));
    }
    return (Set<Object>) set;
  }

  private Object hashable(Object key) throws IOException {
    if (key instanceof String
        || key instanceof Long
        || key instanceof Double
        || key instanceof Boolean) {
      return key;
    }
    throw file.broken("has a dict key or set element that is neither text nor number");
  }

  /** The object as users get it: copied, so that nothing in it is shared, cyclic or modifiable. */
  private @Nullable Object finish(Object value, int depth) throws IOException {
    if (depth > DEEPEST) {
      throw file.broken("is nested more than " + DEEPEST + " deep");
    }
    count();
    if (value == NONE) {
      return null;
    }
    if (value instanceof Tuple tuple) {
      return new TorchFile.Tuple(finishAll(tuple.items, depth));
    }
    if (value instanceof List<?> list) {
      return finishAll(list, depth);
    }
    if (value instanceof Set<?> set) {
      for (int i = 0; i < set.size(); i++) {
        count();
      }
      return Collections.unmodifiableSet(new LinkedHashSet<>(set));
    }
    if (value instanceof Map<?, ?> map) {
      final Map<Object, @Nullable Object> finished = new LinkedHashMap<>();
      for (final Map.Entry<?, ?> entry : map.entrySet()) {
        finished.put(entry.getKey(), finish(entry.getValue(), depth + 1));
      }
      return value instanceof Ordered
          ? new TorchFile.OrderedDict(finished)
          : Collections.unmodifiableMap(finished);
    }
    if (value instanceof Global || value instanceof Storage || value == MARK) {
      throw file.broken("holds something that is neither tensor, number, text nor collection");
    }
    return value;
  }

  private List<@Nullable Object> finishAll(List<?> items, int depth) throws IOException {
    final List<@Nullable Object> finished = new ArrayList<>();
    for (final Object item : items) {
      finished.add(finish(item, depth + 1));
    }
    return Collections.unmodifiableList(finished);
  }

  // The stack

  private void push(Object value) throws IOException {
    count();
    stack.push(value);
  }

  private void count() throws IOException {
    if (++objects > MOST_OBJECTS) {
      throw file.broken("holds more than " + MOST_OBJECTS + " objects");
    }
  }

  private Object peek() throws IOException {
    final Object top = stack.peek();
    if (top == null || top == MARK) {
      throw damaged("stack");
    }
    return top;
  }

  private <T> T peek(Class<T> type, String what) throws IOException {
    final Object top = peek();
    if (!type.isInstance(top)) {
      throw damaged(what);
    }
    return type.cast(top);
  }

  private Object pop() throws IOException {
    final Object top = peek();
    stack.pop();
    return top;
  }

  private List<Object> popMany(int count) throws IOException {
    final List<Object> items = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      items.add(pop());
    }
    Collections.reverse(items);
    return items;
  }

  private List<Object> popToMark() throws IOException {
    final List<Object> items = new ArrayList<>();
    while (!stack.isEmpty() && stack.peek() != MARK) {
      items.add(stack.pop());
    }
    if (stack.isEmpty()) {
      throw damaged("stack");
    }
    stack.pop();
    Collections.reverse(items);
    return items;
  }

  private Object recall(long index) throws IOException {
    final Object value = memo.get(index);
    if (value == null) {
      throw damaged("memo");
    }
    return value;
  }

  private <T> T argument(Class<T> type, List<?> arguments, int index, int least, int most)
      throws IOException {
    checkCount(arguments, least, most);
    return cast(type, arguments.get(index));
  }

  private void checkCount(List<?> arguments, int least, int most) throws IOException {
    if (arguments.size() < least || arguments.size() > most) {
      throw damaged("call with " + arguments.size() + " arguments");
    }
  }

  private <T> T cast(Class<T> type, Object value) throws IOException {
    if (!type.isInstance(value)) {
      throw damaged("argument");
    }
    return type.cast(value);
  }

  private BrokenFileException damaged(String what) {
    return file.broken("has a damaged pickle: unsound " + what);
  }

  // The bytes

  private ByteBuffer bytes(long length) throws IOException {
    if (length < 0 || length > pickle.remaining()) {
      throw file.broken("has a damaged pickle: it ends too early");
    }
    final ByteBuffer bytes = pickle.slice(pickle.position(), (int) length);
    pickle.position(pickle.position() + (int) length);
    return bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  private int unsigned8() throws IOException {
    return Byte.toUnsignedInt(bytes(1).get());
  }

  private long length32() throws IOException {
    return Integer.toUnsignedLong(bytes(Integer.BYTES).getInt());
  }

  private long length64() throws IOException {
    return bytes(Long.BYTES).getLong();
  }

  private byte[] array(long length) throws IOException {
    final ByteBuffer bytes = bytes(length);
    final byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return array;
  }

  private String text(long length) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes(length)).toString();
    } catch (CharacterCodingException e) {
      throw damaged("text");
    }
  }

  private String line() throws IOException {
    final StringBuilder line = new StringBuilder();
    int c;
    while ((c = unsigned8()) != '\n') {
      line.append((char) c);
      if (line.length() > LONGEST_GLOBAL) {
        throw damaged("name of a class");
      }
    }
    return line.toString();
  }

  private Number integer(long length) throws IOException {
    if (length > LONGEST_INTEGER) {
      throw file.broken("holds an integer of " + length + " bytes");
    }
    final byte[] littleEndian = array(length);
    final byte[] bigEndian = new byte[littleEndian.length + 1];
    for (int i = 0; i < littleEndian.length; i++) {
      bigEndian[littleEndian.length - i] = littleEndian[i];
    }
    final boolean negative = littleEndian.length > 0 && littleEndian[littleEndian.length - 1] < 0;
    bigEndian[0] = (byte) (negative ? -1 : 0);
    final BigInteger value = new BigInteger(bigEndian);
    return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
  }
}

package org.jloss.python;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;
import org.jloss.parity.TorchFile;
import org.jspecify.annotations.Nullable;

/**
 * torch.save and torch.load of tensors and plain data, as .pt and as safetensors.
 *
 * <p>Objects cross between Python and Java as nested lists whose first element tells what they are:
 * see Reading and show, and their counterparts in torch/serialization.py.
 */
public final class TensorFiles {
  private static final String SAFETENSORS = ".safetensors";

  private final TensorPool pool;
  private final ScriptFiles files;

  TensorFiles(TensorPool pool, ScriptFiles files) {
    this.pool = pool;
    this.files = files;
  }

  /** Writes an object to a file in a folder that is open for writing. */
  @HostAccess.Export
  public void save(String file, Value packed) {
    Guard.run(
        () -> {
          final Object root = new Reading().read(Args.of(packed));
          final Path path = files.open(Path.of(file), true);
          if (file.endsWith(SAFETENSORS)) {
            Safetensors.write(path, entries(root), Map.of());
          } else {
            TorchFile.write(path, root);
          }
          return null;
        });
  }

  /** The bytes of such a file, as a text of as many characters. */
  @HostAccess.Export
  public String toText(Value packed) {
    return Guard.run(
        () ->
            new String(
                TorchFile.write(new Reading().read(Args.of(packed))), StandardCharsets.ISO_8859_1));
  }

  /** Reads a file in an open folder. */
  @HostAccess.Export
  public @Nullable Object load(String file) {
    return Guard.run(
        () -> {
          final Path path = files.open(Path.of(file), false);
          pool.load();
          return show(
              file.endsWith(SAFETENSORS)
                  ? new LinkedHashMap<Object, Object>(Safetensors.read(path).entries())
                  : TorchFile.read(path).root());
        });
  }

  /** Reads what would be a .pt file from a Python buffer. */
  @HostAccess.Export
  public @Nullable Object loadFrom(Value buffer) {
    return Guard.run(
        () -> {
          final byte[] bytes = new byte[Math.toIntExact(buffer.getBufferSize())];
          buffer.readBuffer(0, bytes, 0, bytes.length);
          pool.load();
          return show(TorchFile.read("the bytes", bytes).root());
        });
  }

  private static Map<String, TensorEntry> entries(@Nullable Object root) {
    if (!(root instanceof Map<?, ?> map)) {
      throw new PyError("TypeError", "a safetensors file holds a dict of tensors by their names");
    }
    final Map<String, TensorEntry> entries = new LinkedHashMap<>();
    map.forEach(
        (name, value) -> {
          final Object tensor = value instanceof TorchFile.Parameter p ? p.data() : value;
          if (!(name instanceof String text) || !(tensor instanceof TensorEntry entry)) {
            throw new PyError(
                "TypeError",
                "a safetensors file holds tensors by their names; there is something else at "
                    + name);
          }
          entries.put(text, entry);
        });
    return entries;
  }

  /** Python's objects as {@link TorchFile} takes them. */
  private static final class Reading {
    /** Tensors that share all their elements, such as tied weights, are stored once. */
    private final Map<List<Object>, TensorEntry> stored = new LinkedHashMap<>();

    @Nullable Object read(@Nullable Object packed) {
      if (packed instanceof PyTensor tensor) {
        return entry(tensor);
      }
      if (packed == null
          || packed instanceof Boolean
          || packed instanceof Number
          || packed instanceof String) {
        return packed;
      }
      if (!(packed instanceof List<?> list)) {
        throw new PyError("TypeError", "a " + Args.typeName(packed) + " cannot be stored");
      }
      final List<?> rest = list.subList(1, list.size());
      switch ((String) list.get(0)) {
        case "list":
          return all(rest);
        case "tuple":
          return new TorchFile.Tuple(all(rest));
        case "set":
          return new LinkedHashSet<>(all(rest));
        case "dict":
          return map(rest);
        case "ordered":
          return new TorchFile.OrderedDict(map(rest));
        case "parameter":
          return new TorchFile.Parameter(entry((PyTensor) rest.get(0)), (Boolean) rest.get(1));
        case "int":
          return new BigInteger((String) rest.get(0));
        case "bytes":
          return ((String) rest.get(0)).getBytes(StandardCharsets.ISO_8859_1);
        default:
          throw new IllegalArgumentException("there is nothing called " + list.get(0));
      }
    }

    private List<@Nullable Object> all(List<?> packed) {
      final List<@Nullable Object> values = new ArrayList<>(packed.size());
      packed.forEach(value -> values.add(read(value)));
      return values;
    }

    private Map<Object, @Nullable Object> map(List<?> packed) {
      final Map<Object, @Nullable Object> map = new LinkedHashMap<>();
      for (int i = 0; i < packed.size(); i += 2) {
        map.put(read(packed.get(i)), read(packed.get(i + 1)));
      }
      return map;
    }

    private TensorEntry entry(PyTensor tensor) {
      Elements.checkData(tensor.tensor());
      if (tensor.numel() == 0) {
        return TensorEntry.of(tensor.tensor());
      }
      final long address;
      try (PointerScope scope = new PointerScope()) {
        address = tensor.tensor().data_ptr().address();
      }
      return stored.computeIfAbsent(
          List.of(
              address,
              tensor.dtype(),
              Arrays.toString(tensor.shape()),
              Arrays.toString(tensor.stride())),
          key -> TensorEntry.of(tensor.tensor()));
    }
  }

  /** An object of a file as Python takes it. */
  private @Nullable Object show(@Nullable Object value) {
    if (value instanceof TensorEntry entry) {
      return pool.allocate(() -> pool.own(entry.toTensor()));
    }
    if (value instanceof BigInteger integer) {
      return new Object[] {"int", integer.toString()};
    }
    if (value instanceof byte[] bytes) {
      return new Object[] {"bytes", new String(bytes, StandardCharsets.ISO_8859_1)};
    }
    if (value instanceof Map<?, ?> map) {
      final List<@Nullable Object> shown = new ArrayList<>();
      shown.add(map instanceof TorchFile.OrderedDict ? "ordered" : "dict");
      map.forEach(
          (key, element) -> {
            shown.add(show(key));
            shown.add(show(element));
          });
      return shown.toArray();
    }
    if (value instanceof List<?> || value instanceof Set<?>) {
      final List<@Nullable Object> shown = new ArrayList<>();
      shown.add(
          value instanceof TorchFile.Tuple ? "tuple" : value instanceof Set<?> ? "set" : "list");
      ((java.util.Collection<?>) value).forEach(element -> shown.add(show(element)));
      return shown.toArray();
    }
    return value;
  }
}

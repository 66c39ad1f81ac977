package org.jloss.parity;

import static org.jloss.parity.BrokenFileException.quote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file of reference cases of one loss.
 *
 * <p>It is a safetensors file with a JSON text under {@code jloss} in its metadata, or a file that
 * {@code torch.save} made of a dict with the same text (or the same as a dict) under {@code jloss}
 * besides the tensors, by the same names or nested.
 *
 * @param path the file
 * @param id the loss, by its id in the catalogue
 * @param oracle what computed the cases, in words
 * @param versions the versions of the libraries that did
 * @param cases the cases, in the file's order
 */
public record ReferenceFile(
    Path path, String id, String oracle, Map<String, String> versions, List<ReferenceCase> cases) {

  private static final String KEY = "jloss";
  private static final int FORMAT = 1;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_.-]{1,100}");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Makes the map and the list unmodifiable. */
  public ReferenceFile {
    versions = Collections.unmodifiableMap(new LinkedHashMap<>(versions));
    cases = List.copyOf(cases);
  }

  /**
   * Reads a file of either kind; its first bytes tell which.
   *
   * @param file the file, which must not be shortened while its cases are in use
   * @return its cases
   * @throws BrokenFileException if it is damaged or does not hold reference cases
   * @throws IOException if it cannot be opened or read
   */
  public static ReferenceFile read(Path file) throws IOException {
    if (TorchFile.isZip(file)) {
      final TorchFile torch = TorchFile.read(file);
      final Object header = torch.root() instanceof Map<?, ?> map ? map.get(KEY) : null;
      return new Reader(file).read(header, torch.flatten("/"));
    }
    final Safetensors tensors = readSafetensors(file);
    return new Reader(file).read(tensors.metadata().get(KEY), tensors.entries());
  }

  private static Safetensors readSafetensors(Path file) throws IOException {
    try {
      return Safetensors.read(file);
    } catch (BrokenFileException e) {
      if (file.toString().endsWith(".safetensors")) {
        throw e;
      }
      throw new BrokenFileException(
          file, "is no zip file as torch.save writes it, and " + e.problem());
    }
  }

  private static final class Reader {
    private final Path file;
    private String id = "";

    Reader(Path file) {
      this.file = file;
    }

    ReferenceFile read(@Nullable Object header, Map<String, TensorEntry> tensors)
        throws IOException {
      final JsonNode root = parse(header);
      if (root.path("format").asInt() != FORMAT) {
        throw broken(
            "has reference cases of format "
                + quote(root.path("format").asText())
                + "; this jloss reads format "
                + FORMAT);
      }
      id = root.path("id").asText();
      if (!ID.matcher(id).matches()) {
        throw broken("has reference cases of a loss without a sound id: " + quote(id));
      }
      final Map<String, String> versions = new LinkedHashMap<>();
      for (final Map.Entry<String, JsonNode> entry : object(root, "versions").entrySet()) {
        versions.put(entry.getKey(), entry.getValue().asText());
      }

      final Map<String, Map<String, TensorEntry>> parts = split(tensors);
      final List<ReferenceCase> cases = new ArrayList<>();
      for (final JsonNode node : list(root, "cases")) {
        cases.add(readCase(node, parts));
      }
      if (!parts.isEmpty()) {
        throw broken("has tensors of no case " + quote(parts.keySet().iterator().next()));
      }
      return new ReferenceFile(file, id, root.path("oracle").asText(), versions, cases);
    }

    private JsonNode parse(@Nullable Object header) throws IOException {
      if (header == null) {
        throw broken("holds no reference cases: no 'jloss' in its metadata");
      }
      JsonNode root;
      try {
        root = header instanceof String text ? JSON.readTree(text) : JSON.valueToTree(header);
      } catch (JsonProcessingException e) {
        throw broken("has 'jloss' metadata that is not sound JSON: " + Safetensors.describe(e));
      } catch (IllegalArgumentException e) {
        throw broken("has 'jloss' metadata that is not plain data");
      }
      if (!root.isObject()) {
        throw broken("has 'jloss' metadata that is not a JSON object");
      }
      return root;
    }

    /** Tensors by case, then by the rest of their name: {@code name/dtype/rest}. */
    private Map<String, Map<String, TensorEntry>> split(Map<String, TensorEntry> tensors)
        throws IOException {
      final Map<String, Map<String, TensorEntry>> parts = new LinkedHashMap<>();
      for (final Map.Entry<String, TensorEntry> entry : tensors.entrySet()) {
        final String name = entry.getKey();
        final int slash = name.indexOf('/', name.indexOf('/') + 1);
        if (slash < 0 || !BrokenFileException.isPlain(name)) {
          throw broken("has a tensor of no case: " + quote(name));
        }
        parts
            .computeIfAbsent(name.substring(0, slash), key -> new LinkedHashMap<>())
            .put(name.substring(slash + 1), entry.getValue());
      }
      return parts;
    }

    private ReferenceCase readCase(JsonNode node, Map<String, Map<String, TensorEntry>> parts)
        throws IOException {
      final String name = node.path("name").asText();
      if (name.isEmpty() || name.contains("/") || !BrokenFileException.isPlain(name)) {
        throw broken("has a case with an unsound name " + quote(name));
      }
      final DType dtype =
          DType.ofTorchName(node.path("dtype").asText())
              .filter(DType::isFloating)
              .orElseThrow(() -> broken("case " + quote(name) + " has no floating dtype"));
      final String key = name + "/" + dtype.torchName();
      final Map<String, TensorEntry> tensors = parts.remove(key);
      if (tensors == null) {
        throw broken("case " + quote(key) + " is there twice or has no tensors");
      }
      try {
        final Tensors sorted = new Tensors(tensors);
        final ReferenceCase result =
            new ReferenceCase(
                file,
                id,
                name,
                dtype,
                parameters(node),
                layouts(node, sorted.inputs),
                tolerance(node.path("tolerance"), dtype),
                tags(node),
                sorted.inputs,
                sorted.outputs,
                sorted.gradients,
                sorted.upstream,
                sorted.value64,
                sorted.gradients64,
                sorted.directions,
                sorted.secondGradients);
        sorted.check();
        return result;
      } catch (IllegalArgumentException e) {
        throw broken("case " + quote(key) + " " + e.getMessage());
      }
    }

    private Map<String, @Nullable Object> parameters(JsonNode node) throws IOException {
      final Map<String, @Nullable Object> parameters = new LinkedHashMap<>();
      for (final Map.Entry<String, JsonNode> entry : object(node, "parameters").entrySet()) {
        parameters.put(entry.getKey(), plain(entry.getKey(), entry.getValue()));
      }
      return parameters;
    }

    private @Nullable Object plain(String name, JsonNode value) {
      if (value.isNull()) {
        return null;
      }
      if (value.isBoolean()) {
        return value.booleanValue();
      }
      if (value.isIntegralNumber() && value.canConvertToLong()) {
        return value.longValue();
      }
      if (value.isNumber() && !value.isIntegralNumber()) {
        return value.doubleValue();
      }
      if (value.isTextual()) {
        return switch (value.textValue()) {
          case "inf" -> Double.POSITIVE_INFINITY;
          case "-inf" -> Double.NEGATIVE_INFINITY;
          case "nan" -> Double.NaN;
          default -> value.textValue();
        };
      }
      if (value.isArray()) {
        final List<@Nullable Object> items = new ArrayList<>();
        value.forEach(item -> items.add(plain(name, item)));
        return Collections.unmodifiableList(items);
      }
      throw new IllegalArgumentException("has an unsound parameter " + quote(name));
    }

    private Map<String, Layout> layouts(JsonNode node, Map<String, TensorEntry> inputs)
        throws IOException {
      final Map<String, Layout> layouts = new LinkedHashMap<>();
      for (final Map.Entry<String, JsonNode> entry : object(node, "layout").entrySet()) {
        final String text = entry.getValue().asText();
        final Layout layout =
            Layout.ofId(text)
                .orElseThrow(
                    () -> new IllegalArgumentException("has an unknown layout " + quote(text)));
        final TensorEntry input = inputs.get(entry.getKey());
        if (input == null
            || !layout.suits(input.shape().length)
            || layout == Layout.EXPANDED && !input.hasEqualRows()) {
          throw new IllegalArgumentException(
              "has no input for its layout " + layout.id() + " of " + quote(entry.getKey()));
        }
        layouts.put(entry.getKey(), layout);
      }
      return layouts;
    }

    private static @Nullable Tolerance tolerance(JsonNode node, DType dtype) {
      if (node.isMissingNode() || node.isNull()) {
        return null;
      }
      if (!node.path("rtol").isNumber() || !node.path("atol").isNumber()) {
        throw new IllegalArgumentException("has a tolerance without rtol and atol");
      }
      return Tolerance.stated(
          dtype,
          node.path("rtol").doubleValue(),
          node.path("atol").doubleValue(),
          node.path("reason").asText());
    }

    private List<String> tags(JsonNode node) throws IOException {
      final List<String> tags = new ArrayList<>();
      for (final JsonNode tag : list(node, "tags")) {
        tags.add(tag.asText());
      }
      return tags;
    }

    private Map<String, JsonNode> object(JsonNode node, String field) throws IOException {
      final JsonNode value = node.path(field);
      if (!value.isObject() && !value.isMissingNode()) {
        throw broken("has metadata where " + quote(field) + " is not an object");
      }
      final Map<String, JsonNode> fields = new LinkedHashMap<>();
      value.fieldNames().forEachRemaining(name -> fields.put(name, value.get(name)));
      return fields;
    }

    private Iterable<JsonNode> list(JsonNode node, String field) throws IOException {
      final JsonNode value = node.path(field);
      if (!value.isArray() && !value.isMissingNode()) {
        throw broken("has metadata where " + quote(field) + " is not a list");
      }
      return value;
    }

    private BrokenFileException broken(String problem) {
      return new BrokenFileException(file, problem);
    }
  }

  /** The tensors of one case by their kind. */
  private static final class Tensors {
    private final Map<String, TensorEntry> inputs = new LinkedHashMap<>();
    private final Map<String, TensorEntry> outputs = new LinkedHashMap<>();
    private final Map<String, TensorEntry> gradients = new LinkedHashMap<>();
    private final Map<String, TensorEntry> gradients64 = new LinkedHashMap<>();
    private final Map<String, TensorEntry> directions = new LinkedHashMap<>();
    private final Map<String, TensorEntry> secondGradients = new LinkedHashMap<>();
    private @Nullable TensorEntry upstream;
    private @Nullable TensorEntry value64;

    Tensors(Map<String, TensorEntry> tensors) {
      tensors.forEach(this::add);
    }

    private void add(String name, TensorEntry tensor) {
      final int slash = name.indexOf('/');
      final String kind = slash < 0 ? name : name.substring(0, slash + 1);
      final String rest = name.substring(slash + 1);
      if (rest.isEmpty()) {
        throw new IllegalArgumentException("has a tensor without a name: " + quote(name));
      }
      switch (kind) {
        case "input/" -> inputs.put(rest, tensor);
        case ReferenceCase.VALUE, ReferenceCase.OUTPUT -> outputs.put(name, tensor);
        case ReferenceCase.GRADIENT -> gradients.put(rest, tensor);
        case "grad64/" -> gradients64.put(rest, tensor);
        case "direction/" -> directions.put(rest, tensor);
        case ReferenceCase.SECOND_GRADIENT -> secondGradients.put(rest, tensor);
        case "upstream" -> upstream = tensor;
        case "value64" -> value64 = tensor;
        default ->
            throw new IllegalArgumentException("has a tensor of an unknown kind: " + quote(name));
      }
    }

    /** Refuses what an evaluation could stumble over. */
    void check() {
      final TensorEntry value = outputs.get(ReferenceCase.VALUE);
      if (outputs.isEmpty() || value != null && outputs.size() > 1) {
        throw new IllegalArgumentException("has no value, or both a value and outputs");
      }
      if (upstream != null) {
        checkLike("upstream", upstream, "the value", value);
      }
      if (value64 != null) {
        checkLike("value64", value64, "the value", value);
        checkDouble("value64", value64);
      }
      checkLike("grad", gradients, inputs);
      checkLike("grad64", gradients64, gradients);
      gradients64.forEach((name, tensor) -> checkDouble("grad64/" + name, tensor));
      checkLike("direction", directions, gradients);
      checkLike("gradgrad", secondGradients, inputs);
      inputs.keySet().forEach(this::checkList);
    }

    /** The tensors of a list are numbered from 0 without a gap. */
    private void checkList(String name) {
      final int slash = name.lastIndexOf('/');
      if (slash < 0) {
        return;
      }
      final String number = name.substring(slash + 1);
      if (!number.matches("0|[1-9][0-9]{0,5}")
          || !number.equals("0")
              && !inputs.containsKey(
                  name.substring(0, slash + 1) + (Integer.parseInt(number) - 1))) {
        throw new IllegalArgumentException("has a gap before input " + quote(name));
      }
    }

    private static void checkLike(
        String kind, Map<String, TensorEntry> tensors, Map<String, TensorEntry> models) {
      tensors.forEach(
          (name, tensor) -> checkLike(kind + "/" + name, tensor, "its input", models.get(name)));
    }

    private static void checkLike(
        String name, TensorEntry tensor, String modelName, @Nullable TensorEntry model) {
      if (model == null || !Arrays.equals(tensor.shape(), model.shape())) {
        throw new IllegalArgumentException(
            String.format(
                "has %s %s, but %s %s",
                quote(name), tensor, modelName, model == null ? "is not there" : model));
      }
    }

    private static void checkDouble(String name, TensorEntry tensor) {
      if (tensor.dtype() != DType.F64) {
        throw new IllegalArgumentException("has " + quote(name) + " that is not float64");
      }
    }
  }
}

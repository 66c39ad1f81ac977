package org.jloss.parity;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * One call of a loss with all that PyTorch computed for it. A list of tensors is stored as {@code
 * name/0}, {@code name/1} and so on. All maps and lists are unmodifiable.
 *
 * @param file the file that holds the case
 * @param id the loss, by its id in the catalogue
 * @param name the name, unique among the file's cases of one dtype
 * @param dtype the floating dtype of the case
 * @param parameters the loss's parameters as far as given: Long, Double (infinities too), Boolean,
 *     String, lists of those, or null
 * @param layouts how inputs must lie in memory, where not row-major
 * @param statedTolerance the tolerance that the case states, or null for the usual one
 * @param tags words on the kind of case, such as {@code odd-size}
 * @param inputs the tensor arguments by name; optional ones only where given
 * @param outputs the expected outputs: one called {@code value}, or several called {@code
 *     output/name}
 * @param gradients the expected gradients by input, of the sum of upstream times value
 * @param upstream the gradient of the value, or null for ones
 * @param value64 the value computed in float64 from the same inputs, or null
 * @param gradients64 the gradients computed in float64 from the same inputs, as far as given
 * @param directions by input, what the gradients are multiplied with for double backward
 * @param secondGradients by input, the expected gradients of the sum of all gradients times their
 *     directions
 */
public record ReferenceCase(
    Path file,
    String id,
    String name,
    DType dtype,
    Map<String, @Nullable Object> parameters,
    Map<String, Layout> layouts,
    @Nullable Tolerance statedTolerance,
    List<String> tags,
    Map<String, TensorEntry> inputs,
    Map<String, TensorEntry> outputs,
    Map<String, TensorEntry> gradients,
    @Nullable TensorEntry upstream,
    @Nullable TensorEntry value64,
    Map<String, TensorEntry> gradients64,
    Map<String, TensorEntry> directions,
    Map<String, TensorEntry> secondGradients) {

  /** The name of the output of losses with one output. */
  public static final String VALUE = "value";

  /** The start of the names of outputs where there are several. */
  public static final String OUTPUT = "output/";

  /** The start of the names of gradients. */
  public static final String GRADIENT = "grad/";

  /** The start of the names of second gradients. */
  public static final String SECOND_GRADIENT = "gradgrad/";

  /** Makes the maps and lists unmodifiable. */
  public ReferenceCase {
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    layouts = Collections.unmodifiableMap(new LinkedHashMap<>(layouts));
    tags = List.copyOf(tags);
    inputs = Collections.unmodifiableMap(new LinkedHashMap<>(inputs));
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
    gradients = Collections.unmodifiableMap(new LinkedHashMap<>(gradients));
    gradients64 = Collections.unmodifiableMap(new LinkedHashMap<>(gradients64));
    directions = Collections.unmodifiableMap(new LinkedHashMap<>(directions));
    secondGradients = Collections.unmodifiableMap(new LinkedHashMap<>(secondGradients));
  }

  /** {@return what tells the cases of a file apart, such as {@code mean-1000/float32}} */
  public String key() {
    return name + "/" + dtype.torchName();
  }

  /** {@return all that an {@link Evaluator} must give, by the names it must give it} */
  public Map<String, TensorEntry> expected() {
    final Map<String, TensorEntry> expected = new LinkedHashMap<>(outputs);
    gradients.forEach((input, entry) -> expected.put(GRADIENT + input, entry));
    secondGradients.forEach((input, entry) -> expected.put(SECOND_GRADIENT + input, entry));
    return Collections.unmodifiableMap(expected);
  }

  /** {@return the float64 results by the same names as in {@link #expected()}, as far as given} */
  public Map<String, TensorEntry> truth() {
    final Map<String, TensorEntry> truth = new LinkedHashMap<>();
    if (value64 != null) {
      truth.put(VALUE, value64);
    }
    gradients64.forEach((input, entry) -> truth.put(GRADIENT + input, entry));
    return Collections.unmodifiableMap(truth);
  }

  /**
   * {@return the tolerance for a result of this dtype} The usual one is the looser of those of the
   * result and of the case: a float32 result of bfloat16 inputs is no more exact than those.
   *
   * @param result the dtype of the expected result
   */
  public Tolerance tolerance(DType result) {
    if (!result.isFloating()) {
      return Tolerance.of(result);
    }
    return statedTolerance != null ? statedTolerance : Tolerance.of(result).or(Tolerance.of(dtype));
  }

  /**
   * {@return a new tensor for an input, laid out in memory as the case asks} The caller owns it; an
   * open PointerScope takes it.
   *
   * @param input the input's name; {@code name/0} for the first tensor of a list
   * @throws IllegalArgumentException if the case has no such input
   */
  public Tensor inputTensor(String input) {
    final TensorEntry entry = inputs.get(input);
    if (entry == null) {
      throw new IllegalArgumentException(key() + " has no input " + input);
    }
    final Layout layout = layouts.get(input);
    return layout == null ? entry.toTensor() : entry.toTensor(layout);
  }

  /**
   * {@return the names of the tensors of a list argument, in order; empty if it is not given}
   *
   * @param input the list's name
   */
  public List<String> listOf(String input) {
    final List<String> names = new ArrayList<>();
    for (int i = 0; inputs.containsKey(input + "/" + i); i++) {
      names.add(input + "/" + i);
    }
    return List.copyOf(names);
  }

  /** {@return file, loss and key} */
  @Override
  public String toString() {
    return file + " " + id + " " + key();
  }
}

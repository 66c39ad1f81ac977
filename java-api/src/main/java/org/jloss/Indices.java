package org.jloss;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * Triplets (anchor, positive, negative) or pairs (anchor1, positive, anchor2, negative) as int64
 * vectors of positions in a batch. Closing it closes them.
 */
public final class Indices implements AutoCloseable {
  private static final List<String> TRIPLETS = List.of("anchor", "positive", "negative");
  private static final List<String> PAIRS = List.of("anchor1", "positive", "anchor2", "negative");

  private final TensorVector vectors;
  private final Handles handles;

  Indices(TensorVector vectors) {
    this.vectors = vectors;
    handles = new Handles(vectors);
  }

  /** How many vectors there are: three of triplets, four of pairs. */
  public int size() {
    return (int) vectors.size();
  }

  /** The vector of a position, open as long as this is. */
  public Tensor get(int position) {
    if (vectors.isNull()) {
      throw new IllegalStateException("expected open indices, got closed ones");
    }
    return handles.get(position);
  }

  /** The vectors by name, open as long as this is. */
  public Map<String, Tensor> tensors() {
    final List<String> names = size() == 3 ? TRIPLETS : PAIRS;
    final Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      tensors.put(names.get(i), get(i));
    }
    return tensors;
  }

  @Override
  public void close() {
    handles.close();
  }
}

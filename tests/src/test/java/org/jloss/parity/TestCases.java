package org.jloss.parity;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reference files made by hand. */
final class TestCases {
  private TestCases() {}

  /** Tensors of the one sound case of {@link #HEADER}. */
  static Map<String, TensorEntry> tensors() {
    final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    tensors.put("c/float32/input/input", TensorEntry.of(new float[] {1, 2, 3, 4}, 2, 2));
    tensors.put("c/float32/input/target", TensorEntry.of(new long[] {0, 1}, 2));
    tensors.put("c/float32/value", TensorEntry.of(new float[] {0.5f}));
    tensors.put(
        "c/float32/grad/input", TensorEntry.of(new float[] {0.25f, -0.25f, 0, 1e-6f}, 2, 2));
    return tensors;
  }

  static final String CASE = "{'name':'c','dtype':'float32'}";
  static final String HEADER = header(CASE);

  static String header(String cases) {
    return "{'format':1,'id':'some_loss','oracle':'by <hand>','versions':{'torch':'2.10.0'},"
        + "'cases':["
        + cases
        + "]}";
  }

  /** Writes a file whose metadata is this, with ' for ". */
  static Path write(Path folder, String header, Map<String, TensorEntry> tensors)
      throws IOException {
    final Path file = folder.resolve("case.safetensors");
    Safetensors.write(file, tensors, Map.of("jloss", header.replace('\'', '"')));
    return file;
  }

  /** A case with one expected gradient and this addition to its metadata, as in {@code ,'a':1}. */
  static ReferenceCase withGradient(Path folder, TensorEntry gradient, String more)
      throws IOException {
    final String dtype = gradient.dtype().torchName();
    final String key = "g/" + dtype + "/";
    final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    tensors.put(key + "input/x", gradient);
    tensors.put(key + "value", TensorEntry.of(new double[1]));
    tensors.put(key + "grad/x", gradient);
    final String node = "{'name':'g','dtype':'" + dtype + "'" + more + "}";
    return ReferenceFile.read(write(folder, header(node), tensors)).cases().get(0);
  }
}

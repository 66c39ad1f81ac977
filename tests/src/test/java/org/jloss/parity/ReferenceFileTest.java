package org.jloss.parity;

import static org.jloss.parity.TestCases.CASE;
import static org.jloss.parity.TestCases.HEADER;
import static org.jloss.parity.TestCases.header;
import static org.jloss.parity.TestCases.tensors;
import static org.jloss.parity.TestCases.write;
import static org.jloss.parity.TestFiles.assertBroken;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceFileTest {
  @TempDir private Path folder;

  @Test
  void readsAllPartsOfACase() throws IOException {
    final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    final TensorEntry matrix = TensorEntry.of(new float[] {1, 1, 1, 1}, 2, 2);
    final TensorEntry matrix64 = TensorEntry.of(new double[4], 2, 2);
    for (final String part :
        List.of(
            "input/x",
            "input/z/0",
            "input/z/1",
            "value",
            "grad/x",
            "grad/z/1",
            "upstream",
            "direction/x",
            "gradgrad/x")) {
      tensors.put("a b/float32/" + part, matrix);
    }
    tensors.put("a b/float32/value64", matrix64);
    tensors.put("a b/float32/grad64/x", matrix64);
    final Path path =
        write(
            folder,
            header(
                "{'name':'a b','dtype':'float32','parameters':{'reduction':'none','p':2,"
                    + "'eps':1e-6,'flag':true,'margin':'inf','low':'-inf','weights':[1,0.5,'inf'],"
                    + "'none':null},'layout':{'x':'expanded','z/1':'transposed'},"
                    + "'tolerance':{'rtol':1e-4,'atol':0,'reason':'long sum'},"
                    + "'tags':['odd-size','two'],'later':1}"),
            tensors);

    final ReferenceFile file = ReferenceFile.read(path);

    assertEquals(path, file.path());
    assertEquals("some_loss", file.id());
    assertEquals("by <hand>", file.oracle());
    assertEquals(Map.of("torch", "2.10.0"), file.versions());
    final ReferenceCase reference = file.cases().get(0);
    assertEquals("a b/float32", reference.key());
    assertEquals("some_loss", reference.id());
    final Map<String, Object> parameters = new LinkedHashMap<>();
    parameters.put("reduction", "none");
    parameters.put("p", 2L);
    parameters.put("eps", 1e-6);
    parameters.put("flag", true);
    parameters.put("margin", Double.POSITIVE_INFINITY);
    parameters.put("low", Double.NEGATIVE_INFINITY);
    parameters.put("weights", List.of(1L, 0.5, Double.POSITIVE_INFINITY));
    parameters.put("none", null);
    assertEquals(parameters, reference.parameters());
    assertEquals(Map.of("x", Layout.EXPANDED, "z/1", Layout.TRANSPOSED), reference.layouts());
    assertEquals(new Tolerance(1e-4, 0, 1e-4, "long sum"), reference.tolerance(DType.F32));
    assertEquals(Tolerance.of(DType.I64), reference.tolerance(DType.I64));
    assertEquals(List.of("odd-size", "two"), reference.tags());
    assertEquals(Set.of("x", "z/0", "z/1"), reference.inputs().keySet());
    assertEquals(List.of("z/0", "z/1"), reference.listOf("z"));
    assertEquals(List.of(), reference.listOf("x"));
    assertEquals(
        Set.of("value", "grad/x", "grad/z/1", "gradgrad/x"), reference.expected().keySet());
    assertEquals(Set.of("value", "grad/x"), reference.truth().keySet());
    assertEquals(Set.of("x"), reference.directions().keySet());
    assertEquals("float32[2, 2]", String.valueOf(reference.upstream()));
    try (Tensor x = reference.inputTensor("x");
        Tensor z0 = reference.inputTensor("z/0");
        Tensor z1 = reference.inputTensor("z/1")) {
      assertEquals(0, x.stride(0));
      assertEquals(2, z0.stride(0));
      assertEquals(1, z1.stride(0));
    }
    assertThrows(IllegalArgumentException.class, () -> reference.inputTensor("y"));
  }

  @Test
  void readsSeveralOutputs() throws IOException {
    final Map<String, TensorEntry> tensors = tensors();
    tensors.remove("c/float32/value");
    tensors.put("c/float32/output/loss", TensorEntry.of(new float[1]));
    tensors.put("c/float32/output/pairs", TensorEntry.of(new long[4], 2, 2));
    final ReferenceCase reference =
        ReferenceFile.read(write(folder, HEADER, tensors)).cases().get(0);
    assertEquals(Set.of("output/loss", "output/pairs"), reference.outputs().keySet());
    assertNull(reference.upstream());
    assertNull(reference.statedTolerance());
  }

  @Test
  void takesTheLooserToleranceOfCaseAndResult() throws IOException {
    final ReferenceCase reference =
        ReferenceFile.read(write(folder, HEADER, tensors())).cases().get(0);
    assertEquals(Tolerance.of(DType.F32), reference.tolerance(DType.F64));
    assertEquals(Tolerance.of(DType.BF16), reference.tolerance(DType.BF16));
    assertEquals(Tolerance.of(DType.BOOL), reference.tolerance(DType.BOOL));
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference.pt", "reference_nested.pt"})
  void readsFilesOfTorchSave(String name) throws IOException {
    final ReferenceFile file = ReferenceFile.read(TestFiles.fixture(folder, name));
    assertEquals("mse_loss", file.id());
    final ReferenceCase reference = file.cases().get(0);
    assertEquals("small/float32", reference.key());
    assertEquals(Map.of("reduction", "mean"), reference.parameters());
    assertArrayEquals(new double[] {0.5, -1, 2, 0}, reference.inputs().get("input").toDoubles());
    assertArrayEquals(
        new double[] {0.25, -0.5, 1, 0}, reference.gradients().get("input").toDoubles());
  }

  static Stream<Arguments> brokenHeaders() {
    return Stream.of(
        Arguments.of("{", "not sound JSON"),
        Arguments.of("{} {}", "not sound JSON"),
        Arguments.of("[]", "not a JSON object"),
        Arguments.of("{'format':1,'format':1}", "not sound JSON"),
        Arguments.of("{}", "format ''; this jloss reads format 1"),
        Arguments.of("{'format':2}", "format '2'; this jloss reads format 1"),
        Arguments.of("{'format':1}", "without a sound id: ''"),
        Arguments.of("{'format':1,'id':'a\\nb'}", "without a sound id: 'a\\u000ab'"),
        Arguments.of("{'format':1,'id':'../a'}", "without a sound id"),
        Arguments.of("{'format':1,'id':'a','cases':1}", "'cases' is not a list"),
        Arguments.of("{'format':1,'id':'a','versions':1}", "'versions' is not an object"),
        Arguments.of(header(""), "tensors of no case 'c/float32'"),
        Arguments.of(header("1"), "unsound name ''"),
        Arguments.of(header("{'name':'c/d','dtype':'float32'}"), "unsound name 'c/d'"),
        Arguments.of(header("{'name':'c\\t','dtype':'float32'}"), "unsound name 'c\\u0009'"),
        Arguments.of(header("{'name':'c','dtype':'float64'}"), "has no tensors"),
        Arguments.of(header("{'name':'c','dtype':'int64'}"), "no floating dtype"),
        Arguments.of(header("{'name':'c'}"), "no floating dtype"),
        Arguments.of(header(CASE + "," + CASE), "is there twice"),
        Arguments.of(withField("'parameters':[]"), "'parameters' is not an object"),
        Arguments.of(withField("'parameters':{'p':{}}"), "unsound parameter 'p'"),
        Arguments.of(withField("'parameters':{'p':[{}]}"), "unsound parameter 'p'"),
        Arguments.of(withField("'parameters':{'p':9223372036854775808}"), "unsound parameter 'p'"),
        Arguments.of(withField("'layout':1"), "'layout' is not an object"),
        Arguments.of(withField("'layout':{'input':'upside-down'}"), "layout 'upside-down'"),
        Arguments.of(withField("'layout':{'nothing':'strided'}"), "strided of 'nothing'"),
        Arguments.of(withField("'layout':{'target':'transposed'}"), "transposed of 'target'"),
        Arguments.of(withField("'layout':{'input':'channels_last'}"), "channels_last of 'input'"),
        Arguments.of(withField("'layout':{'input':'expanded'}"), "expanded of 'input'"),
        Arguments.of(withField("'tolerance':1"), "without rtol and atol"),
        Arguments.of(withField("'tolerance':{'rtol':1}"), "without rtol and atol"),
        Arguments.of(withField("'tolerance':{'rtol':1,'atol':1}"), "needs a reason"),
        Arguments.of(
            withField("'tolerance':{'rtol':1,'atol':-1,'reason':'x'}"), "finite and not negative"),
        Arguments.of(
            withField("'tolerance':{'rtol':1e999,'atol':1,'reason':'x'}"),
            "finite and not negative"),
        Arguments.of(withField("'tags':'x'"), "'tags' is not a list"));
  }

  private static String withField(String field) {
    return header(CASE.replace("}", "," + field + "}"));
  }

  @ParameterizedTest
  @MethodSource("brokenHeaders")
  void refusesABrokenHeader(String header, String problem) throws IOException {
    final Path file = write(folder, header, tensors());
    assertBroken(file, problem, () -> ReferenceFile.read(file));
  }

  static Stream<Arguments> brokenTensors() {
    final TensorEntry scalar = TensorEntry.of(new float[1]);
    final TensorEntry vector64 = TensorEntry.of(new double[2], 2);
    return Stream.of(
        Arguments.of("x", scalar, "tensor of no case: 'x'"),
        Arguments.of("c/float32", scalar, "tensor of no case"),
        Arguments.of("c/float32/value\n", scalar, "tensor of no case: 'c/float32/value\\u000a'"),
        Arguments.of("d/float32/value", scalar, "tensors of no case 'd/float32'"),
        Arguments.of("c/float32/", scalar, "without a name"),
        Arguments.of("c/float32/input/", scalar, "without a name"),
        Arguments.of("c/float32/value/x", scalar, "unknown kind: 'value/x'"),
        Arguments.of("c/float32/input", scalar, "unknown kind: 'input'"),
        Arguments.of("c/float32/loss", scalar, "unknown kind: 'loss'"),
        Arguments.of("c/float32/output/x", scalar, "both a value and outputs"),
        Arguments.of("c/float32/upstream", vector64, "'upstream' float64[2], but the value"),
        Arguments.of("c/float32/value64", scalar, "'value64' that is not float64"),
        Arguments.of("c/float32/value64", vector64, "'value64' float64[2], but the value"),
        Arguments.of("c/float32/grad/input", scalar, "'grad/input' float32[], but its input"),
        Arguments.of("c/float32/grad/weight", scalar, "but its input is not there"),
        Arguments.of("c/float32/grad64/target", vector64, "but its input is not there"),
        Arguments.of("c/float32/grad64/input", vector64, "'grad64/input' float64[2], but"),
        Arguments.of("c/float32/direction/target", vector64, "but its input is not there"),
        Arguments.of("c/float32/gradgrad/input", scalar, "'gradgrad/input' float32[], but"),
        Arguments.of("c/float32/input/z/1", scalar, "gap before input 'z/1'"),
        Arguments.of("c/float32/input/z/00", scalar, "gap before input 'z/00'"),
        Arguments.of("c/float32/input/z/a", scalar, "gap before input 'z/a'"));
  }

  @ParameterizedTest
  @MethodSource("brokenTensors")
  void refusesABrokenTensor(String name, TensorEntry tensor, String problem) throws IOException {
    final Map<String, TensorEntry> tensors = tensors();
    tensors.put(name, tensor);
    final Path file = write(folder, HEADER, tensors);
    assertBroken(file, problem, () -> ReferenceFile.read(file));
  }

  @Test
  void saysBothKindsOfWhatIsNeither() throws IOException {
    final Path garbage = Files.writeString(folder.resolve("b.pt"), "{garbage}");
    assertBroken(
        garbage,
        "is no zip file as torch.save writes it, and is no safetensors file: its header would have",
        () -> ReferenceFile.read(garbage));
    final Path named = Files.copy(garbage, folder.resolve("b.safetensors"));
    assertBroken(
        named, named + ": is no safetensors file: its header", () -> ReferenceFile.read(named));
  }

  @Test
  void refusesFilesWithoutCases() throws IOException {
    final Path path = folder.resolve("x.safetensors");
    Safetensors.write(path, tensors(), Map.of());
    assertBroken(path, "holds no reference cases", () -> ReferenceFile.read(path));
    final Path checkpoint = TestFiles.fixture(folder, "checkpoint.pt");
    assertBroken(checkpoint, "holds no reference cases", () -> ReferenceFile.read(checkpoint));
    final Path tensor = TestFiles.fixture(folder, "tensor.pt");
    assertBroken(tensor, "holds no reference cases", () -> ReferenceFile.read(tensor));
    final Map<String, TensorEntry> tensors = tensors();
    tensors.remove("c/float32/value");
    final Path file = write(folder, HEADER, tensors);
    assertBroken(file, "has no value", () -> ReferenceFile.read(file));
  }

  @Test
  void knowsEqualRowsByTheirBits() {
    assertTrue(TensorEntry.of(new float[] {1, Float.NaN, 1, Float.NaN}, 2, 2).hasEqualRows());
    assertTrue(TensorEntry.of(new float[0], 2, 0).hasEqualRows());
    assertTrue(TensorEntry.of(new float[] {1, 2}, 1, 2).hasEqualRows());
    assertFalse(TensorEntry.of(new float[] {0, -0f}, 2, 1).hasEqualRows());
    final ByteBuffer data = TensorEntry.of(new float[] {1, 2}, 2).data();
    assertTrue(
        TensorEntry.strided(DType.F32, new long[] {1 << 30, 2}, new long[] {0, 1}, data)
            .hasEqualRows());
  }

  @Test
  void survivesDamage() throws Exception {
    TestFiles.fuzz(
        write(folder, withField("'layout':{'input':'transposed'}"), tensors()),
        ReferenceFile::read);
    TestFiles.fuzz(
        TestFiles.fixture(Files.createDirectory(folder.resolve("pt")), "reference.pt"),
        ReferenceFile::read);
  }
}

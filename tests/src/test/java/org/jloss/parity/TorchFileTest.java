package org.jloss.parity;

import static org.jloss.parity.TestFiles.assertBroken;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {
  private static final String FLOATS =
      "((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\6tQ";
  private static final String REBUILD = "ctorch._utils\n_rebuild_tensor_v2\n";

  @TempDir private Path folder;

  @Test
  void readsACheckpoint() throws IOException {
    final TorchFile file = TorchFile.read(TestFiles.fixture(folder, "checkpoint.pt"));

    assertEquals(
        List.of(
            "model.fc.weight",
            "model.fc.bias",
            "model.norm.weight",
            "model.norm.bias",
            "model.norm.running_mean",
            "model.norm.running_var",
            "model.norm.num_batches_tracked",
            "losses.0",
            "losses.1"),
        List.copyOf(file.entries().keySet()));
    final TensorEntry weight = file.entries().get("model.fc.weight");
    assertEquals("float32[3, 2]", weight.toString());
    assertArrayEquals(new double[] {0, 1, 2, 3, 4, 5}, weight.toDoubles());
    assertEquals("int64[]", file.entries().get("model.norm.num_batches_tracked").toString());
    assertArrayEquals(new double[] {0.25}, file.entries().get("losses.1").toDoubles());
    final Map<?, ?> root = (Map<?, ?>) file.root();
    assertEquals(7L, root.get("epoch"));
    final Map<?, ?> optimizer = (Map<?, ?>) root.get("optimizer");
    final Map<?, ?> group = (Map<?, ?>) ((List<?>) optimizer.get("param_groups")).get(0);
    assertEquals(0.1, group.get("lr"));
    assertEquals(List.of(0L, 1L, 2L, 3L), group.get("params"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"nested.pt", "protocol5.pt"})
  void readsEveryKindOfObject(String name) throws IOException {
    final TorchFile file = TorchFile.read(TestFiles.fixture(folder, name));
    final Map<String, TensorEntry> entries = file.entries();

    for (final DType dtype : DType.values()) {
      final TensorEntry entry = entries.get("dtypes." + dtype.torchName());
      assertEquals(dtype, entry.dtype());
      final double last = dtype == DType.BOOL ? 1 : 2;
      assertArrayEquals(new double[] {0, 1, last}, entry.toDoubles());
    }
    assertArrayEquals(range(24), entries.get("strides.base").toDoubles());
    assertArrayEquals(new double[] {20, 21, 22, 23}, entries.get("strides.row").toDoubles());
    assertArrayEquals(new double[] {1, 5, 9, 13, 17, 21}, doubles(entries, "strides.column"));
    assertArrayEquals(
        Arrays.stream(range(24)).filter(x -> x % 2 == 0).toArray(),
        doubles(entries, "strides.every_other"));
    assertArrayEquals(
        new double[] {3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, doubles(entries, "strides.expanded"));
    assertArrayEquals(range(16), doubles(entries, "strides.channels_last"));
    final TensorEntry transposed = entries.get("strides.transposed");
    assertEquals("float32[4, 3, 2]", transposed.toString());
    assertArrayEquals(new double[] {0, 12, 4, 16, 8, 20}, Arrays.copyOf(transposed.toDoubles(), 6));
    assertEquals("float64[]", entries.get("scalar").toString());
    assertEquals("float32[2, 0, 3]", entries.get("empty").toString());
    assertArrayEquals(new double[] {1, 1}, doubles(entries, "parameter"));

    final Map<?, ?> root = (Map<?, ?>) file.root();
    final List<?> plain = (List<?>) root.get("plain");
    assertEquals(
        Arrays.asList(1L, -2L, 300L, 70000L, 1L << 40, BigInteger.TEN.pow(30)),
        plain.subList(0, 6));
    assertEquals(
        Arrays.asList(
            BigInteger.TWO.pow(70).negate(), 2.5, Double.POSITIVE_INFINITY, true, false, null),
        plain.subList(6, 12));
    assertEquals("text äß", plain.get(12));
    assertArrayEquals(new byte[] {0, -1}, (byte[]) plain.get(13));
    assertArrayEquals(new byte[0], (byte[]) plain.get(14));
    assertEquals(
        List.of(
            List.of(),
            List.of(1L, List.of(2L)),
            Set.of(3L, 4L),
            Set.of("x"),
            Set.of(),
            List.of(2L, 3L),
            "torch.float32",
            "torch.strided"),
        plain.subList(15, 23));
    // In Python True is 1, but not 1.5.
    assertEquals(Map.of(1.5, "a", true, "b"), root.get(5L));
    assertThrows(UnsupportedOperationException.class, () -> root.clear());
    assertThrows(UnsupportedOperationException.class, () -> plain.clear());
  }

  @Test
  void keepsStridesInTensors() throws IOException {
    final Map<String, TensorEntry> entries =
        TorchFile.read(TestFiles.fixture(folder, "nested.pt")).entries();
    final Map<String, long[]> strides = new LinkedHashMap<>();
    strides.put("transposed", new long[] {1, 4, 12});
    strides.put("column", new long[] {12, 4});
    strides.put("every_other", new long[] {12, 4, 2});
    strides.put("expanded", new long[] {0, 0});
    strides.put("channels_last", new long[] {16, 1, 8, 2});
    strides.forEach(
        (name, expected) -> {
          final TensorEntry entry = entries.get("strides." + name);
          try (Tensor tensor = entry.toTensor()) {
            for (int i = 0; i < expected.length; i++) {
              assertEquals(expected[i], tensor.stride(i), name);
            }
            assertArrayEquals(entry.toDoubles(), TensorEntry.of(tensor).toDoubles(), name);
          }
          try (Tensor tensor = entry.toTensor(Layout.CONTIGUOUS)) {
            assertTrue(tensor.is_contiguous());
            assertArrayEquals(entry.toDoubles(), TensorEntry.of(tensor).toDoubles(), name);
          }
        });
  }

  @Test
  void namesATensorThatIsAlone() throws IOException {
    final TorchFile file = TorchFile.read(TestFiles.fixture(folder, "tensor.pt"));
    assertArrayEquals(new long[] {0, 1, 2}, file.entries().get(TorchFile.UNNAMED).toLongs());
  }

  @Test
  void readsAFileWithoutChecksums() throws IOException {
    final TorchFile file = TorchFile.read(TestFiles.fixture(folder, "no_checksums.pt"));
    assertArrayEquals(new long[] {0, 1, 2}, file.entries().get("x").toLongs());
  }

  @ParameterizedTest
  @CsvSource({
    "legacy.pt, before PyTorch 1.6",
    "module.pt, 'refers to ''torch.nn.modules.linear.Linear'', which jloss does not load'",
    "device.pt, refers to 'torch.device'",
    "negated.pt, lazily negated",
    "complex.pt, refers to 'torch.ComplexFloatStorage'",
    "sparse.pt, refers to 'torch._utils._rebuild_sparse_tensor'",
    "python.safetensors, not a zip file",
  })
  void refusesOtherKinds(String name, String problem) throws IOException {
    final Path file = TestFiles.fixture(folder, name);
    assertBroken(file, problem.replace("''", "'"), () -> TorchFile.read(file));
  }

  @Test
  void refusesAnOldTarFile() throws IOException {
    final byte[] bytes = new byte[512];
    System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, bytes, 257, 5);
    final Path file = Files.write(folder.resolve("x.pt"), bytes);
    assertBroken(file, "before PyTorch 1.6", () -> TorchFile.read(file));
  }

  @Test
  void refusesOtherZipFiles() throws IOException {
    assertZipBroken("it has 0 data.pkl", Map.of("x/data.txt", "", "x/y/data.pkl", ""));
    assertZipBroken("it has 2 data.pkl", Map.of("x/data.pkl", "", "y/data.pkl", ""));
    assertZipBroken("is a TorchScript program", Map.of("x/data.pkl", "", "x/constants.pkl", ""));
    assertZipBroken(
        "has byte order 'big'", Map.of("x/data.pkl", "\u0080\2N.", "x/byteorder", "big"));
    assertZipBroken("has byte order ''", Map.of("x/data.pkl", "\u0080\2N.", "x/byteorder", ""));
  }

  private void assertZipBroken(String problem, Map<String, String> entries) throws IOException {
    final Path file = zip(entries, ZipEntry.STORED);
    assertBroken(file, problem, () -> TorchFile.read(file));
  }

  @Test
  void refusesCompression() throws IOException {
    final Path file = zip(Map.of("x/data.pkl", "\u0080\2N."), ZipEntry.DEFLATED);
    assertBroken(file, "entry 'x/data.pkl' is compressed", () -> TorchFile.read(file));
  }

  @Test
  void refusesDamagedData() throws IOException {
    final Path file = TestFiles.fixture(folder, "checkpoint.pt");
    final byte[] bytes = Files.readAllBytes(file);
    final int at = indexOf(bytes, new byte[] {0, 0, (byte) 0xa0, 0x40}); // 5.0F in fc.weight
    bytes[at] ^= 1;
    Files.write(file, bytes);
    assertBroken(file, "is damaged: its checksum is wrong", () -> TorchFile.read(file));
  }

  private static int indexOf(byte[] bytes, byte[] wanted) {
    for (int i = 0; i <= bytes.length - wanted.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  /** Offsets into the end of a zip file of one entry, without zip64, whose name has 10 bytes. */
  static Stream<Arguments> zipDamage() {
    final int end = -22;
    final int entry = end - 46 - 10;
    return Stream.of(
        Arguments.of(end, 0, "without its directory"),
        Arguments.of(end + 4, 1, "one of several parts"),
        Arguments.of(end + 10, 2, "damaged zip directory"),
        Arguments.of(end + 10, 0, "damaged zip directory"),
        Arguments.of(end + 12, 200, "damaged zip directory"),
        Arguments.of(end + 16, 255, "damaged zip directory"),
        Arguments.of(end + 19, 255, "damaged zip directory"),
        Arguments.of(end + 20, 1, "without its directory"),
        Arguments.of(entry, 0, "damaged zip directory"),
        Arguments.of(entry + 8, 1, "is encrypted"),
        Arguments.of(entry + 10, 8, "is compressed"),
        Arguments.of(entry + 16, 1, "its checksum is wrong"),
        Arguments.of(entry + 20, 255, "has two sizes"),
        Arguments.of(entry + 28, 255, "damaged zip directory"),
        Arguments.of(entry + 28, 9, "damaged zip directory"),
        Arguments.of(entry + 30, 255, "damaged zip directory"),
        Arguments.of(entry + 32, 255, "damaged zip directory"),
        Arguments.of(entry + 42, 1, "is not where the zip directory says"),
        Arguments.of(entry + 45, 255, "lies outside the file"),
        Arguments.of(entry + 46, 'y', "is not where the zip directory says"),
        Arguments.of(entry + 46, 0xff, "not UTF-8"));
  }

  @ParameterizedTest
  @MethodSource("zipDamage")
  void refusesADamagedDirectory(int offset, int value, String problem) throws IOException {
    final Path file = zip(Map.of("x/data.pkl", "\u0080\2N."), ZipEntry.STORED);
    TorchFile.read(file);
    final byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length + offset] = (byte) value;
    Files.write(file, bytes);
    assertBroken(file, problem, () -> TorchFile.read(file));
  }

  @Test
  void refusesOverlappingEntries() throws IOException {
    final Map<String, String> entries = new LinkedHashMap<>();
    entries.put("x/data.pkl", "\u0080\2N.");
    entries.put("x/data/aaa", "1234");
    final Path file = zip(entries, ZipEntry.STORED);
    final byte[] bytes = Files.readAllBytes(file);
    final int second = bytes.length - 22 - 46 - 10;
    System.arraycopy(bytes, second - 46 - 10 + 42, bytes, second + 42, 4); // the local header
    Files.write(file, bytes);
    assertBroken(file, "overlaps another entry", () -> TorchFile.read(file));
  }

  static Stream<Arguments> brokenPickles() {
    final String protocol = "\u0080\2";
    final String tensor = protocol + REBUILD + FLOATS;
    final String hooks = "\u0089ccollections\nOrderedDict\n)RtR.";
    return Stream.of(
        Arguments.of("", "ends too early"),
        Arguments.of("N.", "without a protocol"),
        Arguments.of("\u0080\1N.", "protocol 1"),
        Arguments.of("\u0080\6N.", "protocol 6"),
        Arguments.of(protocol, "ends too early"),
        Arguments.of(protocol + "N", "ends too early"),
        Arguments.of(protocol + ".", "unsound stack"),
        Arguments.of(protocol + "NN.", "something is left"),
        Arguments.of(protocol + "N.N", "something is left"),
        Arguments.of(protocol + "(.", "unsound stack"),
        Arguments.of(protocol + "\u0085.", "unsound stack"),
        Arguments.of(protocol + "t.", "unsound stack"),
        Arguments.of(protocol + "N]a.", "unsound a list"),
        Arguments.of(protocol + "](NsN.", "unsound stack"),
        Arguments.of(protocol + "](NNu.", "unsound a dict"),
        Arguments.of(protocol + "}(Nu.", "unsound dict"),
        Arguments.of(protocol + "}(]Nu.", "neither text nor number"),
        Arguments.of(protocol + "\u008f(N\u0090.", "neither text nor number"),
        Arguments.of(protocol + "h\0.", "unsound memo"),
        Arguments.of(protocol + "S'x'\n.", "opcode 0x53"),
        Arguments.of(protocol + "\u0081.", "opcode 0x81"),
        Arguments.of(protocol + "X\u00ff\u00ff\u00ff\u00ff.", "ends too early"),
        Arguments.of(protocol + "\u008d\0\0\0\0\0\0\0\u0080.", "ends too early"),
        Arguments.of(protocol + "X\1\0\0\0\u00ff.", "unsound text"),
        Arguments.of(protocol + "\u008a\u00ff" + "\0".repeat(255) + ".", "integer of 255"),
        Arguments.of(protocol + "\u008b\u00ff\u00ff\u00ff\u007f.", "integer of 2147483647"),
        Arguments.of(protocol + "cos\nsystem\n(X\2\0\0\0lstR.", "refers to 'os.system'"),
        Arguments.of(protocol + "c__builtin__\neval\n.", "refers to 'builtins.eval'"),
        Arguments.of(protocol + "c" + "x".repeat(300) + "\n", "name of a class"),
        Arguments.of(protocol + "ctorch\nSize\n.", "neither tensor, number"),
        Arguments.of(protocol + "ctorch\nSize\n)R.", "call with 0 arguments"),
        Arguments.of(protocol + "ctorch\nSize\nN\u0085R.", "unsound argument"),
        Arguments.of(protocol + "ctorch\nFloatStorage\n)R.", "unsound call"),
        Arguments.of(protocol + "ccollections\nOrderedDict\nN\u0085R.", "call with 1 arguments"),
        Arguments.of(protocol + "]}b.", "state of an object"),
        Arguments.of(
            protocol + "c_codecs\nencode\nX\0\0\0\0X\5\0\0\0utf-8\u0086R.", "unsound bytes"),
        Arguments.of(protocol + "(NNNNNtQ.", "unsound argument"),
        Arguments.of(protocol + FLOATS + "t.", "neither tensor, number"),
        Arguments.of(tensor + "tR.", "call with 1 arguments"),
        Arguments.of(tensor + "K\1K\6\u0085K\1\u0085" + hooks, "leaves its 6 elements"),
        Arguments.of(tensor + "K\7K\0\u0085K\1\u0085" + hooks, "leaves its 6 elements"),
        Arguments.of(tensor + "J\u00ff\u00ff\u00ff\u00ffK\6\u0085K\1\u0085" + hooks, "leaves"),
        Arguments.of(tensor + "K\0K\2K\3\u0086K\4K\1\u0086" + hooks, "leaves its 6 elements"),
        Arguments.of(tensor + "K\0K\2K\3\u0086K\3\u0085" + hooks, "2 axes but 1 strides"),
        Arguments.of(
            tensor + "K\0K\2\u0085J\u00ff\u00ff\u00ff\u00ff\u0085" + hooks, "negative stride -1"),
        Arguments.of(
            tensor + "K\0J\u00ff\u00ff\u00ff\u00ff\u0085K\1\u0085" + hooks, "negative size -1"),
        Arguments.of(
            tensor + "K\0\u008a\5\0\0\0\0\1\u008a\5\0\0\0\0\1\u0086K\0K\0\u0086" + hooks,
            "too many elements"),
        Arguments.of(
            tensor + "K\0K\3K\3\u0086\u008a\10\0\0\0\0\0\0\0\u007fK\1\u0086" + hooks,
            "strides that overflow"),
        Arguments.of(
            tensor.replace("X\1\0\0\0000", "X\1\0\0\0001") + "tR.",
            "lacks the data of storage '1'"),
        Arguments.of(
            tensor.replace("Float", "Double") + "tR.", "6 elements of float64, but has 24 bytes"),
        Arguments.of(
            tensor.replace("cpuK\6", "cpu\u008a\10\0\0\0\0\0\0\0\u007f") + "tR.",
            "unsound storage"),
        Arguments.of(protocol + "]q\0h\0a.", "nested more than 100"),
        Arguments.of(protocol + "]".repeat(200) + "a".repeat(199) + ".", "nested more than 100"),
        // Each list holds the one before twice: 2^60 lists to unfold.
        Arguments.of(protocol + "]q\0" + "0]h\0ah\0aq\0".repeat(60) + ".", "holds more than"),
        Arguments.of(protocol + "N0".repeat(1 << 22) + "NN.", "holds more than"));
  }

  @ParameterizedTest(name = "{index}")
  @MethodSource("brokenPickles")
  void refusesABrokenPickle(String pickle, String problem) throws IOException {
    final Path file = torchFile(pickle);
    assertBroken(file, problem, () -> TorchFile.read(file));
  }

  @Test
  void readsTheSamePickleSound() throws IOException {
    final TorchFile file =
        TorchFile.read(
            torchFile(
                "\u0080\2"
                    + REBUILD
                    + FLOATS
                    + "K\1K\2K\2\u0086K\3K\1\u0086\u0089ccollections\nOrderedDict\n)RtR."));
    assertArrayEquals(new double[] {1, 2, 4, 5}, file.entries().get("tensor").toDoubles());
  }

  @Test
  void refusesTwoTensorsOfOneName() throws IOException {
    final String tensor = REBUILD + FLOATS + "K\0))\u0089ccollections\nOrderedDict\n)RtR";
    final Path file =
        torchFile("\u0080\2}(X\3\0\0\0a.b" + tensor + "X\1\0\0\0a}X\1\0\0\0b" + tensor + "su.");
    assertBroken(file, "has two tensors 'a.b'", () -> TorchFile.read(file));
  }

  @Test
  void refusesAnEndlessName() throws IOException {
    final Path file = torchFile("\u0080\2}X\u0088\23\0\0" + "n".repeat(5000) + "]N\u0085as.");
    assertBroken(file, "has too long a name 'nnn", () -> TorchFile.read(file));
  }

  @Test
  void writesWhatItReads() throws IOException {
    final TensorEntry weight = TensorEntry.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    final TensorEntry count = TensorEntry.of(new long[] {7});
    final TensorEntry empty = TensorEntry.of(new double[0], 0, 2);
    final Map<Object, Object> model = new LinkedHashMap<>();
    model.put("weight", weight);
    model.put("tied", weight);
    model.put("count", count);
    model.put("empty", empty);
    final Map<Object, Object> root = new LinkedHashMap<>();
    root.put("model", new TorchFile.OrderedDict(model));
    root.put("parameter", new TorchFile.Parameter(count, false));
    final List<Object> plain =
        Arrays.asList(
            1L,
            -2L,
            1L << 40,
            BigInteger.TEN.pow(30).negate(),
            2.5,
            true,
            null,
            "text äß",
            new TorchFile.Tuple(List.of(1L, List.of())),
            Set.of(3L),
            Map.of(1.5, "a"));
    root.put("plain", plain);
    final Path file = folder.resolve("written.pt");
    TorchFile.write(file, root);

    for (final TorchFile read :
        List.of(TorchFile.read(file), TorchFile.read("bytes", TorchFile.write(root)))) {
      final Map<?, ?> got = (Map<?, ?>) read.root();
      assertEquals(plain, got.get("plain"));
      assertTrue(((List<?>) got.get("plain")).get(8) instanceof TorchFile.Tuple);
      assertTrue(got.get("model") instanceof TorchFile.OrderedDict);
      assertEquals(
          List.of("model.weight", "model.tied", "model.count", "model.empty", "parameter"),
          List.copyOf(read.entries().keySet()));
      assertEquals("float32[2, 3]", read.entries().get("model.weight").toString());
      assertArrayEquals(weight.toDoubles(), doubles(read.entries(), "model.tied"));
      assertArrayEquals(new double[] {7}, doubles(read.entries(), "parameter"));
      assertEquals("float64[0, 2]", read.entries().get("model.empty").toString());
    }
    // What occurs twice is stored once, and where it can be mapped.
    final String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
    final ByteBuffer data = weight.data();
    final String stored = StandardCharsets.ISO_8859_1.decode(data).toString();
    assertEquals(bytes.indexOf(stored), bytes.lastIndexOf(stored));
    assertEquals(0, bytes.indexOf(stored) % 64);
    assertEquals(1, Files.list(folder).count(), "the unfinished file is gone");
  }

  @Test
  void refusesToWriteOtherObjects() {
    final Path file = folder.resolve("refused.pt");
    final IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () -> TorchFile.write(file, Map.of("a", List.of(1L, Path.of("x")))));
    assertTrue(
        refused.getMessage().startsWith("the object[a][1] is a sun.nio.fs."), refused.getMessage());
    List<Object> deep = List.of();
    for (int i = 0; i < 200; i++) {
      deep = List.of(deep);
    }
    final List<Object> deepest = deep;
    assertThrows(IllegalArgumentException.class, () -> TorchFile.write(file, deepest));
    assertTrue(Files.notExists(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"checkpoint.pt", "no_checksums.pt"})
  void survivesDamage(String name) throws Exception {
    final Path good = TestFiles.fixture(folder, name);
    TestFiles.fuzz(
        good,
        file -> {
          for (final TensorEntry entry : TorchFile.read(file).entries().values()) {
            if (entry.numel() < 1000) { // an expanded tensor may be large on purpose
              entry.toDoubles();
            }
          }
        });
  }

  /** A .pt file with a pickle, as Latin-1 text, and one storage, "0", of the floats 0 to 5. */
  private Path torchFile(String pickle) throws IOException {
    final Map<String, String> entries = new LinkedHashMap<>();
    entries.put("x/data.pkl", pickle);
    final ByteBuffer floats = TensorEntry.of(new float[] {0, 1, 2, 3, 4, 5}, 6).data();
    entries.put("x/data/0", StandardCharsets.ISO_8859_1.decode(floats).toString());
    return zip(entries, ZipEntry.STORED);
  }

  private Path zip(Map<String, String> entries, int method) throws IOException {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (final Map.Entry<String, String> entry : entries.entrySet()) {
        final byte[] data = entry.getValue().getBytes(StandardCharsets.ISO_8859_1);
        final ZipEntry header = new ZipEntry(entry.getKey());
        header.setMethod(method);
        if (method == ZipEntry.STORED) {
          final CRC32 crc = new CRC32();
          crc.update(data);
          header.setSize(data.length);
          header.setCrc(crc.getValue());
        }
        out.putNextEntry(header);
        out.write(data);
      }
    }
    return Files.write(folder.resolve("x.pt"), bytes.toByteArray());
  }

  private static double[] doubles(Map<String, TensorEntry> entries, String name) {
    return entries.get(name).toDoubles();
  }

  private static double[] range(int end) {
    final double[] values = new double[end];
    Arrays.setAll(values, i -> i);
    return values;
  }
}
